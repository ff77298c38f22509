import { CleanUp } from "../support/cleanUp";
import { DockerClient } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { asRootlessUser } from "../support/rootless";
import { Result } from "../support/run";
import { TestStack } from "../support/testStack";

/** The engine of a user who is not root: it has no cgroups here, its own folder of CAs, and maps the containers' users. */
describe("a registry on a rootless engine", () => {
  const cleanUp = new CleanUp();

  it("is made, trusted, pushed to, kept in a folder of the user, and gone", async () => {
    const engine = cleanUp.add(await PrivateEngine.start([], { asUser: true }));
    const home = engine.socket.replace("unix://", "").replace("docker.sock", "home");
    const asUser = (script: string): Promise<Result> =>
      engine.on("setpriv", [...asRootlessUser, "sh", "-ec", script], { HOME: home });
    const address = { hostname: engine.address, bindAddress: "0.0.0.0" };
    const stack = cleanUp.add(await TestStack.create(address, {}, engine.env));
    const told = await stack.pulumi("up", "--yes", "--skip-preview");
    const outputs = await stack.outputs();
    expect(told).toContain(`does not limit the processes of ${outputs.containerName}`);

    const login = `echo '${outputs.password}' | docker login ${outputs.repositoryPrefix} --username admin --password-stdin`;
    expect((await asUser(login)).stderr).toContain("certificate signed by unknown authority");
    expect(await asUser(outputs.trustCommand)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect((await asUser(login)).code).toBe(0);

    const docker = cleanUp.add(new DockerClient(engine.env));
    await docker.login(outputs);
    const image = `${outputs.repositoryPrefix}/hello-world`;
    await docker.tag(await docker.buildImage("hello-world", [1000]), image);
    await docker.run("push", image);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);

    await stack.set({ "storage.filesystem.hostPath": `${home}/images` });
    await stack.up();
    await docker.run("push", image);
    await docker.run("pull", image);
    expect((await asUser(`stat --format %u ${home}/images/docker`)).stdout.trim()).toMatch(/^20\d{5}$/);
    await stack.destroy();
    expect(await docker.run("ps", "--all", "--quiet")).toBe("");
    expect(await docker.run("volume", "ls", "--quiet")).toBe("");
  });
});
