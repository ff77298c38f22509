import { CleanUp } from "../support/cleanUp";
import { request } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { checkImage, pushImage, randomImage } from "../support/images";
import { freePort } from "../support/ports";
import { eventually, run } from "../support/run";
import { TestStack } from "../support/testStack";

describe("a registry whose engine is started again", () => {
  const cleanUp = new CleanUp();

  it.each<[string, (engine: PrivateEngine) => Promise<void>]>([
    // A machine that is rebooted, or a Docker that is updated.
    ["was stopped", (engine) => engine.stop()],
    // One that the kernel killed for want of memory.
    ["crashed", (engine) => engine.crash()],
  ])("is back with its images, users, certificate and mirror, with nothing to do for anybody, after it %s", async (_, end) => {
    const engine = cleanUp.add(await PrivateEngine.start());
    const mirrorPort = await freePort();
    const address = { hostname: engine.address, bindAddress: engine.address, "mirror.port": mirrorPort };
    const stack = cleanUp.add(await TestStack.create(address, {}, engine.env));
    const outputs = await stack.up();
    const before = randomImage([100_000]);
    await pushImage(outputs, "before", "latest", before);
    const inspect = (format: string): Promise<string> => {
      const containers = [outputs.containerName, `${outputs.containerName}-mirror`];
      return run("docker", ["inspect", "--format", format, ...containers], { env: engine.env });
    };
    const ids = await inspect("{{.Id}}");
    const started = await inspect("{{.State.StartedAt}}");

    await end(engine);
    await engine.start();

    await eventually("an answer of the registry", () =>
      request(outputs, "/v2/").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    await eventually("the mirror", async () => (await inspect("{{.State.Status}}")) === "running\nrunning");
    expect(await inspect("{{.Id}}")).toBe(ids);
    expect(await inspect("{{.State.StartedAt}}")).not.toBe(started);
    await checkImage(outputs, "before", "latest", before);
    const after = randomImage();
    await pushImage(outputs, "after", "latest", after);
    await checkImage(outputs, "after", "latest", after);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });
});
