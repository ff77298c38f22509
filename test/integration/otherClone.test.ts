import { CleanUp } from "../support/cleanUp";
import { request } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { freePort } from "../support/ports";
import { run } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Stacks of one name with states of their own, as two clones on one machine have. */
describe("a stack whose name another clone has on this engine", () => {
  const cleanUp = new CleanUp();
  const image = randomImage();
  let first: TestStack;
  let second: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    first = cleanUp.add(await TestStack.create());
    outputs = await first.up();
    await pushImage(outputs, "app", "latest", image);
    second = cleanUp.add(await first.ofAnotherClone({ port: await freePort(), lab: true, "logs.audit": "all" }));
  });

  const part = (name: string): string => `${first.resourceName}-${name}`;

  it("is refused, also where nothing but the volumes is left of the other one", async () => {
    const refusal = /The volume \S+-(data|files) on this Docker engine is of another registry by that name/;
    await expect(second.preview()).rejects.toThrow(refusal);
    await expect(second.up()).rejects.toThrow(refusal);
    await run("docker", ["rm", part("files-writer")], first.inFolder());
    await expect(second.up()).rejects.toThrow(refusal);
    const { username, password } = outputs;
    expect((await request(outputs, "/v2/", { login: { username, password } })).status).toBe(200);
    await run("docker", ["rm", "--force", first.resourceName], first.inFolder());
    await expect(second.up()).rejects.toThrow(refusal);
  });

  it("leaves the other one's volumes where they are when it is taken down", async () => {
    await second.destroy();
    expect(await first.engineObjects("volume")).toEqual([part("data"), part("files")]);
    await first.pulumi("up", "--refresh", "--yes", "--skip-preview", "--suppress-progress");
    expect(await first.outputs()).toEqual(outputs);
    await checkImage(outputs, "app", "latest", image);
    expect(Object.keys(await first.plannedChanges())).toEqual(["same"]);
  });

  it("finds its own volume after all but the images was taken down", async () => {
    await first.set({ lab: false });
    await first.up();
    await expect(first.destroy()).rejects.toThrow(/cannot be deleted\s+because it is protected/);
    await first.up();
    await first.pulumi("destroy", "--yes", "--skip-preview", "--exclude-protected");
    await checkImage(await first.up(), "app", "latest", image);
    await first.set({ lab: true });
    await first.up();
  });
});
