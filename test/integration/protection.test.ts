import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, request, Workspace } from "../support/clients";
import { filesUnder } from "../support/folders";
import { checkImage, pushImage, randomImage } from "../support/images";
import { Settings, TestStack } from "../support/testStack";

/** Images are lost by no ordinary command. */
describe("the images of a registry", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  const image = randomImage();

  it("are protected from destroy until lab is turned on", async () => {
    const stack = cleanUp.add(await TestStack.create({ lab: false }));
    let outputs = await stack.up();
    await pushImage(outputs, "kept", "latest", image);
    const before = await stack.leftOnEngine();

    await expect(stack.destroy()).rejects.toThrow(/protect/);
    expect(await stack.leftOnEngine()).toEqual(before);
    await checkImage(outputs, "kept", "latest", image);

    await stack.set({ lab: true });
    // The word alone is not enough: it has to be deployed.
    await expect(stack.destroy()).rejects.toThrow(/protect/);
    outputs = await stack.up();
    await checkImage(outputs, "kept", "latest", image);
    await stack.destroy();
    expect(await stack.leftOnEngine()).toEqual([]);
  });

  it.each([true, false])("outlive every switch of the storage by an ordinary up, with lab: %s", async (lab) => {
    const stack = cleanUp.add(await TestStack.create({ lab }));
    const workspace = cleanUp.add(new Workspace()).folder;
    const folder = path.join(workspace, "images");
    const device = path.join(workspace, "device");
    fs.mkdirSync(device);
    const choices: [name: string, filesystem: Settings][] = [
      ["standard-volume", {}],
      ["folder", { "storage.filesystem.hostPath": folder }],
      ["volume", { "storage.filesystem.volume": `${stack.resourceName}-chosen` }],
      [
        "driver",
        {
          "storage.filesystem.volumeDriver": "local",
          "storage.filesystem.volumeOptions.type": "none",
          "storage.filesystem.volumeOptions.o": "bind",
          "storage.filesystem.volumeOptions.device": device,
        },
      ],
    ];
    const choose = async (filesystem: Settings): ReturnType<TestStack["up"]> => {
      await stack.unset("storage");
      await stack.set(filesystem);
      return stack.up();
    };
    for (const [name, filesystem] of choices) {
      const outputs = await choose(filesystem);
      expect(JSON.parse((await request(outputs, "/v2/_catalog")).body.toString())).toEqual({ repositories: [] });
      await pushImage(outputs, name, "latest", image);
    }
    for (const [name, filesystem] of choices) {
      const outputs = await choose(filesystem);
      expect(JSON.parse((await request(outputs, "/v2/_catalog")).body.toString())).toEqual({ repositories: [name] });
      await checkImage(outputs, name, "latest", image);
    }
    expect(await docker.run("volume", "ls", "--quiet", "--filter", `name=${stack.resourceName}-chosen`)).not.toBe("");
    expect(filesUnder(folder)).not.toEqual([]);
  });
});
