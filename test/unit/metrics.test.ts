import * as pulumi from "@pulumi/pulumi";
import * as yaml from "js-yaml";
import { SingleNodeRegistry, SingleNodeRegistryArgs } from "../../components";
import { MockedDeployment } from "../support/mockedDeployment";
import { valueOf } from "../support/mocks";

jest.mock("../../components/docker/bundledImage", () => ({
  ...jest.requireActual<object>("../../components/docker/bundledImage"),
  buildBundledImage: () => Promise.resolve({ file: "/image.tar", ids: ["sha256:1d"], name: "container-registry:1", tag: "1" }),
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

const warn = jest.spyOn(pulumi.log, "warn").mockImplementation(() => Promise.resolve());
beforeEach(() => warn.mockClear());

async function deploy(args: SingleNodeRegistryArgs): ReturnType<typeof MockedDeployment.run<SingleNodeRegistry>> {
  return MockedDeployment.run(() => new SingleNodeRegistry("registry", args));
}

/** The section http.debug of a server's configuration file. */
function debugSection(deployment: MockedDeployment, writer: string): unknown {
  const { uploads } = deployment.find("docker.Container", writer).inputs as { uploads: { content: { secret: string } }[] };
  const text = uploads.map(({ content }) => content.secret).find((each) => each.startsWith("version:")) ?? "";
  return (yaml.load(text) as { http: { debug?: unknown } }).http.debug;
}

describe("metrics", () => {
  it("are told nowhere unless that is asked for", async () => {
    const { made, deployment } = await deploy({ mirror: {} });
    expect(debugSection(deployment, "registry-files-writer")).toBeUndefined();
    expect(debugSection(deployment, "registry-mirror-files-writer")).toBeUndefined();
    expect((await valueOf(made.metricsEndpoint)).value).toBe("");
    expect((await valueOf(made.scrapeConfig)).value).toBe("");
  });

  it("are told on loopback, on a port that has nothing to do with the registry's", async () => {
    const { made, deployment } = await deploy({ hostname: "registry.example.com", bindAddress: "0.0.0.0", metrics: {} });
    expect(deployment.find("docker.Container", "registry").inputs.ports).toEqual([
      { internal: 5000, external: 5000, ip: "0.0.0.0" },
      { internal: 5002, external: 5002, ip: "127.0.0.1" },
    ]);
    expect(debugSection(deployment, "registry-files-writer")).toEqual({
      addr: ":5002",
      prometheus: { enabled: true, path: "/metrics" },
    });
    expect((await valueOf(made.metricsEndpoint)).value).toBe("http://127.0.0.1:5002/metrics");
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([
    ["127.0.0.1", "::", "[::1]:5002"],
    ["::1", "0.0.0.0", "localhost:5002"],
  ])("are told at an address that is served, of a registry at %s with metrics at %s", async (bindAddress, metricsAddress, at) => {
    const { made } = await deploy({ bindAddress, metrics: { bindAddress: metricsAddress } });
    expect((await valueOf(made.metricsEndpoint)).value).toBe(`http://${at}/metrics`);
  });

  it("are told at the registry's own name where that is one of such addresses", async () => {
    const { made } = await deploy({ hostname: "127.0.0.1", metrics: { bindAddress: "0.0.0.0" } });
    expect((await valueOf(made.metricsEndpoint)).value).toBe("http://127.0.0.1:5002/metrics");
  });

  it("are told of the mirror, too, by a job of its own", async () => {
    const { made, deployment } = await deploy({
      hostname: "registry.example.com",
      metrics: { port: 9500, bindAddress: "::1" },
      mirror: { metrics: { bindAddress: "0.0.0.0" } },
    });
    expect(deployment.find("docker.Container", "registry-mirror").inputs.ports).toContainEqual({
      internal: 5002,
      external: 5003,
      ip: "0.0.0.0",
    });
    expect(debugSection(deployment, "registry-mirror-files-writer")).toBeDefined();
    expect((await valueOf(made.metricsEndpoint)).value).toBe("http://[::1]:9500/metrics");
    expect(`\n${(await valueOf(made.scrapeConfig)).value}`).toMatchInlineSnapshot(`
      "
      scrape_configs:
        - job_name: registry
          static_configs:
            - targets:
                - '[::1]:9500'
              labels:
                app: container-registry
        - job_name: registry-mirror
          static_configs:
            - targets:
                - registry.example.com:5003
              labels:
                app: container-registry
      "
    `);
    expect(warn.mock.calls.map(([message]) => message)).toContain(
      "Everybody who reaches 0.0.0.0:5003 sees the names and sizes of repositories without a login. Let a firewall keep out all but Prometheus.",
    );
  });
});
