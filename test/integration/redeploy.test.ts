import { spawn } from "child_process";
import { randomBytes } from "crypto";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, Workspace } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { freePort } from "../support/ports";
import { eventually } from "../support/run";
import { projectRoot, TestStack } from "../support/testStack";

/** The recipe in examples/redeploy, on a Swarm of one node. */
describe("a service that follows a tag", () => {
  const cleanUp = new CleanUp();

  it("is updated to what was pushed, by its digest, also when the receiver was away", async () => {
    const engine = cleanUp.add(await PrivateEngine.start());
    const docker = cleanUp.add(new DockerClient(engine.env));
    await docker.run("swarm", "init", "--advertise-addr", engine.address);
    const token = randomBytes(24).toString("hex");
    const file = cleanUp.add(new Workspace()).write("token", token);
    const port = await freePort();
    const address = { hostname: engine.address, bindAddress: engine.address, allowInsecure: true };
    const stack = cleanUp.add(
      await TestStack.create(
        { ...address, "notifications[0].name": "redeploy", "notifications[0].url": `http://${engine.ourAddress}:${port}/` },
        { "notifications[0].headers.Authorization": `Bearer ${token}` },
        engine.env,
      ),
    );
    const outputs = await stack.up();
    expect((await engine.on("sh", ["-c", outputs.trustCommand])).code).toBe(0);
    await docker.login(outputs);

    const image = `${outputs.repositoryPrefix}/team/app:latest`;
    const pushNew = async (): Promise<string> => {
      await docker.tag(await docker.buildImage("app", [1000]), image);
      await docker.run("push", "--quiet", image);
      const [digest = ""] =
        /sha256:[0-9a-f]{64}/.exec(await docker.run("inspect", "--format", "{{json .RepoDigests}}", image)) ?? [];
      return digest;
    };
    const running = (): Promise<string> =>
      docker.run("service", "inspect", "app", "--format", "{{.Spec.TaskTemplate.ContainerSpec.Image}}");
    let said = "";
    const receive = (): void => {
      const env = { ...process.env, ...docker.env, REGISTRY: outputs.repositoryPrefix, TOKEN_FILE: file, RETRY: "1" };
      const receiver = spawn("node", [path.join(projectRoot, "examples", "redeploy", "redeploy.mjs")], {
        env: { ...env, ADDRESS: engine.ourAddress, PORT: String(port) },
        stdio: ["ignore", "pipe", "pipe"],
      });
      for (const stream of [receiver.stdout, receiver.stderr]) {
        stream.on("data", (text: Buffer) => (said += text.toString()));
      }
      cleanUp.add({ dispose: () => void receiver.kill() });
    };

    const first = await pushNew();
    // The image can't run, so Swarm gives an update of it up, but for a service without tasks.
    for (const [name, replicas] of [
      ["app", "1"],
      ["resting", "0"],
    ] as const) {
      await docker.run(
        ...[
          "service",
          "create",
          "--detach",
          "--quiet",
          "--name",
          name,
          "--replicas",
          replicas,
          "--label",
          "redeploy=team/app:latest",
        ],
        ...["--with-registry-auth", "--restart-condition", "none", image],
      );
    }
    expect(await running()).toContain(first);
    const second = await pushNew();
    receive();
    const repository = `${outputs.repositoryPrefix}/team/app`;
    await eventually(
      "the update to what was pushed while the receiver was away",
      async () => (await running()) === `${repository}@${second}`,
      60,
    );
    const update = `${repository}@${second}`;
    expect(said).toContain(`app is being updated to ${update}`);
    await eventually(
      "what became of it",
      () => Promise.resolve(said.includes("app is not updated") && said.includes(`resting runs ${update}`)),
      60,
    );
    expect(said).toContain(`app is not updated to ${update}: paused, update paused`);
    expect(said).toContain(`resting runs ${update}, which is team/app:latest\n`);
    expect(said).not.toContain("app runs");
    const third = await pushNew();
    await eventually("the next update", async () => (await running()) === `${repository}@${third}`, 60);
    expect(new Set([first, second, third]).size).toBe(3);
  });
});
