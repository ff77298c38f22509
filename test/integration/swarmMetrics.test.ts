import { CleanUp } from "../support/cleanUp";
import { Workspace } from "../support/clients";
import { debianImage } from "../support/debianImage";
import { pushImage, randomImage } from "../support/images";
import { freePort } from "../support/ports";
import { query } from "../support/prometheus";
import { eventually } from "../support/run";
import { s3Store } from "../support/storageServers";
import { SwarmLab } from "../support/swarmLab";
import { nodesOf } from "../support/swarmWalk";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Prometheus in a container of one node finds the tasks on all. */
describe("metrics of a registry on a Swarm", () => {
  const cleanUp = new CleanUp();
  let lab: SwarmLab;
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    lab = cleanUp.add(await SwarmLab.up());
    const store = cleanUp.add(await s3Store(lab.machine));
    const settings = { target: "swarm", hostname: lab.manager.address, ...nodesOf(lab), ...store.settings, metrics: "{}" };
    stack = cleanUp.add(await TestStack.create(settings, store.secrets, { DOCKER_HOST: lab.manager.host }));
    outputs = await stack.up();
    await pushImage(outputs, "team/app", "1.0", randomImage());
  });

  it("are on no port of a node", async () => {
    const ports = await lab.docker(
      lab.manager,
      "service",
      "inspect",
      "--format",
      "{{json .Spec.EndpointSpec.Ports}}",
      outputs.serviceName,
    );
    expect((JSON.parse(ports) as { TargetPort: number }[]).map(({ TargetPort }) => TargetPort)).toEqual([5000]);
  });

  it("are told of every task, by the output in Prometheus's configuration", async () => {
    const docker = cleanUp.add(lab.client(lab.manager));
    const image = `prometheus-${stack.name}`;
    const { folder } = cleanUp.add(new Workspace());
    await debianImage(folder, ["prometheus"], { "/prometheus.yml": `global: { scrape_interval: 1s }\n${outputs.scrapeConfig}` });
    docker.willHave(image);
    await docker.run("build", "--quiet", "--tag", image, folder);
    const port = await freePort();
    const network = `${stack.resourceName}-metrics`;
    const options = ["--detach", "--rm", "--name", image, "--network", network, "--publish", `${port}:9090`, "--tmpfs", "/data"];
    await docker.run(
      "run",
      ...options,
      image,
      "/usr/bin/prometheus",
      "--config.file=/prometheus.yml",
      "--storage.tsdb.path=/data",
    );
    try {
      const url = `http://${lab.manager.address}:${port}`;
      const values = (expression: string): Promise<number[]> => query(url, expression).catch(() => []);
      const all = lab.nodes.map(() => 1);
      await eventually(
        "a look at all tasks",
        async () => String(await values('up{app="container-registry"}')) === String(all),
        90,
      );
      expect(await values("registry_store_up")).toEqual(all);
      // The task that took the push counts at once; of the others each counts for itself.
      const tags = 'max(registry_repository_tags{repository="team/app"})';
      await eventually("a count", async () => (await values(tags))[0] === 1);
    } finally {
      await docker.run("rm", "--force", image);
    }
  });

  it("need no change the second time", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("leave nothing on any node", async () => {
    await stack.destroy();
    expect(await lab.left(stack.resourceName)).toEqual([]);
  });
});
