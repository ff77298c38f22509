import { isIP } from "net";
import * as nodeTls from "tls";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, request, RequestOptions } from "../support/clients";
import { attempt } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Who gets in, and over what. */
describe("a registry as it is deployed by default", () => {
  const cleanUp = new CleanUp();
  let outputs: RegistryOutputs;
  let port: number;

  beforeAll(async () => {
    const stack = cleanUp.add(await TestStack.create());
    outputs = await stack.up();
    port = Number(new URL(outputs.endpoint).port);
  });

  describe("asks who is there", () => {
    const strangers: [who: string, login: (outputs: RegistryOutputs) => RequestOptions["login"]][] = [
      ["nobody", () => null],
      ["the user with another password", ({ username }) => ({ username, password: "another" })],
      ["the user without a password", ({ username }) => ({ username, password: "" })],
      ["another user with the password", ({ password }) => ({ username: "another", password })],
    ];
    const doors = [
      ["GET", "/v2/"],
      ["GET", "/v2/_catalog"],
      ["GET", "/v2/some/image/tags/list"],
      ["GET", "/v2/some/image/manifests/latest"],
      ["POST", "/v2/some/image/blobs/uploads/"],
      ["DELETE", `/v2/some/image/manifests/sha256:${"0".repeat(64)}`],
    ] as const;

    it.each(strangers)("%s gets 401 at every door", async (_, login) => {
      for (const [method, path] of doors) {
        const answer = await request(outputs, path, { method, login: login(outputs) });
        expect([path, answer.status]).toEqual([path, 401]);
        expect(answer.headers["www-authenticate"]).toBe('Basic realm="container-registry"');
        expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: "UNAUTHORIZED" }] });
      }
    });

    it("the user gets in", async () => {
      expect((await request(outputs, "/v2/")).status).toBe(200);
    });

    it("docker is let in and refused in the same way", async () => {
      const docker = cleanUp.add(new DockerClient());
      const refused = await docker.login(outputs, "another");
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("401 Unauthorized");
      expect(await docker.login(outputs)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("Login Succeeded") as string,
      });
    });
  });

  describe("speaks TLS 1.2 or newer", () => {
    /** openssl and not Node: security level 0 makes it offer the old versions for certain. */
    const handshake = async (version: string): Promise<{ protocol?: string; alert?: string }> => {
      const words = ["s_client", "-connect", `127.0.0.1:${port}`, "-cipher", "ALL:@SECLEVEL=0", version];
      const { stdout, stderr } = await attempt("openssl", words);
      return {
        protocol: /^New, (TLSv[\d.]+), Cipher is (?!\(NONE\))/m.exec(stdout)?.[1],
        alert: /alert ([a-z ]+):/.exec(stderr)?.[1],
      };
    };

    it.each(["-tls1", "-tls1_1"])("refuses %s", async (version) => {
      expect(await handshake(version)).toEqual({ protocol: undefined, alert: "protocol version" });
    });

    it.each([
      ["-tls1_2", "TLSv1.2"],
      ["-tls1_3", "TLSv1.3"],
    ])("takes %s", async (version, protocol) => {
      expect((await handshake(version)).protocol).toBe(protocol);
    });
  });

  describe("proves who it is", () => {
    it.each(["localhost", "127.0.0.1", "::1"])("the CA verifies it as %s", async (name) => {
      // 127.0.0.1 is all it listens on; the name is what the certificate is checked against.
      const options = { host: "127.0.0.1", tls: { servername: isIP(name) ? "" : name, checkServerIdentity: verifyAs(name) } };
      expect((await request(outputs, "/v2/", options)).status).toBe(200);
    });

    it("not as something else", async () => {
      const options = { tls: { servername: "localhost", checkServerIdentity: verifyAs("example.org") } };
      await expect(request(outputs, "/v2/", options)).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    });

    it("not to a client that does not have the CA", async () => {
      await expect(request({ ...outputs, caCertificate: "" }, "/v2/")).rejects.toMatchObject({
        code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      });
    });

    const verifyAs =
      (name: string) =>
      (_: string, certificate: nodeTls.PeerCertificate): Error | undefined =>
        nodeTls.checkServerIdentity(name, certificate);
  });

  it("gives no content to plain HTTP", async () => {
    const plain = { ...outputs, endpoint: outputs.endpoint.replace("https:", "http:") };
    for (const path of ["/", "/v2/", "/v2/_catalog"]) {
      const answer = await request(plain, path);
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        errors: [{ code: "UNSUPPORTED", message: expect.stringContaining("HTTPS only") as string }],
      });
    }
  });
});
