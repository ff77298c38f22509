import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { request } from "../support/clients";
import { environmentOf, Providers } from "../support/providers";
import { run } from "../support/run";
import { SwarmLab } from "../support/swarmLab";
import { Environment, projectRoot, RegistryOutputs, Settings, TestStack } from "../support/testStack";

/** Where a stack is deployed. */
interface Place {
  settings: Settings;
  env: Environment;
  /** What a destroyed stack has left there. */
  left(stack: TestStack): Promise<string[]>;
}

const onlyStandIns = environmentOf("official").PULUMI_HOME === environmentOf("stand-in").PULUMI_HOME;

/** The stand-ins take the place of the official plugins on the same stack, and the other way round. */
describe("provider plugins and their stand-ins", () => {
  if (onlyStandIns) {
    it.todo("not run: the official plugins are not on this machine, so there is nothing to compare the stand-ins with");
    return;
  }
  const cleanUp = new CleanUp();

  beforeAll(() => run(path.join(projectRoot, "scripts", "setup.sh"), [], { env: { CONTAINER_REGISTRY_PROVIDERS: "stand-in" } }));

  describe("on one host", () => {
    bothWays(() => ({ settings: {}, env: {}, left: (stack) => stack.leftOnEngine() }));
  });

  describe("on a Swarm", () => {
    let lab: SwarmLab;

    beforeAll(async () => (lab = cleanUp.add(await SwarmLab.up())));

    bothWays(() => {
      const nodes = lab.nodes.slice(1).map(({ host }, index): [string, string] => [`swarm.nodes[${index}]`, host]);
      return {
        settings: {
          target: "swarm",
          hostname: lab.manager.address,
          "swarm.constraints[0]": "node.hostname == node2",
          ...Object.fromEntries(nodes),
        },
        env: { DOCKER_HOST: lab.manager.host },
        left: ({ resourceName }) => lab.left(resourceName),
      };
    });
  });

  function bothWays(findPlace: () => Place): void {
    describe.each<[Providers, Providers]>([
      ["official", "stand-in"],
      ["stand-in", "official"],
    ])("a stack made with %s ones", (maker, other) => {
      let place: Place;
      let stack: TestStack;
      let outputs: RegistryOutputs;

      const use = (providers: Providers): void => void Object.assign(stack.stack.workspace.envVars, environmentOf(providers));
      const changes = async (): Promise<string[]> => Object.keys(await stack.plannedChanges());

      beforeAll(async () => {
        place = findPlace();
        stack = cleanUp.add(
          await TestStack.create(
            {
              ...{ "users[0].name": "admin", "users[1].name": "robot", "tls.caGeneration": 2, "tls.keepPreviousCa": true },
              ...place.settings,
            },
            { "users[1].password": "given-to-the-robot" },
            { ...place.env, ...environmentOf(maker) },
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
      });

      it(`is taken down by ${other} ones, and nothing is left`, async () => {
        use(other);
        await stack.destroy();
        expect(await place.left(stack)).toEqual([]);
      });
    });
  }
});
