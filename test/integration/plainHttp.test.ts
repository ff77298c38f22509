import { CleanUp } from "../support/cleanUp";
import { DockerClient, request } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { TestStack } from "../support/testStack";

/** Plain HTTP is an explicit word, and Docker takes it on loopback only, unless it is told otherwise. */
describe("a registry without TLS", () => {
  const cleanUp = new CleanUp();

  it("works with docker on loopback, and still asks for a login", async () => {
    const docker = cleanUp.add(new DockerClient());
    const stack = cleanUp.add(await TestStack.create({ "tls.mode": "off" }));
    const outputs = await stack.up();
    expect(outputs).toMatchObject({ endpoint: `http://${outputs.repositoryPrefix}`, caCertificate: "", daemonConfig: "{}" });
    expect((await request(outputs, "/v2/", { login: null })).status).toBe(401);

    const image = `${outputs.repositoryPrefix}/plain`;
    await docker.tag(await docker.buildImage(`${stack.name}/plain`, [1000]), image);
    expect((await docker.attempt("push", image)).stderr).toMatch(/no basic auth credentials/);
    await docker.login(outputs);
    await docker.run("push", image);
    await docker.run("image", "rm", image, `${stack.name}/plain`);
    await docker.run("pull", image);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("beyond loopback needs allowInsecure, and daemonConfig on the engine", async () => {
    const engine = cleanUp.add(await PrivateEngine.start());
    const docker = cleanUp.add(new DockerClient(engine.env));
    const settings = { hostname: engine.address, bindAddress: engine.address, "tls.mode": "off" };
    const stack = cleanUp.add(await TestStack.create(settings, {}, docker.env));
    await expect(stack.up()).rejects.toThrow(/tls\.mode: "off" is accepted on loopback addresses only/);
    await stack.set({ allowInsecure: true });
    const outputs = await stack.up();

    const image = `${outputs.repositoryPrefix}/plain`;
    await docker.tag(await docker.buildImage("plain", [1000]), image);
    expect((await docker.login(outputs)).stderr).toMatch(/server gave HTTP response to HTTPS client/);
    await engine.stop();
    engine.write("docker/daemon.json", outputs.daemonConfig);
    await engine.start();
    expect((await docker.login(outputs)).code).toBe(0);
    await docker.run("push", image);
  });
});
