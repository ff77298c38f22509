import { X509Certificate } from "crypto";
import { connect, createServer } from "net";
import { CleanUp } from "../support/cleanUp";
import { request, RequestOptions, Workspace } from "../support/clients";
import { freePort } from "../support/ports";
import { attempt, eventually, run } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

const hostname = "registry.test.internal";

/** A registry that clients reach by a name of their own network. */
describe("a registry with another hostname than localhost", () => {
  const cleanUp = new CleanUp();
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let port: number;

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.create({ hostname, bindAddress: "127.0.0.2" }));
    outputs = await stack.up();
    port = Number(new URL(outputs.endpoint).port);
  });

  function isOpen(address: string): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ host: address, port });
      socket
        .on("error", () => resolve(false))
        .on("connect", () => {
          socket.destroy();
          resolve(true);
        });
    });
  }

  function certificateAt(address: string): Promise<X509Certificate> {
    return run("sh", ["-c", 'openssl s_client -connect "$0" </dev/null 2>/dev/null | openssl x509', `${address}:${port}`]).then(
      (pem) => new X509Certificate(pem),
    );
  }

  it("says so in its outputs", () => {
    const { endpoint, repositoryPrefix, loginCommand, daemonConfig } = outputs;
    expect({ endpoint, repositoryPrefix, loginCommand, daemonConfig }).toEqual({
      endpoint: `https://${hostname}:${port}`,
      repositoryPrefix: `${hostname}:${port}`,
      loginCommand: `pulumi stack output password --show-secrets | docker login ${hostname}:${port} --username admin --password-stdin`,
      daemonConfig: "{}",
    });
  });

  it("is verified by that name by curl and by Node", async () => {
    const ca = cleanUp.add(new Workspace()).write("ca.crt", outputs.caCertificate);
    const words = ["--silent", "--show-error", "--cacert", ca, "--resolve", `${hostname}:${port}:127.0.0.2`, "--config", "-"];
    const answer = await run("curl", [...words, `${outputs.endpoint}/v2/_catalog`], {
      input: `user = admin:${outputs.password}`,
    });
    expect(JSON.parse(answer)).toEqual({ repositories: [] });
    expect((await request(outputs, "/v2/", { host: "127.0.0.2" })).status).toBe(200);
  });

  it("has the name and the address in its certificate, and those of the host itself", async () => {
    expect((await certificateAt("127.0.0.2")).subjectAltName?.split(", ").sort()).toEqual(
      [`DNS:${hostname}`, "DNS:localhost", "IP Address:127.0.0.1", "IP Address:127.0.0.2", "IP Address:0:0:0:0:0:0:0:1"].sort(),
    );
  });

  it("listens on its bind address and on no other", async () => {
    expect([await isOpen("127.0.0.2"), await isOpen("127.0.0.1")]).toEqual([true, false]);
  });

  it("has a trust command that puts the CA where Docker looks for it, also twice", async () => {
    const file = `/etc/docker/certs.d/${hostname}:${port}/ca.crt`;
    // In a mount namespace with an empty /etc/docker, so that the machine's own stays as it is.
    const script = 'mount -t tmpfs none /etc/docker && sh -c "$1" && sh -c "$1" && find /etc/docker -type f && cat "$2"';
    const words = ["--mount", "--propagation", "private", "sh", "-c", script, "sh", outputs.trustCommand, file];
    expect(await run("unshare", words)).toBe(`${file}\n${outputs.caCertificate}`.trim());
    expect((await attempt("cat", [file])).code).not.toBe(0);
  });

  it("is left as it is where another one has its port on one of all addresses", async () => {
    const taken = createServer().listen(port, "127.0.0.3");
    try {
      await stack.set({ bindAddress: "0.0.0.0" });
      await expect(stack.up()).rejects.toThrow(`The registry stays as it was: the Docker host can't give it 0.0.0.0:${port}`);
      await eventually("an answer", () => isOpen("127.0.0.2"));
    } finally {
      taken.close();
    }
    await stack.set({ bindAddress: "127.0.0.2" });
    await stack.up();
  });

  it("listens everywhere on 0.0.0.0, with a certificate that follows", async () => {
    const before = await certificateAt("127.0.0.2");
    await stack.set({ bindAddress: "0.0.0.0" });
    outputs = await stack.up();
    expect([await isOpen("127.0.0.2"), await isOpen("127.0.0.1")]).toEqual([true, true]);
    for (const options of [{ host: "127.0.0.2" }, { host: "127.0.0.1" }] satisfies RequestOptions[]) {
      expect((await request(outputs, "/v2/", options)).status).toBe(200);
    }
    const after = await certificateAt("127.0.0.1");
    expect(after.subjectAltName).not.toContain("127.0.0.2");
    expect(after.subjectAltName).toContain(`DNS:${hostname}`);
    expect(after.fingerprint256).not.toBe(before.fingerprint256);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("is left as it is where the host can't give it the new address", async () => {
    const other = await freePort();
    const taken = createServer().listen(other, "0.0.0.0");
    try {
      await stack.set({ port: other });
      await expect(stack.up()).rejects.toThrow(`The registry stays as it was: the Docker host can't give it 0.0.0.0:${other}`);
      await stack.set({ port, bindAddress: "192.0.2.77" });
      await expect(stack.up()).rejects.toThrow(`The registry stays as it was: the Docker host can't give it 192.0.2.77:${port}`);
      expect((await request(outputs, "/v2/", { host: "127.0.0.1" })).status).toBe(200);
    } finally {
      taken.close();
    }
  });
});
