import * as fs from "fs";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, request } from "../support/clients";
import { FakeCommands } from "../support/fakeCommands";
import { Load } from "../support/load";
import { run } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** The course's walk on one host, by its own commands. */
describe("a registry on one host", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  /** The real one, and what the deployment asked of it. */
  const command = cleanUp.add(new FakeCommands());
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    command.make("docker", `exec ${await run("which", ["docker"])} "$@"`);
    stack = cleanUp.add(await TestStack.create({}, {}, command.env));
    outputs = await stack.upByPlan();
  });

  it("is healthy before up returns", async () => {
    expect(await docker.run("inspect", "--format", "{{.State.Health.Status}}", outputs.containerName)).toBe("healthy");
  });

  /** How many processes the kernel lets the container have: by cgroup v1, or v2. */
  async function processLimit(): Promise<string> {
    const id = await docker.run("inspect", "--format", "{{.State.Pid}}", outputs.containerName);
    const groups = fs.readFileSync(`/proc/${id}/cgroup`, "utf8").split("\n");
    const folder = ["pids", ""].flatMap((controller) =>
      groups.flatMap((line) => {
        const [, controllers, path = ""] = line.split(":");
        return controllers === controller ? [`/sys/fs/cgroup/${controller}/${path}`] : [];
      }),
    );
    return fs.readFileSync(`${folder[0]}/pids.max`, "utf8").trim();
  }

  it("has a limit of processes of its own, which a change of it needs no new container for", async () => {
    expect(await processLimit()).toBe("512");
    const container = await docker.run("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", outputs.containerName);
    await stack.set({ "resources.processes": 100 });
    outputs = await stack.up();
    expect(await processLimit()).toBe("100");
    expect(await docker.run("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", outputs.containerName)).toBe(container);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("takes a re-tagged image, and gives it back after the local copies are gone", async () => {
    expect((await docker.login(outputs)).code).toBe(0);
    const local = await docker.buildImage(`${stack.name}/hello-world`, [1000, 2000]);
    const remote = `${outputs.repositoryPrefix}/hello-world`;
    await docker.tag(local, remote);
    const id = await docker.run("image", "inspect", "--format", "{{.Id}}", remote);
    await docker.run("push", remote);

    await docker.run("image", "rm", local, remote);
    expect((await docker.attempt("image", "inspect", remote)).code).not.toBe(0);
    await docker.run("pull", remote);
    expect(await docker.run("image", "inspect", "--format", "{{.Id}}", remote)).toBe(id);

    const catalog = await request(outputs, "/v2/_catalog");
    expect(JSON.parse(catalog.body.toString())).toEqual({ repositories: ["hello-world"] });
  });

  it("changes nothing in a second up, and does not load the server's image again", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
    command.calls();
    await stack.up();
    const onImages = command.calls().flatMap((call) => / image (\w+)/.exec(call)?.[1] ?? []);
    expect([...new Set(onImages)]).toEqual(["tag"]);
  });

  it("keeps its images when the container is killed and made again", async () => {
    await docker.run("kill", outputs.containerName);
    await docker.run("rm", outputs.containerName);
    await stack.stack.refresh({ suppressProgress: true });
    outputs = await stack.up();
    const tags = await request(outputs, "/v2/hello-world/tags/list");
    expect(JSON.parse(tags.body.toString())).toEqual({ name: "hello-world", tags: ["latest"] });
    expect(await processLimit()).toBe("100");
  });

  it("is upgraded to another build of the server: it is away for a moment, and loses nothing", async () => {
    const load = new Load(outputs, outputs);
    load.start();
    stack.takeVersion("9.9.9");
    outputs = await stack.up();
    const { images, failures } = await load.stop();
    console.log(`${images} images pushed and pulled during the upgrade, ${failures.length} requests failed`);
    expect(failures.filter((failure) => !/ECONNREFUSED|ECONNRESET|socket (hang up|disconnected)/.test(failure))).toEqual([]);
    expect(images).toBeGreaterThan(0);
    expect(await docker.run("exec", outputs.containerName, "/registry", "version")).toContain("container-registry 9.9.9\n");
    const tags = await request(outputs, "/v2/hello-world/tags/list");
    expect(JSON.parse(tags.body.toString())).toEqual({ name: "hello-world", tags: ["latest"] });
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("leaves nothing behind", async () => {
    await stack.destroy();
    expect(await stack.leftOnEngine()).toEqual([]);
  });
});
