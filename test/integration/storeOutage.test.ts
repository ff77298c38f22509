import { CleanUp } from "../support/cleanUp";
import { DockerClient, request } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { eventually } from "../support/run";
import { s3Store, TestStore } from "../support/storageServers";
import { SwarmLab } from "../support/swarmLab";
import { Environment, RegistryOutputs, Settings, TestStack } from "../support/testStack";

/** A check of a container's health, as Docker keeps the last five. */
interface Check {
  Start: string;
  ExitCode: number;
}

/** An outage that is longer than it takes to be noticed, and than Docker looks after a container's health. */
describe.each(["single-node", "swarm"])("a store that is away from a registry on %s", (target) => {
  const cleanUp = new CleanUp();
  const image = randomImage([100_000]);
  let docker: DockerClient;
  let store: TestStore;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    if (target === "swarm") {
      const lab = cleanUp.add(await SwarmLab.up());
      store = cleanUp.add(await s3Store(lab.machine));
      const nodes = lab.nodes.slice(1).map(({ host }, index): [string, string] => [`swarm.nodes[${index}]`, host]);
      const settings = { target, hostname: lab.manager.address, ...Object.fromEntries(nodes), ...store.settings };
      await deploy(settings, { DOCKER_HOST: lab.manager.host });
    } else {
      store = cleanUp.add(await s3Store());
      await deploy({ target, ...store.settings }, {});
    }
    await pushImage(outputs, "team/app", "1", image);
  });

  async function deploy(settings: Settings, engine: Environment): Promise<void> {
    docker = cleanUp.add(new DockerClient(engine));
    outputs = await cleanUp.add(await TestStack.create(settings, store.secrets, engine)).up();
  }

  /** The containers or tasks of the registry and when they were started. */
  async function servers(): Promise<string> {
    return target === "swarm"
      ? docker.run("service", "ps", "--no-trunc", "--format", "{{.ID}} {{.DesiredState}}", outputs.serviceName)
      : docker.run("inspect", "--format", "{{.Id}} {{.State.StartedAt}} {{.RestartCount}}", outputs.containerName);
  }

  async function container(): Promise<string> {
    const filter = `label=com.docker.swarm.service.name=${outputs.serviceName}`;
    return target === "swarm"
      ? ((await docker.run("ps", "--quiet", "--filter", filter)).split("\n")[0] ?? "")
      : outputs.containerName;
  }

  async function checks(): Promise<Check[]> {
    return JSON.parse(await docker.run("inspect", "--format", "{{json .State.Health.Log}}", await container())) as Check[];
  }

  /** What a server says of its store. */
  async function told(): Promise<string[]> {
    const { stderr } = await docker.attempt("logs", await container());
    return stderr.split("\n").filter((line) => /level=(error|warning)|answers again/.test(line));
  }

  async function status(path: string): Promise<number> {
    return (await request(outputs, path)).status;
  }

  it("is told to clients and load balancers, and no reason to replace a server", async () => {
    const before = await servers();
    await store.cut();
    try {
      await eventually("the notice of the outage", async () => (await status("/")) === 503, 90);
      const noticed = new Date();
      const refused = await request(outputs, "/v2/team/app/manifests/1");
      expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "10"]);
      expect(refused.body.toString()).toContain("UNAVAILABLE");
      // What needs no store goes on.
      expect([await status("/v2/"), await status("/livez")]).toEqual([200, 200]);

      const since = await eventually(
        "two whole checks of Docker's",
        async () => {
          const later = (await checks()).filter(({ Start }) => new Date(Start) > noticed);
          return later.length >= 2 && later;
        },
        90,
      );
      expect(since.map(({ ExitCode }) => ExitCode)).toEqual(since.map(() => 0));
    } finally {
      await store.restore();
    }
    await eventually("the end of the outage", async () => (await status("/")) === 200, 60);
    const lines = await eventually(
      "the end in the log",
      async () => {
        const all = await told();
        return (all.at(-1) ?? "").includes("answers again") && all;
      },
      60,
    );
    expect(lines).toEqual([
      expect.stringMatching(/cannot .* s3 bucket .* it cannot be reached/),
      expect.stringMatching(/s3 bucket .* answers again/),
    ]);
    await checkImage(outputs, "team/app", "1", image);
    await pushImage(outputs, "team/app", "2", randomImage());
    expect(await servers()).toBe(before);
  });
});
