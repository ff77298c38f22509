import { CleanUp } from "../support/cleanUp";
import { DockerClient, request } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { buildStockImage } from "../support/stockEngine";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** The official engine in place of the bundled server, itself pulled from a registry of this package. */
describe("a registry that runs the stock image, pinned by digest", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let reference: string;

  beforeAll(async () => {
    const first = cleanUp.add(await TestStack.create());
    const firstOutputs = await first.up();
    await docker.login(firstOutputs);
    const image = `${firstOutputs.repositoryPrefix}/stock`;
    await buildStockImage(docker, image);
    const pushed = await docker.run("push", image);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1];
    await docker.run("image", "rm", image);

    reference = `${image}@${digest}`;
    cleanUp.add({
      dispose: async () => {
        await docker.attempt("image", "rm", reference);
      },
    });
    // The provider that pulls does not know the logins of the docker command.
    const { repositoryPrefix, username, password } = firstOutputs;
    const login = { "docker:registryAuth[0].address": repositoryPrefix, "docker:registryAuth[0].username": username };
    stack = cleanUp.add(await TestStack.create({ image: reference, ...login }, { "docker:registryAuth[0].password": password }));
    outputs = await stack.up();
  });

  it("really runs that image", async () => {
    const id = await docker.run("image", "inspect", "--format", "{{.Id}}", reference);
    expect(await docker.run("inspect", "--format", "{{.Image}}", outputs.containerName)).toBe(id);
    expect(outputs.version).toBe(reference);
    expect(await docker.run("exec", outputs.containerName, "/bin/registry", "--version")).toContain(
      "github.com/distribution/distribution/v3",
    );
  });

  it("asks for a login", async () => {
    expect((await request(outputs, "/v2/", { login: null })).status).toBe(401);
    expect((await request(outputs, "/v2/", { login: { username: "admin", password: "another" } })).status).toBe(401);
    expect((await request(outputs, "/v2/")).status).toBe(200);
  });

  it("takes images and gives them back", async () => {
    await docker.login(outputs);
    const image = `${outputs.repositoryPrefix}/hello-world`;
    await docker.tag(await docker.buildImage(`${stack.name}/hello-world`, [1000]), image);
    await docker.run("push", image);
    await docker.run("image", "rm", image, `${stack.name}/hello-world`);
    await docker.run("pull", image);

    const made = randomImage();
    await pushImage(outputs, "made", "latest", made);
    await checkImage(outputs, "made", "latest", made);
  });

  it("changes nothing in a second up", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("leaves nothing of its own behind, and the user's image", async () => {
    await stack.destroy();
    expect(await stack.leftOnEngine()).toEqual([]);
    expect((await docker.attempt("image", "inspect", reference)).code).toBe(0);
  });
});
