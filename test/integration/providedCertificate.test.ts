import { X509Certificate } from "crypto";
import { CertificateMaker, KeyPair } from "../support/certificates";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, request, Workspace } from "../support/clients";
import { eventually, run } from "../support/run";
import { RegistryOutputs, Settings, TestStack } from "../support/testStack";

/** A certificate of the user's own, from a CA with an intermediate, as companies have it. */
describe("a registry with a provided certificate", () => {
  const cleanUp = new CleanUp();
  const maker = cleanUp.add(new CertificateMaker());
  let root: KeyPair;
  let intermediate: KeyPair;
  let server: KeyPair;
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    root = await maker.authority("Root CA");
    intermediate = await maker.authority("Intermediate CA", root);
    server = await maker.server("DNS:localhost,IP:127.0.0.1", intermediate);
    stack = cleanUp.add(
      await TestStack.create({ "tls.mode": "provided" }, provided(server, intermediate.certificate, root.certificate)),
    );
    outputs = await stack.up();
  });

  function provided(pair: KeyPair, ...chain: string[]): Settings {
    return { "tls.certificate": pair.certificate, "tls.privateKey": pair.privateKey, "tls.chain": chain.join("") };
  }

  async function served(): Promise<X509Certificate[]> {
    const { host } = new URL(outputs.endpoint);
    const text = await run("openssl", ["s_client", "-connect", host, "-showcerts"]);
    return (text.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g) ?? []).map(
      (pem) => new X509Certificate(pem),
    );
  }

  it("shows clients that certificate and what leads to the root", async () => {
    const expected = [server, intermediate, root].map(({ certificate }) => new X509Certificate(certificate).fingerprint256);
    expect((await served()).map(({ fingerprint256 }) => fingerprint256)).toEqual(expected);
  });

  it("is verified by the root, which is what trustCommand installs", async () => {
    expect(outputs.caCertificate.trim()).toBe(root.certificate.trim());
    expect(outputs.trustCommand).toContain(root.certificate.trim());
    expect((await request(outputs, "/v2/")).status).toBe(200);
    const ends = [server, intermediate, root].map(({ certificate }) => Date.parse(new X509Certificate(certificate).validTo));
    expect(outputs.certificateExpiresAt).toBe(new Date(Math.min(...ends)).toISOString());
  });

  it("is not verified by another root", async () => {
    const caCertificate = (await maker.authority("Another CA")).certificate;
    await expect(request({ ...outputs, caCertificate }, "/v2/")).rejects.toThrow(/self-signed certificate|unable to verify/);
  });

  it("takes another certificate without a new container, and without the root has nothing to install", async () => {
    const docker = cleanUp.add(new DockerClient());
    const container = (): Promise<string> =>
      docker.run("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", outputs.containerName);
    const before = await container();
    server = await maker.server("DNS:localhost", intermediate);
    await stack.set({}, provided(server, intermediate.certificate));
    outputs = await stack.up();
    // The server looks for a new certificate every now and then.
    const chain = await eventually("the new certificate", async () => {
      const found = await served();
      return found.length === 2 && found;
    });
    expect(chain.map(({ subject }) => subject)).toEqual(["CN=server", "CN=Intermediate CA"]);
    expect(outputs.caCertificate).toBe("");
    expect(outputs.trustCommand).toMatch(/^# nothing to install/);
    expect((await request({ ...outputs, caCertificate: root.certificate }, "/v2/")).status).toBe(200);
    expect(await container()).toBe(before);
  });

  it("does not take one that it could not start with again", async () => {
    const [before] = await served();
    const odd = await maker.server("DNS:localhost,email:\u00fc@example.com", intermediate);
    await stack.set({}, provided(odd, intermediate.certificate));
    await expect(stack.up()).rejects.toThrow(/tls: the server could not use this certificate, .* SAN rfc822Name is malformed/);
    const docker = cleanUp.add(new DockerClient());
    await docker.run("restart", outputs.containerName);
    const [after] = await eventually("the registry", () => served().catch(() => undefined));
    expect(after?.fingerprint256).toBe(before?.fingerprint256);
  });

  it("is repaired by an up, though Docker waits long before it starts again what has died that often", async () => {
    const docker = cleanUp.add(new DockerClient());
    const folder = cleanUp.add(new Workspace());
    const broken = folder.write("server.pem", "nothing");
    await docker.run("cp", broken, `${outputs.containerName}-files-writer:/etc/container-registry/server.pem`);
    await docker.run("restart", outputs.containerName);
    await eventually(
      "the sixth start",
      async () => Number(await docker.run("inspect", "--format", "{{.RestartCount}}", outputs.containerName)) > 5,
    );
    server = await maker.server("DNS:localhost", intermediate);
    await stack.set({}, provided(server, intermediate.certificate));
    outputs = await stack.up();
    expect((await request({ ...outputs, caCertificate: root.certificate }, "/v2/")).status).toBe(200);
  });
});
