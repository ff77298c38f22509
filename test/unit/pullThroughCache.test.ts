import * as pulumi from "@pulumi/pulumi";
import { PullThroughCache, PullThroughCacheArgs } from "../../components";
import { MockedDeployment } from "../support/mockedDeployment";
import { valueOf } from "../support/mocks";
import { makeCertificate } from "../support/pki";

// What is asked of the engine beside the provider; engine.test.ts has the tests.
jest.mock("../../components/docker/bundledImage", () => ({
  ...jest.requireActual<object>("../../components/docker/bundledImage"),
  buildBundledImage: () => Promise.resolve({ file: "/image.tar", name: "container-registry:1", tag: "1" }),
  loadImage: () => Promise.resolve(),
}));
jest.mock("../../components/docker/addressTrial", () => ({
  checkAddresses: jest.fn(() => Promise.resolve()),
  checkPublished: jest.fn(() => Promise.resolve()),
}));
jest.mock("../../components/docker/certificateTrial", () => ({ checkCertificate: jest.fn(() => Promise.resolve()) }));
jest.mock("../../components/docker/health", () => ({ untilHealthy: () => Promise.resolve() }));
jest.mock("../../components/docker/processLimit", () => ({ limitProcesses: () => Promise.resolve() }));
jest.mock("../../components/docker/volumeOwner", () => ({
  ...jest.requireActual<object>("../../components/docker/volumeOwner"),
  checkOwner: jest.fn(() => Promise.resolve(true)),
  checkPresence: jest.fn(() => Promise.resolve()),
}));

const { certificate, privateKey } = makeCertificate({ subject: "mirror.example.com" });
const serverPem = certificate + privateKey;

const warn = jest.spyOn(pulumi.log, "warn").mockImplementation(() => Promise.resolve());
beforeEach(() => warn.mockClear());

function deploy(args: PullThroughCacheArgs): ReturnType<typeof MockedDeployment.run<PullThroughCache>> {
  return MockedDeployment.run(() => new PullThroughCache("cache", args));
}

async function warnings(args: PullThroughCacheArgs): Promise<string[]> {
  await deploy(args);
  return warn.mock.calls.map(([message]) => message);
}

async function errorOf(args: PullThroughCacheArgs): Promise<string> {
  return deploy(args).then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
}

describe("a pull-through cache by itself", () => {
  it("is one of Docker Hub by default, and its cache is protected", async () => {
    const { made, deployment } = await deploy({});
    expect((await valueOf(made.endpoint)).value).toBe("http://localhost:5001");
    expect(deployment.text()).toContain("remoteurl: https://registry-1.docker.io");
    expect(deployment.text()).not.toContain("ui:");
    expect(deployment.find("docker.Volume", "cache-data").options).toMatchObject({ protect: true });
  });

  it("is only one of its own upstream, with a certificate that is handed to it as a secret", async () => {
    const { made, deployment } = await deploy({
      hostname: "mirror.example.com",
      bindAddress: "192.0.2.1",
      serverPem: pulumi.output(serverPem),
      mirror: { upstream: "https://quay.io/", port: 443, ttl: "1h30m", maxSize: "20GB", ui: true },
      lab: true,
    });
    expect((await valueOf(made.endpoint)).value).toBe("https://mirror.example.com:443");
    expect(deployment.text()).toMatch(/secret file \S*server.pem 0644:\n\s+-----BEGIN CERTIFICATE-----\n/);
    expect(deployment.text()).toMatch(/remoteurl: https:\/\/quay\.io\n\s+ttl: 1h30m/);
    expect(deployment.text()).toMatch(/server:\n\s+ui:\n\s+enabled: true\n\s+mirror:\n\s+maxbytes: 20000000000\n/);
    expect(deployment.find("docker.Volume", "cache-data").options).not.toHaveProperty("protect");
  });

  it("says nothing on loopback, where nobody else can reach it", async () => {
    expect(await warnings({})).toEqual([]);
  });

  it("warns where others can reach it, and of what they get by its login", async () => {
    const far = { bindAddress: "0.0.0.0", serverPem };
    expect(await warnings(far)).toEqual([
      expect.stringMatching(
        /^Everybody who reaches 0\.0\.0\.0:5001 can pull .* without a login\. .* firewall decide who may, and mirror.maxSize how much/,
      ),
    ]);
    warn.mockClear();
    expect(await warnings({ ...far, mirror: { username: "u", password: "p", maxSize: "500MB" } })).toEqual([
      expect.stringMatching(/also what https:\/\/registry-1.docker.io gives to u alone.* firewall decide who may\.$/),
    ]);
  });

  it("is refused with a text that is no certificate with its key", async () => {
    expect(await errorOf({ serverPem: "garbage" })).toContain("  - serverPem: is no certificate with its private key");
  });

  it("is refused in clear beyond loopback, and lists all that is wrong", async () => {
    expect(
      await errorOf({ bindAddress: "0.0.0.0", mirror: { ttl: "7d", maxSize: "20", port: 0 }, resources: { memory: 1 } }),
    ).toBe(
      [
        "The configuration has 5 problems:",
        "  - serverPem: a mirror without a certificate is accepted on loopback addresses only, and 0.0.0.0:0 is not one; give one, use 127.0.0.1 and localhost, or set allowInsecure to true if you accept the risk",
        "  - mirror.port: 0 is not allowed; give a whole number from 1 to 65535",
        '  - mirror.ttl: "7d" is not allowed; give a time with its unit, h, m or s, such as 168h',
        '  - mirror.maxSize: "20" is not allowed; give a whole number with its unit, MB, GB or TB, such as 20GB',
        "  - resources.memory: 1 is not allowed; give a whole number from 64 to 1048576",
      ].join("\n"),
    );
    expect(await errorOf({ bindAddress: "0.0.0.0", allowInsecure: true })).toBe("");
  });
});
