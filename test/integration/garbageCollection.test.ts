import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { digestOf, DockerClient, request } from "../support/clients";
import { checkImage, manifestType, pushImage, randomImage, RandomImage } from "../support/images";
import { eventually } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Collections on a deployed stack: by the documented command, then on a schedule. */
describe("garbage collection", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    stack = cleanUp.add(
      await TestStack.create({
        // A schedule that comes in between would delete what a test is about to look at.
        "garbageCollection.schedule": "0 0 1 1 *",
        "garbageCollection.timeZone": "Europe/Berlin",
        "garbageCollection.deleteUntagged": true,
        "garbageCollection.retention[0].repositories[0]": "team/retained",
        "garbageCollection.retention[0].keepNewest": 1,
        "garbageCollection.alwaysKeepTags[0]": "v*",
        "garbageCollection.retentionDryRun": false,
      }),
    );
    outputs = await stack.up();
    await docker.login(outputs);
  });

  const collect = (...options: string[]): Promise<string> =>
    docker.run("exec", outputs.containerName, "/registry", "garbage-collect", ...options);

  async function pushAndDelete(repository: string): Promise<RandomImage> {
    const image = randomImage();
    await pushImage(outputs, repository, "gone", image);
    const deleted = await request(outputs, `/v2/${repository}/manifests/${image.digest}`, { method: "DELETE" });
    expect(deleted.status).toBe(202);
    return image;
  }

  async function statusOf(repository: string, image: RandomImage): Promise<number> {
    return (await request(outputs, `/v2/${repository}/blobs/${digestOf(image.blobs[1] ?? Buffer.of())}`)).status;
  }

  it("says in a dry run what would go, and deletes nothing", async () => {
    const image = await pushAndDelete("dry");
    const report = await collect("--dry-run");
    expect(report).toContain(`would be deleted: blob ${image.digest}\n`);
    expect(report).toMatch(/^repositories: \d+, would be deleted 1$/m);
    expect(report).toMatch(/^bytes: would be deleted \d{4,}$/m);
    expect(await statusOf("dry", image)).toBe(200);
  });

  it("goes on while docker pushes, pulls and deletes", async () => {
    const names: string[] = [];
    for (const number of [1, 2, 3, 4]) {
      const name = `${outputs.repositoryPrefix}/busy:${number}`;
      await docker.tag(await docker.buildImage(`${stack.name}/busy-${number}`, [3 << 20, 1000]), name);
      names.push(name);
    }
    let ended = false;
    const traffic = (async () => {
      for (const name of names) {
        await docker.run("push", name);
        await docker.run("pull", name);
        await pushAndDelete("busy");
      }
    })().finally(() => (ended = true));
    let collections = 0;
    do {
      await collect();
      collections++;
    } while (!ended);
    await traffic;
    expect(collections).toBeGreaterThan(1);
    for (const name of names) {
      const id = await docker.run("image", "inspect", "--format", "{{.Id}}", name);
      await docker.run("image", "rm", "--force", id);
      await docker.run("pull", name);
      expect(await docker.run("image", "inspect", "--format", "{{.Id}}", name)).toBe(id);
    }
  });

  it("is finished by the next one when the server is killed in the middle", async () => {
    const inspect = (template: string): Promise<string> => docker.run("inspect", "--format", template, outputs.containerName);
    const image = randomImage();
    await pushImage(outputs, "team/killed", "1", image);
    const gone = await pushAndDelete("team/killed");
    const data = await inspect('{{range .Mounts}}{{if eq .Destination "/var/lib/registry"}}{{.Source}}{{end}}{{end}}');
    // A collection may be over before it is noticed: then the next one is killed.
    let killed = false;
    for (let attempt = 1; attempt <= 50 && !killed; attempt++) {
      const [started, pid] = [await inspect("{{.State.StartedAt}}"), Number(await inspect("{{.State.Pid}}"))];
      let ended = false;
      const order = docker.attempt("exec", outputs.containerName, "/registry", "garbage-collect").finally(() => (ended = true));
      while (!ended && holders(data).length === 0) {
        await new Promise(setImmediate);
      }
      if (holders(data).length > 0) {
        process.kill(pid, "SIGKILL");
        await eventually("the new start by the engine", async () => (await inspect("{{.State.StartedAt}}")) !== started);
      }
      killed = (await order).code !== 0;
    }
    expect(killed).toBe(true);
    await eventually("a push", () =>
      pushImage(outputs, "team/killed", "2", image).then(
        () => true,
        () => false,
      ),
    );
    await collect();
    expect(await statusOf("team/killed", gone)).toBe(404);
    expect(holders(data)).toEqual([]);
    await checkImage(outputs, "team/killed", "1", image);
    await checkImage(outputs, "team/killed", "2", image);
  });

  it("comes on schedule, after the retention rules, and logs what they delete", async () => {
    const [old, kept] = [randomImage(), randomImage()];
    for (const [tag, image] of [
      ["v1", randomImage()],
      ["1", old],
      ["2", kept],
    ] as const) {
      await pushImage(outputs, "team/retained", tag, image);
    }
    await stack.set({ "garbageCollection.schedule": "* * * * *" });
    await stack.up();
    const manifest = async (tag: string): Promise<number> =>
      (await request(outputs, `/v2/team/retained/manifests/${tag}`, { headers: { Accept: manifestType } })).status;
    await eventually("a collection on schedule", async () => (await manifest("1")) === 404, 90);
    await eventually("its end", async () => (await statusOf("team/retained", old)) === 404);
    await checkImage(outputs, "team/retained", "2", kept);
    expect(await manifest("v1")).toBe(200);
    const { stdout, stderr } = await docker.attempt("logs", outputs.containerName);
    expect(`${stdout}${stderr}`).toMatch(
      /retention deleted a tag.*repository=team\/retained.*rule="rule 1 \(keep newest 1\)" tag=1/,
    );
  });

  it("changes nothing in a second up", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });
});

/** The objects of collections under way. */
function holders(data: string): string[] {
  const folder = path.join(data, "container-registry-collection");
  return fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.startsWith("holder-")) : [];
}
