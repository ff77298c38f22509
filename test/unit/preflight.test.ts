import { setTimeout as sleep } from "timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { dockerCommand } from "../../components/docker/engine";
import { checkStore } from "../../components/docker/storeCheck";

jest.mock("timers/promises", () => ({ setTimeout: jest.fn(() => Promise.resolve()) }));
jest.mock("../../components/docker/engine", () => ({
  ...jest.requireActual<object>("../../components/docker/engine"),
  dockerCommand: jest.fn(),
  inspectContainer: () => Promise.resolve(undefined),
}));

const docker = jest.mocked(dockerCommand);
const info = jest.spyOn(pulumi.log, "info").mockResolvedValue();

/** What the tries end with. */
function engine(...tries: (object | "fine")[]): void {
  docker.mockReset();
  for (const each of tries) {
    if (each === "fine") {
      docker.mockResolvedValueOnce("");
    } else {
      docker.mockRejectedValueOnce(each);
    }
  }
}

const refused = { code: 1, stderr: "the store refuses the credentials" };
const check = (patience?: number) =>
  checkStore({
    engine: {},
    imageId: "sha256:1",
    containerName: "registry",
    filesVolume: "files",
    filesFolder: "/etc/container-registry",
    configurationPath: "/etc/container-registry/config-1.yml",
    environment: [],
    hosts: [],
    patience,
  });

beforeEach(() => {
  jest.mocked(sleep).mockClear();
  info.mockClear();
});

it("tries a store once that others have made", async () => {
  engine(refused, "fine");
  await expect(check()).rejects.toThrow("storage: the registry was not made with this store: the store refuses the credentials");
  expect(docker).toHaveBeenCalledTimes(1);
});

it("waits for a new store and says so once", async () => {
  engine(refused, refused, "fine");
  await check(600);
  expect(jest.mocked(sleep).mock.calls).toEqual([[5000], [5000]]);
  expect(info.mock.calls).toEqual([
    ["The new store is not ready; trying for 600 seconds at most: the store refuses the credentials"],
  ]);
});

it("does not wait for ever", async () => {
  engine(...Array.from({ length: 10 }, () => refused));
  await expect(check(20)).rejects.toThrow("the store refuses the credentials");
  expect(jest.mocked(sleep)).toHaveBeenCalledTimes(4);
});

it("does not wait for an engine that can't start the check", async () => {
  engine({ code: 125, stderr: "docker: no such image" }, "fine");
  await expect(check(600)).rejects.toThrow("docker: no such image");
  expect(jest.mocked(sleep)).not.toHaveBeenCalled();
});
