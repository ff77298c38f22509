import { CleanUp } from "../support/cleanUp";
import { DockerClient, open, request } from "../support/clients";
import { checkImage, pushImage, randomImage, startUpload, RandomImage } from "../support/images";
import { eventually } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Power cuts, memory killers and mistaken hands: the server ends with no time to put anything in order. */
describe("a server that is killed in the middle of pushes", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.create());
    outputs = await stack.up();
    await docker.login(outputs);
  });

  const inspect = (template: string): Promise<string> => docker.run("inspect", "--format", template, outputs.containerName);

  /** Pushes small images one after the other until told to stop; returns those the registry said it has. */
  function keepPushing(repository: string): { finished: RandomImage[]; stop: () => Promise<void> } {
    const finished: RandomImage[] = [];
    let stopped = false;
    const work = (async () => {
      while (!stopped) {
        const image = randomImage([20_000]);
        await pushImage(outputs, repository, image.digest, image).then(
          () => finished.push(image),
          () => undefined,
        );
      }
    })();
    return {
      finished,
      stop: async () => {
        stopped = true;
        await work;
      },
    };
  }

  /** Starts an upload that is never ended; resolves when its first bytes have left. */
  async function hangingUpload(): Promise<void> {
    const location = await startUpload(outputs, "hanging");
    const sent = open(outputs, location, { method: "PATCH", headers: { "Content-Type": "application/octet-stream" } });
    sent.on("error", () => undefined);
    await new Promise<void>((resolve) => void sent.write(Buffer.alloc(4 << 20), () => resolve()));
  }

  async function untilItAnswers(): Promise<void> {
    await eventually("an answer of the registry", () =>
      request(outputs, "/v2/").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  }

  it("is back at once, with every image whose push was finished", async () => {
    const image = `${outputs.repositoryPrefix}/big`;
    await docker.tag(await docker.buildImage(`${stack.name}/big`, [100 << 20]), image);
    const pushers = ["pusher-1", "pusher-2", "pusher-3"].map((repository) => ({ repository, ...keepPushing(repository) }));
    try {
      await Promise.all(pushers.map(({ finished }) => eventually("a finished push", () => Promise.resolve(finished.length > 1))));
      await hangingUpload();
      const started = await inspect("{{.State.StartedAt}}");
      let ended = false;
      const push = docker.attempt("push", image).finally(() => (ended = true));
      await eventually("docker's first upload", async () => {
        const { stdout, stderr } = await docker.attempt("logs", outputs.containerName);
        return /"POST \/v2\/big\/blobs\/uploads\/.* 202 /.test(`${stdout}${stderr}`);
      });

      expect(ended).toBe(false);
      process.kill(Number(await inspect("{{.State.Pid}}")), "SIGKILL");

      await eventually("the new start by the engine", async () => (await inspect("{{.State.StartedAt}}")) !== started);
      await untilItAnswers();
      // Docker tries again by itself; if it gave up before the server was back, the user does.
      if ((await push).code !== 0) {
        await docker.run("push", image);
      }
    } finally {
      await Promise.all(pushers.map(({ stop }) => stop()));
    }
    expect(await inspect("{{.RestartCount}}")).toBe("1");
    for (const { repository, finished } of pushers) {
      for (const each of finished) {
        await checkImage(outputs, repository, each.digest, each);
      }
    }
    const id = await docker.run("image", "inspect", "--format", "{{.Id}}", image);
    await docker.run("image", "rm", image, `${stack.name}/big`);
    await docker.run("pull", image);
    expect(await docker.run("image", "inspect", "--format", "{{.Id}}", image)).toBe(id);
  });

  it("is brought back by up where the engine leaves it alone, as after docker kill", async () => {
    const image = randomImage();
    await pushImage(outputs, "before", "latest", image);
    const pusher = keepPushing("pusher-4");
    await eventually("a finished push", () => Promise.resolve(pusher.finished.length > 1));
    await docker.run("kill", "--signal", "KILL", outputs.containerName);
    await pusher.stop();
    expect(await inspect("{{.State.Running}}")).toBe("false");

    await stack.pulumi("up", "--refresh", "--yes", "--skip-preview");
    outputs = await stack.outputs();
    await checkImage(outputs, "before", "latest", image);
    for (const each of pusher.finished) {
      await checkImage(outputs, "pusher-4", each.digest, each);
    }
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });
});
