import { CleanUp } from "../support/cleanUp";
import { request } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { checkImage, pushImage, randomImage } from "../support/images";
import { eventually, run } from "../support/run";
import { TestStack } from "../support/testStack";

/** A machine that is rebooted, or a Docker that is updated. */
describe("a registry whose engine is stopped and started", () => {
  const cleanUp = new CleanUp();

  it("is back with its images, its users and its certificate, with nothing to do for anybody", async () => {
    const engine = cleanUp.add(await PrivateEngine.start());
    const address = { hostname: engine.address, bindAddress: engine.address };
    const stack = cleanUp.add(await TestStack.create(address, {}, engine.env));
    const outputs = await stack.up();
    const before = randomImage([100_000]);
    await pushImage(outputs, "before", "latest", before);
    const container = (): Promise<string> =>
      run("docker", ["inspect", "--format", "{{.Id}}", outputs.containerName], { env: engine.env });
    const id = await container();

    await engine.stop();
    await expect(request(outputs, "/v2/")).rejects.toThrow(/ECONNREFUSED/);
    await engine.start();

    await eventually("an answer of the registry", () =>
      request(outputs, "/v2/").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    expect(await container()).toBe(id);
    await checkImage(outputs, "before", "latest", before);
    const after = randomImage();
    await pushImage(outputs, "after", "latest", after);
    await checkImage(outputs, "after", "latest", after);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });
});
