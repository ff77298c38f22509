import { CleanUp } from "../support/cleanUp";
import { DockerClient } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { run } from "../support/run";
import { Environment, Settings, TestStack } from "../support/testStack";

/** The engine is on another machine than Pulumi: all that the package does must go through its address. */
describe("a registry on a remote engine", () => {
  const cleanUp = new CleanUp();

  it.each<[string, { tls: boolean }, (engine: PrivateEngine) => { settings?: Settings; environment?: Environment }]>([
    ["DOCKER_HOST", { tls: false }, ({ env }) => ({ environment: env })],
    ["docker:host in the stack's configuration", { tls: false }, ({ host }) => ({ settings: { "docker:host": host } })],
    [
      "DOCKER_HOST, with the certificates in the docker command's folder",
      { tls: true },
      ({ host, certPath = "" }) => ({
        environment: { DOCKER_HOST: host, DOCKER_TLS_VERIFY: "1", DOCKER_CONFIG: certPath },
      }),
    ],
  ])("is there, and only there, by %s", async (_, { tls }, by) => {
    const engine = cleanUp.add(await PrivateEngine.start([], { tls }));
    const { settings, environment } = by(engine);
    const address = { hostname: engine.address, bindAddress: engine.address };
    const stack = cleanUp.add(await TestStack.create({ ...address, ...settings }, {}, environment));
    const outputs = await stack.up();
    const docker = cleanUp.add(new DockerClient(engine.env));
    const there = async (): Promise<string[]> =>
      (await docker.run("ps", "--all", "--format", "{{.Names}}")).split("\n").filter((name) => name.includes(stack.name));
    expect(await there()).toContain(outputs.containerName);
    // Not on the engine that is used when nothing is said.
    expect(
      await run("docker", ["ps", "--all", "--quiet", "--filter", `name=${stack.name}`], { env: { DOCKER_HOST: undefined } }),
    ).toBe("");
    expect(await run("docker", ["image", "ls", "--quiet", `*${stack.name}*`], { env: { DOCKER_HOST: undefined } })).toBe("");

    expect((await engine.on("sh", ["-c", outputs.trustCommand])).code).toBe(0);
    await docker.login(outputs);
    const image = `${outputs.repositoryPrefix}/hello-world`;
    await docker.tag(await docker.buildImage("hello-world", [1000]), image);
    await docker.run("push", image);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);

    // It is taken down where it is, whatever engine the environment names.
    const unset = Object.fromEntries(Object.keys(environment ?? {}).map((name) => [name, undefined]));
    await run("pulumi", ["destroy", "--yes", "--skip-preview", "--suppress-progress"], {
      cwd: stack.folder,
      env: { ...stack.env, ...unset, DOCKER_CONTEXT: "gone" },
    });
    expect(await there()).toEqual([]);
    expect(await docker.run("volume", "ls", "--quiet", "--filter", `name=${stack.name}`)).toBe("");
  });
});
