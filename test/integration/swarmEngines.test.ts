import { CleanUp } from "../support/cleanUp";
import { DockerClient, Workspace } from "../support/clients";
import { engine29Programs } from "../support/engine29";
import { checkImage, pushImage, randomImage } from "../support/images";
import { run } from "../support/run";
import { SwarmLab } from "../support/swarmLab";
import { commands, everyNodeAnswers, nodesOf, runWalk } from "../support/swarmWalk";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Where the machine's own engine is found. */
const machine = (process.env.PATH ?? "")
  .split(":")
  .filter((folder) => folder !== engine29Programs)
  .join(":");

const [today, older] = [engine29Programs, machine];

/** An image has one ID on the engines with the containerd image store, and another on those without. */
describe.each([
  { name: "Engine 29", programs: [today, today, today, today, today] },
  { name: "Engine 29 and the machine's", programs: [today, today, today, older, older] },
])("a Swarm of $name", ({ programs }) => {
  const cleanUp = new CleanUp();
  let lab: SwarmLab;
  /** The docker command on every node. */
  let engines: DockerClient[];
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    lab = cleanUp.add(await SwarmLab.up(programs));
    engines = lab.nodes.map((node) => cleanUp.add(lab.client(node)));
    const settings = {
      target: "swarm",
      hostname: "127.0.0.1",
      "swarm.constraints[0]": "node.hostname == node4",
      // It has to be given to the server's user there, by an image that can have another ID than on the manager.
      "storage.filesystem.hostPath": cleanUp.add(new Workspace()).folder,
    };
    stack = cleanUp.add(await TestStack.create({ ...settings, ...nodesOf(lab) }, {}, { DOCKER_HOST: lab.manager.host }));
    outputs = await stack.up();
  });

  it("has the server's image by one name, and by an ID for each kind of engine", async () => {
    const reference = await lab.docker(
      lab.manager,
      ...["service", "inspect", "--format", "{{.Spec.TaskTemplate.ContainerSpec.Image}}", outputs.serviceName],
    );
    const ids = await Promise.all(
      lab.nodes.map((node) => lab.docker(node, "image", "inspect", "--format", "{{.Id}}", reference)),
    );
    expect(new Set(ids).size).toBe(new Set(programs).size);
  });

  it("has the registry on the same port of every node", () => everyNodeAnswers(lab, outputs));

  it("runs a service of five replicas from an image that was pushed on one node", () => runWalk(lab, engines, outputs));

  it("finds nothing to change", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("has what was pushed after a collection and another certificate", async () => {
    const image = randomImage();
    await pushImage(outputs, "kept", "1", image, { host: lab.node(5).address });
    const [collect = ""] = commands("Cleaning up");
    const env = { NODE: lab.node(4).host, SERVICE: outputs.serviceName };
    expect(await run("bash", ["-euc", collect], { env })).toMatch(/^repositories: 3, deleted 0$/m);
    await stack.set({ "tls.generation": 2 });
    const before = outputs.certificateExpiresAt;
    outputs = await stack.up();
    expect(outputs.certificateExpiresAt).not.toBe(before);
    await everyNodeAnswers(lab, outputs);
    await checkImage(outputs, "kept", "1", image, { host: lab.manager.address });
  });

  it("leaves nothing on any node", async () => {
    await stack.destroy();
    expect(await lab.left(stack.resourceName)).toEqual([]);
  });
});
