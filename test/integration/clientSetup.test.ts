import { CleanUp } from "../support/cleanUp";
import { DockerClient } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { attempt, Result } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

const hostname = "registry.test.internal";

/** What the outputs tell a user to type, typed: on an engine that does not trust the registry by itself, unlike on localhost. */
describe("the commands in the outputs", () => {
  const cleanUp = new CleanUp();
  let engine: PrivateEngine;
  let docker: DockerClient;
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let image: string;

  beforeAll(async () => {
    engine = cleanUp.add(await PrivateEngine.start([hostname]));
    docker = cleanUp.add(new DockerClient(engine.env));
    stack = cleanUp.add(await TestStack.create({ hostname, bindAddress: engine.address }, {}, docker.env));
    outputs = await stack.up();
    image = `${outputs.repositoryPrefix}/hello-world`;
    await docker.tag(await docker.buildImage("hello-world", [1000]), image);
  });

  function typed(command: string): Promise<Result> {
    return attempt("sh", ["-c", command], stack.inFolder());
  }

  it("are needed: Docker does not trust the registry before", async () => {
    const refused = await docker.login(outputs);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/x509: certificate signed by unknown authority/);
  });

  it("trustCommand makes Docker trust it", async () => {
    expect((await engine.on("sh", ["-c", outputs.trustCommand])).code).toBe(0);
    expect((await docker.attempt("push", image)).stderr).toMatch(/no basic auth credentials/);
  });

  it("loginCommand logs in, and says no password", async () => {
    const login = await typed(outputs.loginCommand);
    expect(login).toMatchObject({ code: 0, stdout: expect.stringContaining("Login Succeeded") as string });
    expect(`${outputs.loginCommand}${login.stdout}${login.stderr}`).not.toContain(outputs.password);
  });

  it("then push and pull work", async () => {
    await docker.run("push", image);
    await docker.run("image", "rm", image);
    await docker.run("pull", image);
  });
});
