import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, Workspace } from "../support/clients";
import { filesUnder, ownersUnder, serverUser } from "../support/folders";
import { checkImage, pushImage, randomImage } from "../support/images";
import { freePort } from "../support/ports";
import { eventually } from "../support/run";
import { buildStockImage } from "../support/stockEngine";
import { RegistryOutputs, Settings, TestStack } from "../support/testStack";

interface Volume {
  Driver: string;
  Options: Record<string, string> | null;
  Mountpoint: string;
}

/** Volumes that the user chooses, made by the package or by somebody else before it. */
describe("a registry that keeps its images in a chosen volume", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  const workspace = cleanUp.add(new Workspace());
  let stack: TestStack;

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.create());
  });

  /** Another choice for the one stack, which also shows that choices can change. */
  async function upWith(filesystem: Settings): Promise<RegistryOutputs> {
    await stack.unset("storage");
    await stack.set(Object.fromEntries(Object.entries(filesystem).map(([key, value]) => [`storage.filesystem.${key}`, value])));
    return stack.up();
  }

  async function inspect(volume: string): Promise<Volume> {
    return JSON.parse(await docker.run("volume", "inspect", "--format", "{{json .}}", volume)) as Volume;
  }

  async function roundTrip(outputs: RegistryOutputs): Promise<void> {
    const image = randomImage();
    await pushImage(outputs, "round-trip", "latest", image);
    await checkImage(outputs, "round-trip", "latest", image);
  }

  it("hands the driver its options: memory", async () => {
    const volume = `${stack.resourceName}-memory`;
    // Such a volume is made anew whenever a container starts, so its owner has to be in its options.
    const memoryOptions = "size=64m,mode=0700,uid=65532,gid=65532";
    const outputs = await upWith({
      volume,
      volumeDriver: "local",
      "volumeOptions.type": "tmpfs",
      "volumeOptions.device": "tmpfs",
      "volumeOptions.o": memoryOptions,
    });
    const { Driver, Options } = await inspect(volume);
    expect([Driver, Options]).toEqual(["local", { type: "tmpfs", device: "tmpfs", o: memoryOptions }]);
    await roundTrip(outputs);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("hands the driver its options: a folder as device, with no name for the volume", async () => {
    const folder = path.join(workspace.folder, "device");
    fs.mkdirSync(folder);
    const outputs = await upWith({
      volumeDriver: "local",
      "volumeOptions.type": "none",
      "volumeOptions.device": folder,
      "volumeOptions.o": "bind",
    });
    await roundTrip(outputs);
    expect(filesUnder(folder)).not.toEqual([]);
    expect(ownersUnder(folder)).toEqual([serverUser]);
  });

  it("takes over a volume that a registry has filled which ran as root", async () => {
    const volume = `${stack.resourceName}-from-root`;
    const stock = await buildStockImage(docker, `${stack.resourceName}-stock`);
    const container = `${stack.resourceName}-stock`;
    const port = await freePort();
    const image = randomImage();
    await docker.run(
      "run",
      "--detach",
      "--name",
      container,
      "--publish",
      `127.0.0.1:${port}:5000`,
      "--volume",
      `${volume}:/var/lib/registry`,
      stock,
    );
    const open = { ...(await stack.outputs()), endpoint: `http://127.0.0.1:${port}` };
    await eventually("the stock registry's answer", () =>
      pushImage(open, "from-root", "1", image).then(
        () => true,
        () => false,
      ),
    );
    await docker.run("rm", "--force", container);
    const { Mountpoint } = await inspect(volume);
    expect(ownersUnder(path.join(Mountpoint, "docker"))).toEqual(["0:0"]);

    const outputs = await upWith({ volume });
    await checkImage(outputs, "from-root", "1", image);
    const next = randomImage();
    await pushImage(outputs, "from-root", "2", next);
    await checkImage(outputs, "from-root", "2", next);
    expect(ownersUnder(Mountpoint)).toEqual([serverUser]);
  });
});
