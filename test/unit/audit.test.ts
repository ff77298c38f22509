import { Logs, SingleNodeRegistry } from "../../components";
import { MockedDeployment } from "../support/mockedDeployment";

// What is asked of the engine beside the provider.
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

async function deploy(logs: Logs, lab: boolean): Promise<MockedDeployment> {
  const { deployment } = await MockedDeployment.run(() => new SingleNodeRegistry("registry", { logs, lab }));
  return deployment;
}

describe("the audit's volume", () => {
  const mounted = (deployment: MockedDeployment): unknown => deployment.find("docker.Container", "registry").inputs.volumes;
  const mount = { volumeName: "registry-audit", containerPath: "/var/log/container-registry" };

  it("is there for an audit only", async () => {
    expect(mounted(await deploy({ audit: "off", format: "json" }, false))).not.toContainEqual(mount);
    expect(mounted(await deploy({ audit: "writes" }, false))).toContainEqual(mount);
  });

  it("outlives the registry unless it is a lab's", async () => {
    expect((await deploy({ audit: "all" }, false)).find("docker.Volume", "registry-audit").options).toMatchObject({
      retainOnDelete: true,
    });
    expect((await deploy({ audit: "all" }, true)).find("docker.Volume", "registry-audit").options).not.toHaveProperty(
      "retainOnDelete",
    );
  });
});
