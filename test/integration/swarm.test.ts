import { setTimeout as pause } from "timers/promises";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, request, Workspace } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { PageVisitor } from "../support/pageVisitor";
import { freePort } from "../support/ports";
import { eventually, run } from "../support/run";
import { Place, readable, Secret, secretOf, secretsOfPem } from "../support/secretSearch";
import { s3Store, TestStore } from "../support/storageServers";
import { LabNode, SwarmLab } from "../support/swarmLab";
import { commands, everyNodeAnswers, nodesOf, ping, runWalk } from "../support/swarmWalk";
import { RegistryOutputs, Settings, TestStack } from "../support/testStack";

interface ServiceSpec {
  Spec: {
    Mode: object;
    EndpointSpec: { Mode: string; Ports?: { PublishMode: string; PublishedPort: number; TargetPort: number }[] };
  };
}

/** Five managers, as in the course; two registries, one after the other. */
describe("a Swarm of five nodes", () => {
  const cleanUp = new CleanUp();
  let lab: SwarmLab;
  /** The docker command on every node. */
  let engines: DockerClient[];

  beforeAll(async () => {
    lab = cleanUp.add(await SwarmLab.up());
    engines = lab.nodes.map((node) => cleanUp.add(lab.client(node)));
  });

  function client(node: LabNode): DockerClient {
    const found = engines[lab.nodes.indexOf(node)];
    if (found === undefined) {
      throw new Error(`${node.name} has no client`);
    }
    return found;
  }

  /** A stack on this Swarm whose image is loaded on all nodes. */
  async function newStack(settings: Settings, secrets: Settings = {}): Promise<TestStack> {
    const common = { target: "swarm", hostname: "127.0.0.1", ...nodesOf(lab) };
    return cleanUp.add(await TestStack.create({ ...common, ...settings }, secrets, { DOCKER_HOST: lab.manager.host }));
  }

  /** Everything secret that a stack has. */
  async function secretsOf(stack: TestStack, outputs: RegistryOutputs): Promise<Secret[]> {
    const state = await stack.pulumi("stack", "export", "--show-secrets");
    const keys = [...state.matchAll(/-----BEGIN EC PRIVATE KEY-----[^-]*-----END EC PRIVATE KEY-----/g)].map(([pem]) =>
      pem.replace(/\\+n/g, "\n"),
    );
    expect(keys.length).toBeGreaterThan(1);
    return [
      ...[...new Set(keys)].flatMap((pem) => secretsOfPem("a key", pem)),
      ...Object.values(outputs.credentials).map((password) => secretOf("a password", password)),
    ];
  }

  /** Where other people may look. */
  async function places(stack: TestStack): Promise<Place[]> {
    const { resourceName } = stack;
    const services = (
      await lab.docker(lab.manager, "service", "ls", "--format", "{{.Name}}", "--filter", `name=${resourceName}`)
    ).split("\n");
    const ask = async (node: LabNode, ...words: string[]): Promise<Place> => ({
      name: `${node.name}: ${words.join(" ")}`,
      text: await lab.docker(node, ...words),
    });
    const containers = await Promise.all(
      lab.nodes.map(async (node) => {
        const ids = (await lab.docker(node, "ps", "--all", "--quiet", "--filter", `name=${resourceName}`))
          .split("\n")
          .filter(Boolean);
        return ids.length === 0 ? [] : [await ask(node, "inspect", ...ids)];
      }),
    );
    return [
      { name: "state", text: stack.storedState() },
      ...(await Promise.all(services.map((service) => ask(lab.manager, "service", "inspect", service)))),
      ...(await Promise.all(services.map((service) => ask(lab.manager, "service", "logs", service)))),
      ...containers.flat(),
    ];
  }

  async function inspectService(name: string): Promise<ServiceSpec> {
    const [service] = JSON.parse(await lab.docker(lab.manager, "service", "inspect", name)) as ServiceSpec[];
    if (service === undefined) {
      throw new Error(`there is no service ${name}`);
    }
    return service;
  }

  /** What each task of the registry says that it is. */
  async function versions({ serviceName }: RegistryOutputs): Promise<string[]> {
    const tasks = await Promise.all(
      lab.nodes.map(async (node) => {
        const filter = ["--quiet", "--filter", `label=com.docker.swarm.service.name=${serviceName}`];
        const ids = (await lab.docker(node, "ps", ...filter)).split("\n").filter(Boolean);
        return Promise.all(ids.map((id) => lab.docker(node, "exec", id, "/registry", "version")));
      }),
    );
    return tasks.flat().map((report) => /^container-registry (.*)$/m.exec(report)?.[1] ?? report);
  }

  describe("with images on one node, and a forwarder on each", () => {
    let stack: TestStack;
    let outputs: RegistryOutputs;
    let externalUrl: string;

    beforeAll(async () => {
      const port = await freePort();
      externalUrl = `https://localhost:${port}`;
      stack = await newStack({
        "swarm.constraints[0]": "node.hostname == node2",
        // As if a reverse proxy were there, and on each node under another name.
        "trustedProxies[0]": lab.node(3).address,
        externalUrl,
        port,
      });
      outputs = await stack.up();
    });

    it("is where its externalUrl says, in the outputs, and has clients of every node go on where they are", async () => {
      expect(outputs).toMatchObject({ endpoint: externalUrl, repositoryPrefix: new URL(externalUrl).host });
      for (const { address } of lab.nodes) {
        const started = await request(outputs, "/v2/team/app/blobs/uploads/", { method: "POST", host: address });
        expect(started.headers.location).toMatch(/^\/v2\/team\/app\//);
      }
    });

    it("has the registry on the same port of every node", () => everyNodeAnswers(lab, outputs));

    it("runs a service of five replicas from an image that was pushed on one node", () => runWalk(lab, engines, outputs));

    it("finds nothing to change", async () => {
      expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
    });

    it("shows no secret in clear", async () => {
      expect(readable(await secretsOf(stack, outputs), await places(stack))).toEqual([]);
    });

    it("changes the certificate without a failed request: the successor starts before the old task ends", async () => {
      const clients = new Clients(outputs, lab.nodes, 1);
      clients.start();
      await stack.set({ "tls.generation": 2 });
      outputs = await stack.up();
      const { requests, failures } = await clients.stop();
      console.log(`one task and forwarders: ${requests} requests while it was replaced, ${failures.length} failures`);
      expect(failures).toEqual([]);
      await everyNodeAnswers(lab, outputs);
    });

    it("knows its clients by their own addresses, whichever node they ask", async () => {
      const { port } = new URL(outputs.endpoint);
      const [asked, other] = [lab.node(1), lab.node(3)];
      const told = "X-Forwarded-For";
      await request(outputs, "/v2/asked-from/machine", { host: asked.address, headers: { [told]: "192.0.2.7" } });
      for (const [path, ...header] of [["node3"], ["client-of-node3", "--header", `${told}: 192.0.2.8`]]) {
        await lab.on(other, "curl", "-sk", ...header, `https://${asked.address}:${port}/v2/asked-from/${path}`);
      }
      const running = ["ps", "--quiet", "--filter", `label=com.docker.swarm.service.name=${outputs.serviceName}`];
      const lines = (await lab.docker(lab.node(2), "logs", await lab.docker(lab.node(2), ...running))).split("\n");
      const address = (path: string): string | undefined => lines.find((line) => line.includes(path))?.split(" ")[0];
      const asking = ["machine", "node3 ", "client-of-node3"].map((who) => address(`/v2/asked-from/${who}`));
      expect(asking).toEqual([lab.machine, other.address, "192.0.2.8"]);
    });

    it("serves on while its forwarders are of a newer release than its task", async () => {
      const clients = new Clients(outputs, lab.nodes, 1);
      clients.start();
      const [service] = JSON.parse(await lab.docker(lab.manager, "service", "inspect", outputs.serviceName)) as {
        Spec: { TaskTemplate: { ContainerSpec: { Args: string[] } } };
      }[];
      const older = service?.Spec.TaskTemplate.ContainerSpec.Args.filter((word) => !/^(--proxied|:\d+)$/.test(word)) ?? [];
      await lab.docker(lab.manager, "service", "update", "--quiet", "--args", older.join(" "), outputs.serviceName);
      await everyNodeAnswers(lab, outputs);
      await lab.docker(lab.manager, "service", "rollback", "--quiet", outputs.serviceName);
      const { requests, failures } = await clients.stop();
      console.log(`an older task and newer forwarders: ${requests} requests, ${failures.length} failures`);
      expect(older).toHaveLength(2);
      expect(failures).toEqual([]);
    });

    it("is upgraded to another build of the server, forwarders too: whoever tries another node is always served", async () => {
      const clients = new Clients(outputs, lab.nodes, 2);
      clients.start();
      stack.takeVersion("9.9.9");
      outputs = await stack.up();
      const { requests, images, failures } = await clients.stop();
      console.log(
        `one task and forwarders: ${requests} requests and ${images} images during the upgrade, ${failures.length} failures`,
      );
      expect(failures).toEqual([]);
      expect(images).toBeGreaterThan(0);
      expect(new Set(await versions(outputs))).toEqual(new Set(["9.9.9"]));
      expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
    });

    it("is back with its node, and other nodes' clients are told meanwhile that no task answers", async () => {
      const node = lab.node(2);
      const image = randomImage();
      await pushImage(outputs, "kept", "1", image, { host: lab.manager.address });
      await lab.kill(node);
      try {
        await expect(ping(outputs, lab.manager)).rejects.toThrow(/ECONNRESET|socket hang up/);
        // It ends with an error, as the lost node's own forwarder can't be asked.
        const { stdout, stderr } = await client(lab.manager).attempt(
          "service",
          "logs",
          "--raw",
          `${outputs.serviceName}-forwarder`,
        );
        expect(stdout + stderr).toContain("no task of the registry answers");
      } finally {
        await lab.revive();
      }
      await eventually(
        "an answer",
        () =>
          ping(outputs, lab.manager)
            .then((status) => status === 200)
            .catch(() => false),
        90,
      );
      await checkImage(outputs, "kept", "1", image, { host: lab.node(5).address });
    });

    it("is restored on another node from a copy, by the commands in docs/swarm.md", async () => {
      const [backup, restore] = commands("When a node is lost");
      const [lost, heir] = [lab.node(2), lab.node(3)];
      const image = randomImage();
      await pushImage(outputs, "copied", "1", image, { host: lab.manager.address });
      const cwd = cleanUp.add(new Workspace()).folder;
      const shell = (script: string | undefined, node: LabNode): Promise<string> =>
        run("bash", ["-euc", script ?? ""], { cwd, env: { NODE: node.host, SERVICE: outputs.serviceName } });
      await shell(backup, lost);
      await lab.kill(lost);
      try {
        // Until Swarm knows that the node is down, it would give it tasks, and `up` asks for a way to it.
        await eventually("the notice of the loss", async () =>
          (await lab.docker(lab.manager, "node", "ls", "--filter", `name=${lost.name}`, "--format", "{{.Status}}")).includes(
            "Down",
          ),
        );
        await stack.set({ "swarm.constraints[0]": `node.hostname == ${heir.name}` });
        await shell(restore, heir);
        outputs = await stack.up();
        await checkImage(outputs, "copied", "1", image, { host: lab.node(4).address });
      } finally {
        await lab.revive();
      }
    });

    // The kernel here has no IPVS, without which the mesh passes nothing on: only what Swarm was asked for can be seen.
    it("publishes by the routing mesh on demand, which takes the port from the forwarders", async () => {
      await stack.set({ "swarm.publish": "ingress" });
      outputs = await stack.up();
      const port = Number(new URL(outputs.endpoint).port);
      expect((await inspectService(outputs.serviceName)).Spec).toMatchObject({
        Mode: { Replicated: { Replicas: 1 } },
        EndpointSpec: { Mode: "vip", Ports: [{ PublishMode: "ingress", PublishedPort: port, TargetPort: 5000 }] },
      });
    });

    it("leaves nothing on any node but the volume that the lost one had", async () => {
      await stack.destroy();
      expect(await lab.left(stack.resourceName)).toEqual([`node2: volume ${stack.resourceName}-data`]);
    });
  });

  describe("with a store that all nodes share", () => {
    let store: TestStore;
    let stack: TestStack;
    let outputs: RegistryOutputs;
    const image = randomImage([100_000]);

    beforeAll(async () => {
      store = cleanUp.add(await s3Store(lab.machine));
      stack = await newStack({ ...store.settings, "users[0].name": "admin", "swarm.replicas": 2 }, store.secrets);
      outputs = await stack.up();
    });

    it("gives the port of its forwarders to a task on every node, once it has no number of tasks any more", async () => {
      await everyNodeAnswers(lab, outputs);
      await stack.unset("swarm.replicas");
      outputs = await stack.up();
      expect(await lab.docker(lab.manager, "service", "ls", "--format", "{{.Name}}")).toBe(outputs.serviceName);
    });

    it("has a task on every node, and an image that was pushed to one is on all", async () => {
      await everyNodeAnswers(lab, outputs);
      await pushImage(outputs, "team/app", "1", image, { host: lab.manager.address });
      for (const { address } of lab.nodes.slice(1)) {
        await checkImage(outputs, "team/app", "1", image, { host: address });
      }
      expect(await inspectService(outputs.serviceName)).toMatchObject({
        Spec: { Mode: { Global: {} }, EndpointSpec: { Ports: [{ PublishMode: "host", TargetPort: 5000 }] } },
      });
    });

    it("finds nothing to change, and shows no secret in clear", async () => {
      expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
      const keys = Object.entries(store.secrets).map(([name, value]) => secretOf(name, String(value)));
      expect(readable([...keys, ...(await secretsOf(stack, outputs))], await places(stack))).toEqual([]);
    });

    it("has one page: who logged in at one task is known to all, and so is what was deleted there", async () => {
      const visitor = new PageVisitor(outputs);
      await visitor.logIn(outputs, { host: lab.node(2).address });
      // A list is believed for a while, and an image is always looked up.
      const found = (tag: string): Promise<number[]> =>
        Promise.all(lab.nodes.map(async ({ address }) => (await visitor.get(`/ui/r/team/app:${tag}`, { host: address })).status));
      await pushImage(outputs, "team/app", "2", image, { host: lab.node(3).address });
      expect(await found("2")).toEqual(lab.nodes.map(() => 200));
      const form: [string, string][] = [
        ["repository", "team/app"],
        ["confirmed", "yes"],
        ["named", `2@${image.digest}`],
      ];
      expect((await visitor.post("/ui/delete", form, { host: lab.node(4).address })).status).toBe(303);
      expect([await found("1"), await found("2")]).toEqual([lab.nodes.map(() => 200), lab.nodes.map(() => 404)]);
    });

    it("collects garbage by the command in docs/swarm.md on any node, and every node takes pushes after it", async () => {
      const [collect = ""] = commands("Cleaning up");
      const env = { NODE: lab.node(4).host, SERVICE: outputs.serviceName };
      expect(await run("bash", ["-euc", collect], { env })).toMatch(/^repositories: 1, deleted 0$[^]*^blobs: \d+, deleted 0$/m);
      const later = randomImage();
      for (const [index, { address }] of lab.nodes.entries()) {
        await pushImage(outputs, "team/later", `${index}`, later, { host: address });
      }
      await checkImage(outputs, "team/app", "1", image, { host: lab.node(5).address });
    });

    it("changes certificate and password node by node: whoever tries another node is always served", async () => {
      const clients = new Clients(outputs, lab.nodes, 2);
      clients.start();
      await stack.set({ "tls.generation": 2, "users[0].generation": 2, "users[0].keepPrevious": true });
      const before = outputs;
      outputs = await stack.up();
      const tally = await clients.stop();
      console.log(
        `a task on every node: ${tally.requests} requests while all were replaced; ${tally.retries} went to a second node, ` +
          `${tally.failures.length} failed; at least ${tally.leastAnswering} of 5 nodes answered at once`,
      );
      expect(tally.failures).toEqual([]);
      expect(tally.leastAnswering).toBeGreaterThanOrEqual(4);
      expect(outputs.password).not.toBe(before.password);
      for (const node of lab.nodes) {
        expect([await ping(outputs, node), await ping(outputs, node, before.password)]).toEqual([200, 200]);
      }
      expect(await lab.docker(lab.manager, "secret", "ls", "--quiet")).toMatch(/^(\S+\n){2}\S+$/);
    });

    it("is upgraded to another build of the server node by node: whoever tries another node is always served", async () => {
      const clients = new Clients(outputs, lab.nodes, 2);
      clients.start();
      stack.takeVersion("9.9.9");
      outputs = await stack.up();
      const { requests, images, failures } = await clients.stop();
      console.log(
        `a task on every node: ${requests} requests and ${images} images during the upgrade, ${failures.length} failures`,
      );
      expect(failures).toEqual([]);
      expect(images).toBeGreaterThan(0);
      expect(new Set(await versions(outputs))).toEqual(new Set(["9.9.9"]));
      expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
    });

    it("rolls back an update that fails, and says so; the next one repairs it", async () => {
      const bad = `127.0.0.1:1/none@sha256:${"0".repeat(64)}`;
      await stack.set({ image: bad });
      await stack.unset("users");
      await expect(stack.up()).rejects.toThrow(/The update of the service \S+ failed, and the service was rolled back/);
      await everyNodeAnswers(lab, outputs);
      await expect(stack.up()).rejects.toThrow(/was rolled back/);
      await stack.unset("image");
      outputs = await stack.up();
      await everyNodeAnswers(lab, outputs);
      await checkImage(outputs, "team/app", "1", image, { host: lab.node(3).address });
    });

    it("loses a node: the others serve on, and its task comes back with it", async () => {
      const lost = lab.node(5);
      await lab.kill(lost);
      try {
        for (const node of lab.nodes.slice(0, 4)) {
          expect(await ping(outputs, node)).toBe(200);
        }
        await expect(ping(outputs, lost)).rejects.toThrow();
      } finally {
        await lab.revive();
      }
      await eventually(
        "the lost node's answer",
        () =>
          ping(outputs, lost)
            .then((status) => status === 200)
            .catch(() => false),
        90,
      );
    });

    it("leaves nothing on any node", async () => {
      await stack.destroy();
      expect(await lab.left(stack.resourceName)).toEqual([]);
    });
  });
});

/** Clients that work until they are stopped. Each request may go to as many nodes, one after the other, as is said. */
class Clients {
  private readonly tally = { requests: 0, images: 0, retries: 0, failures: [] as string[], leastAnswering: Infinity };
  private readonly workers: Promise<void>[] = [];
  private stopped = false;

  constructor(
    private readonly outputs: RegistryOutputs,
    private readonly nodes: readonly LabNode[],
    private readonly tries: number,
  ) {}

  start(): void {
    this.workers.push(
      ...this.nodes.map((_, first) => this.repeat(() => this.request(first))),
      this.repeat(() => this.image()),
      this.repeat(() => this.count()),
    );
  }

  async stop(): Promise<Clients["tally"]> {
    this.stopped = true;
    await Promise.all(this.workers);
    return this.tally;
  }

  private async repeat(work: () => Promise<void>): Promise<void> {
    while (!this.stopped) {
      await work();
      // Else they take both of a small machine's cores, and the tasks that are replaced meanwhile wait for them.
      await pause(20);
    }
  }

  private async status(node: LabNode | undefined): Promise<string> {
    // A node whose engine lost the port on the way says nothing: that is an answer too.
    return request(this.outputs, "/v2/", { host: node?.address }).then(
      ({ status }) => String(status),
      (error: unknown) => String(error),
    );
  }

  private async request(first: number): Promise<void> {
    this.tally.requests++;
    const told: string[] = [];
    for (let tried = 0; tried < this.tries; tried++) {
      const answer = await this.status(this.nodes[(first + tried) % this.nodes.length]);
      if (answer === "200") {
        return;
      }
      told.push(answer);
      this.tally.retries++;
    }
    this.tally.failures.push(told.join(", then "));
  }

  /** Pushes an image and pulls it; the next one goes to the next node. */
  private async image(): Promise<void> {
    const first = this.tally.images++ % this.nodes.length;
    const [host, ...others] = [...this.nodes.slice(first), ...this.nodes.slice(0, first)].map(({ address }) => address);
    const options = { host, others: others.slice(0, this.tries - 1) };
    const image = randomImage();
    try {
      await pushImage(this.outputs, "team/load", `${this.tally.images}`, image, options);
      await checkImage(this.outputs, "team/load", `${this.tally.images}`, image, options);
    } catch (error) {
      this.tally.failures.push(String(error));
    }
  }

  private async count(): Promise<void> {
    const answers = await Promise.all(this.nodes.map((node) => this.status(node)));
    this.tally.leastAnswering = Math.min(this.tally.leastAnswering, answers.filter((each) => each === "200").length);
  }
}
