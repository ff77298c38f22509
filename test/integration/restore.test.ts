import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, request, Workspace } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { eventually, run } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** What docs/backup.md says, as a user does it. */
describe("a registry of one host that is brought back", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  const { folder } = cleanUp.add(new Workspace());
  const [state, images] = ["state.json", "images.tar"].map((name) => path.join(folder, name)) as [string, string];
  const image = randomImage();
  let stack: TestStack;
  let before: RegistryOutputs;

  const shell = (command: string): Promise<string> => run("sh", ["-ec", command], stack.inFolder());

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.create({ lab: false, "users[0].name": "admin" }));
    before = await stack.up();
    await pushImage(before, "team/app", "latest", image);
    await stack.pulumi("stack", "export", "--file", state);
    await shell(`docker cp ${before.containerName}:/var/lib/registry/. - > ${images}`);
  });

  it("has its images, certificate and passwords on an engine that has nothing of it", async () => {
    const name = before.containerName;
    await shell(`docker rm --force $(docker ps --all --quiet --filter name=${name})`);
    await shell(`docker volume rm $(docker volume ls --quiet --filter name=${name})`);
    await shell(`docker volume create ${name}-data`);
    const after = await stack.up("--refresh");
    expect(after).toEqual(before);
    await shell(`docker stop ${name}`);
    await shell(`docker cp - ${name}:/var/lib/registry < ${images}`);
    await shell(`docker start ${name}`);
    await eventually("an answer", () => request(after, "/v2/").catch(() => undefined));
    await checkImage(after, "team/app", "latest", image);
    await pushImage(after, "team/app", "2.0", randomImage());
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("goes on with a state of before a rotation", async () => {
    await stack.set({ "users[0].generation": 2, "tls.generation": 2 });
    const rotated = await stack.up();
    expect(rotated.password).not.toBe(before.password);
    await stack.pulumi("stack", "import", "--file", state);
    await expect(stack.up()).rejects.toThrow(/container name "\/[^"]*-files-writer" is already in use/);
    await docker.run("rm", "--force", before.containerName, `${before.containerName}-files-writer`);
    const after = await stack.up("--refresh");
    await checkImage(after, "team/app", "latest", image);
    expect(after.password).not.toBe(rotated.password);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });
});
