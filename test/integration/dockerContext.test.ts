import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { Workspace } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { run } from "../support/run";
import { SshServer } from "../support/sshServer";
import { Environment, TestStack } from "../support/testStack";

/** `docker context use NAME` chooses the engine for the docker command, and so for Pulumi. */
describe("the current docker context", () => {
  const cleanUp = new CleanUp();
  let engine: PrivateEngine;
  let ssh: SshServer;
  let env: Environment;

  beforeAll(async () => {
    // It would go before every context.
    delete process.env.DOCKER_HOST;
    engine = cleanUp.add(await PrivateEngine.start([], { tls: true }));
    ssh = cleanUp.add(await SshServer.start({ DOCKER_HOST: engine.socket }));
    const { folder } = cleanUp.add(new Workspace());
    env = { ...ssh.env, DOCKER_CONFIG: path.join(folder, "docker") };
    fs.mkdirSync(path.join(folder, "docker"));
    const certificates = ["ca", "cert", "key"].map((each) => `${each}=${engine.certPath}/${each}.pem`).join(",");
    for (const [name, endpoint] of Object.entries({
      socket: `host=${engine.socket}`,
      tls: `host=${engine.host},${certificates}`,
      ssh: `host=${ssh.url}`,
    })) {
      await docker("context", "create", name, "--docker", endpoint);
    }
  });

  const docker = (...words: string[]): Promise<string> => run("docker", words, { env });
  const use = (context: string): Promise<string> => docker("context", "use", context);
  const containers = async (stack: TestStack): Promise<string[]> =>
    (await docker("ps", "--all", "--format", "{{.Names}}")).split("\n").filter((name) => name.includes(stack.name));

  /** A stack with an image that is built and pushed, on the engine that is current. */
  async function newStack(): Promise<TestStack> {
    const stack = cleanUp.add(await TestStack.create({}, {}, env));
    fs.mkdirSync(path.join(stack.folder, "app"));
    fs.writeFileSync(path.join(stack.folder, "app", "Dockerfile"), "FROM scratch\nLABEL name=app\n");
    await stack.stack.setConfig("container-registry:builds", { value: JSON.stringify([{ name: "app", context: "./app" }]) });
    return stack;
  }

  it.each(["socket", "tls", "ssh"])("is where a registry goes, and where its images are built: by %s", async (context) => {
    await use(context);
    const stack = await newStack();
    const { containerName, repositoryPrefix } = await stack.up();
    expect(await containers(stack)).toContain(containerName);
    expect(await docker("image", "ls", "--format", "{{.Repository}}")).toContain(`${repositoryPrefix}/app`);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);

    await use("default");
    expect(await containers(stack)).toEqual([]);
    expect(await docker("image", "ls", "--quiet", `*${stack.name}*`)).toBe("");

    // It is taken down where it is, whatever is current.
    await stack.destroy();
    await use(context);
    expect(await containers(stack)).toEqual([]);
    await docker("image", "rm", "--force", `${repositoryPrefix}/app:latest`);
  });

  it("is not changed for a registry that is on another one", async () => {
    await use("socket");
    const stack = cleanUp.add(await TestStack.create({ lab: false, "users[0].name": "admin" }, {}, env));
    const { containerName } = await stack.up();
    const there = async (): Promise<string> => docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", containerName);
    const before = [await there(), await containers(stack)];

    await use("default");
    const error = `The Docker engine unix:///var/run/docker.sock does not have the volume ${containerName}-`;
    await expect(stack.plannedChanges()).rejects.toThrow(error);
    for (const [key, value] of Object.entries({ "resources.memory": 300, "users[0].generation": 2 })) {
      await stack.set({ [key]: value });
      await expect(stack.up()).rejects.toThrow(error);
      await stack.unset(key);
    }
    expect(await containers(stack)).toEqual([]);
    expect(await docker("volume", "ls", "--quiet", "--filter", `name=${containerName}`)).toBe("");
    expect(await docker("image", "ls", "--quiet", `*${stack.name}*`)).toBe("");

    await use("socket");
    await stack.set({ lab: true });
    await stack.up();
    expect([await there(), await containers(stack)]).toEqual(before);
  });

  it("replaces nothing where the same engine was named by another word before", async () => {
    await use("default");
    const stack = await newStack();
    await stack.set({ "docker:host": engine.socket });
    const { containerName } = await stack.up();
    await stack.unset("docker:host");
    await use("socket");
    const id = await docker("inspect", "--format", "{{.Id}}", containerName);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
    await stack.up();
    expect(await docker("inspect", "--format", "{{.Id}}", containerName)).toBe(id);
  });
});
