import { CleanUp } from "../support/cleanUp";
import { DockerClient, request } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { attempt, Result } from "../support/run";
import { LocalRegistry } from "../support/localRegistry";
import { readable, secretOf } from "../support/secretSearch";
import { RegistryOutputs, TestStack } from "../support/testStack";
import { TokenServer } from "../support/tokenServer";

/** A stack that makes nothing, for a registry that is there: one that another stack has made, with a CA of its own. */
describe("a registry that exists already", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  let there: RegistryOutputs;
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let printed: string;

  beforeAll(async () => {
    there = await cleanUp.add(await TestStack.create({ "users[0].name": "robot.ci-1" })).up();
    stack = cleanUp.add(
      await TestStack.create(
        {
          target: "external",
          "external.hostname": "localhost",
          "external.port": new URL(there.endpoint).port,
          "external.path": "team-a",
          "external.username": there.username,
          "external.caCertificate": there.caCertificate,
        },
        { "external.password": there.password },
      ),
    );
    printed = await stack.pulumi("up", "--yes", "--diff");
    outputs = await stack.outputs();
  });

  /** Runs a command as a user types it: in the stack's folder. */
  function typed(command: string): Promise<Result> {
    const { cwd, env } = stack.inFolder();
    return attempt("sh", ["-c", command], { cwd, env: { ...env, ...docker.env } });
  }

  it("has the outputs of one that is made here", () => {
    const { endpoint, username, password, credentials, caCertificate, trustCommand, daemonConfig } = there;
    expect(outputs).toMatchObject({ endpoint, username, password, credentials, trustCommand, daemonConfig });
    expect(outputs.caCertificate.trim()).toBe(caCertificate.trim());
    expect(outputs.repositoryPrefix).toBe(`${there.repositoryPrefix}/team-a`);
  });

  it("is logged in to by loginCommand, and takes images and gives them back", async () => {
    const login = await typed(outputs.loginCommand);
    expect({ code: login.code, stdout: login.stdout.trim() }).toEqual({ code: 0, stdout: "Login Succeeded" });
    const image = `${outputs.repositoryPrefix}/hello-world`;
    await docker.tag(await docker.buildImage(`${stack.name}/hello-world`, [1000]), image);
    await docker.run("push", image);
    await docker.run("image", "rm", image, `${stack.name}/hello-world`);
    await docker.run("pull", image);
    const { tags } = JSON.parse((await request(there, "/v2/team-a/hello-world/tags/list")).body.toString()) as { tags: string[] };
    expect(tags).toEqual(["latest"]);
  });

  it("is reached over its API by endpoint, CA and password alone", async () => {
    const image = randomImage();
    await pushImage(outputs, "team-a/made", "latest", image);
    await checkImage(outputs, "team-a/made", "latest", image);
    expect((await request(outputs, "/v2/", { login: null })).status).toBe(401);
  });

  it("changes nothing in a second up", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("has its password in clear nowhere", async () => {
    const config = await stack.pulumi("config", "--json");
    const shown = await stack.pulumi("stack", "output", "--json");
    const places = [
      { name: "what up printed", text: printed },
      { name: "state", text: stack.storedState() },
      { name: "configuration", text: config },
      { name: "outputs", text: shown },
    ];
    expect(readable([secretOf("the password", there.password)], places)).toEqual([]);
  });

  it("is left as it is when the stack is destroyed", async () => {
    await stack.destroy();
    expect((await request(there, "/v2/team-a/hello-world/manifests/latest", { method: "HEAD" })).status).toBe(200);
  });
});

/** Docker Hub, Quay, GitLab and Harbor send their clients to a token server; so does this one, which is Debian's, over plain HTTP. */
describe("a registry that exists already, with a token server", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  const login = { username: "robot$ci", password: "password-at-the-token-server" };
  const tokens = cleanUp.add(new TokenServer(login));
  const registry = cleanUp.add(new LocalRegistry("docker-registry", login));
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    const bundle = registry.write("bundle.pem", tokens.certificate);
    const { service, issuer } = TokenServer;
    const realm = await tokens.start();
    await registry.start("token", `auth: {token: ${JSON.stringify({ realm, service, issuer, rootcertbundle: bundle })}}`);
    const { hostname, port } = new URL(registry.endpoint);
    const external = { "external.hostname": hostname, "external.port": port, "external.insecure": true };
    stack = cleanUp.add(
      await TestStack.create(
        { target: "external", ...external, "external.username": login.username },
        { "external.password": login.password },
      ),
    );
    outputs = await stack.up();
  });

  it("is logged in to by loginCommand, and takes images and gives them back", async () => {
    const { cwd, env } = stack.inFolder();
    const { code, stdout } = await attempt("sh", ["-c", outputs.loginCommand], { cwd, env: { ...env, ...docker.env } });
    expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: "Login Succeeded" });
    const image = `${outputs.repositoryPrefix}/hello-world`;
    await docker.tag(await docker.buildImage(`${stack.name}/hello-world`, [1000]), image);
    await docker.run("push", image);
    await docker.run("image", "rm", image, `${stack.name}/hello-world`);
    await docker.run("pull", image);
    expect(tokens.scopes).toContain("repository:hello-world:push,pull");
  });

  it("needs nothing of client engines on loopback", () => {
    expect(outputs.trustCommand).toMatch(/^# nothing to install/);
    expect(JSON.parse(outputs.daemonConfig)).toEqual({});
  });
});
