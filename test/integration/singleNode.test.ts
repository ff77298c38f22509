import { DockerClient, request } from "../support/clients";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** The course's walk on one host, by its own commands. */
describe("a registry on one host", () => {
  const docker = new DockerClient();
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    stack = await TestStack.create();
    outputs = await stack.up();
  });

  afterAll(async () => {
    await docker.dispose();
    await stack?.dispose();
  });

  it("is healthy before up returns", async () => {
    expect(await docker.run("inspect", "--format", "{{.State.Health.Status}}", outputs.containerName)).toBe("healthy");
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

  it("changes nothing in a second up", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("keeps its images when the container is killed and made again", async () => {
    await docker.run("kill", outputs.containerName);
    await docker.run("rm", outputs.containerName);
    await stack.stack.refresh({ suppressProgress: true });
    outputs = await stack.up();
    const tags = await request(outputs, "/v2/hello-world/tags/list");
    expect(JSON.parse(tags.body.toString())).toEqual({ name: "hello-world", tags: ["latest"] });
  });

  it("leaves nothing behind", async () => {
    await stack.destroy();
    expect(await stack.leftOnEngine()).toEqual([]);
  });
});
