import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, request } from "../support/clients";
import { environmentOf, Providers } from "../support/providers";
import { run } from "../support/run";
import { projectRoot, RegistryOutputs, TestStack } from "../support/testStack";

// Where the official plugins can't be had there is nothing to compare with.
const describeWithBoth =
  environmentOf("official").PULUMI_HOME === environmentOf("stand-in").PULUMI_HOME ? describe.skip : describe;

/** The stand-ins take the place of the official plugins on the same stack, and the other way round. */
describeWithBoth("provider plugins and their stand-ins", () => {
  const cleanUp = new CleanUp();

  beforeAll(async () => {
    await run(path.join(projectRoot, "scripts", "setup.sh"), [], { env: { CONTAINER_REGISTRY_PROVIDERS: "stand-in" } });
  });

  describe.each<[Providers, Providers]>([
    ["official", "stand-in"],
    ["stand-in", "official"],
  ])("a stack made with %s ones", (maker, other) => {
    const docker = cleanUp.add(new DockerClient());
    let stack: TestStack;
    let outputs: RegistryOutputs;

    const use = (providers: Providers): void => void Object.assign(stack.stack.workspace.envVars, environmentOf(providers));
    const changes = async (): Promise<string[]> => Object.keys(await stack.plannedChanges());

    beforeAll(async () => {
      stack = cleanUp.add(
        await TestStack.create(
          { "users[0].name": "admin", "users[1].name": "robot", "tls.caGeneration": 2, "tls.keepPreviousCa": true },
          { "users[1].password": "given-to-the-robot" },
          environmentOf(maker),
        ),
      );
      outputs = await stack.up();
    });

    it(`is unchanged to ${other} ones, also when they look at what is there`, async () => {
      use(other);
      expect(await changes()).toEqual(["same"]);
      const refreshed = await stack.stack.preview({ suppressProgress: true, refresh: true });
      expect(Object.keys(refreshed.changeSummary)).toEqual(["same"]);
      expect(await stack.up()).toEqual(outputs);
    });

    it(`is changed by ${other} ones, and unchanged to those that made it`, async () => {
      use(other);
      await stack.set({ "users[0].generation": 2, "tls.generation": 2 });
      const changed = await stack.up();
      expect(changed.password).not.toBe(outputs.password);
      expect((await request(changed, "/v2/", { login: changed })).status).toBe(200);
      use(maker);
      expect(await changes()).toEqual(["same"]);
      await docker.login(changed);
    });

    it(`is taken down by ${other} ones, and nothing is left`, async () => {
      use(other);
      await stack.destroy();
      expect(await stack.leftOnEngine()).toEqual([]);
    });
  });
});
