import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, request, Workspace } from "../support/clients";
import { debianImage } from "../support/debianImage";
import { checkImage, manifestType, pushImage, randomImage } from "../support/images";
import { freePort } from "../support/ports";
import { eventually, run } from "../support/run";
import { readable, secretOf } from "../support/secretSearch";
import { s3Store, TestStore } from "../support/storageServers";
import { LabNode, SwarmLab } from "../support/swarmLab";
import { projectRoot, RegistryOutputs, TestStack } from "../support/testStack";

/**
 * A Swarm beside a first registry on one host, which nodes get their images from, and with a store that only an overlay network
 * leads to.
 */
describe("a registry on a Swarm with everything that may be added", () => {
  const cleanUp = new CleanUp();
  let lab: SwarmLab;
  let first: RegistryOutputs;
  let store: TestStore;
  let stack: TestStack;
  let outputs: RegistryOutputs;
  const image = randomImage([100_000]);
  /** Nothing that Redis, a shell or YAML could take for something else is left out. */
  const redisPassword = `pass "wörd" \\n $HOME '#1`;

  beforeAll(async () => {
    lab = cleanUp.add(await SwarmLab.up());
    const firstStack = cleanUp.add(await TestStack.create({ hostname: lab.machine, bindAddress: lab.machine }));
    first = await firstStack.up();
    for (const node of lab.nodes) {
      // What a user does by hand.
      expect((await lab.on(node, "sh", "-ec", first.trustCommand)).code).toBe(0);
    }
    store = cleanUp.add(await s3Store(lab.machine));
    const way = new URL(String(store.settings["storage.s3.regionEndpoint"]));
    await makeWay(way);

    const settings = {
      target: "swarm",
      hostname: lab.manager.address,
      ...store.settings,
      "storage.s3.regionEndpoint": `http://store:${way.port}`,
      "swarm.networks[0]": "stores",
      "swarm.imageDistribution.repository": `${first.repositoryPrefix}/tools/registry`,
      "swarm.imageDistribution.username": first.username,
      "swarm.redis.image": await pushRedis(),
    };
    const secrets = {
      ...store.secrets,
      "swarm.imageDistribution.password": first.password,
      "swarm.redis.password": redisPassword,
    };
    stack = cleanUp.add(await TestStack.create(settings, secrets, { DOCKER_HOST: lab.manager.host }));
    outputs = await stack.up();
  });

  /** Makes a network of the user's, and in it the name `store`. */
  async function makeWay({ host, port }: URL): Promise<void> {
    const [archive = "", , id = ""] = (await run(path.join(projectRoot, "server", "build.sh"), [])).split(" ");
    const docker = (...words: string[]): Promise<string> => lab.docker(lab.manager, ...words);
    await docker("load", "--input", archive);
    await docker("network", "create", "--driver", "overlay", "stores");
    const options = [
      "--name",
      "store",
      "--network",
      "stores",
      "--endpoint-mode",
      "dnsrr",
      "--constraint",
      "node.hostname==node1",
    ];
    await docker("service", "create", "--quiet", ...options, "--no-resolve-image", id, "forward", `:${port}`, host);
  }

  /** Brings Debian's Redis into the first registry. */
  async function pushRedis(): Promise<string> {
    const { folder } = cleanUp.add(new Workspace());
    await debianImage(folder, ["redis-server", "redis-cli"]);
    const docker = client(lab.manager);
    const name = `${first.repositoryPrefix}/tools/redis`;
    expect((await docker.login(first)).code).toBe(0);
    await docker.run("build", "--quiet", "--tag", name, folder);
    const [digest = ""] = /sha256:[0-9a-f]{64}/.exec(await docker.run("push", name)) ?? [];
    return `${name}@${digest}`;
  }

  function client(node: LabNode): DockerClient {
    return cleanUp.add(lab.client(node));
  }

  /** The registry's image, as nodes pull it. */
  function reference(): Promise<string> {
    const format = ["--format", "{{.Spec.TaskTemplate.ContainerSpec.Image}}"];
    return lab.docker(lab.manager, "service", "inspect", ...format, outputs.serviceName);
  }

  /** Files of a node's engine that make it trust registries. */
  async function trusted(node: LabNode): Promise<string[]> {
    const { stdout } = await lab.on(node, "find", "/etc/docker/certs.d", "-mindepth", "1");
    return stdout
      .split("\n")
      .filter(Boolean)
      .map((file) => file.replace("/etc/docker/certs.d/", ""))
      .sort();
  }
  const byHand = (): string[] => [first.repositoryPrefix, `${first.repositoryPrefix}/ca.crt`];

  it("has its image pulled by the nodes from the first registry, and its images in a store on a network of the user's", async () => {
    const pulled = await reference();
    expect(pulled).toMatch(new RegExp(`^${first.repositoryPrefix}/tools/registry@sha256:[0-9a-f]{64}$`));
    for (const node of lab.nodes.slice(1)) {
      expect(await lab.docker(node, "image", "inspect", "--format", "{{index .RepoDigests 0}}", pulled)).toBe(pulled);
    }
    await pushImage(outputs, "team/app", "1", image, { host: lab.manager.address });
    for (const { address } of lab.nodes.slice(1)) {
      await checkImage(outputs, "team/app", "1", image, { host: address });
    }
    expect(await store.bytes()).toBeGreaterThan(100_000);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("is not switched to a store that a task on that network could not use", async () => {
    await stack.set({ "storage.s3.bucket": "no-such-bucket" });
    await expect(stack.up()).rejects.toThrow(/storage: the registry was not switched to this store: .*no-such-bucket/);
    await stack.set({ "storage.s3.bucket": "images" });
    await checkImage(outputs, "team/app", "1", image, { host: lab.node(5).address });
    expect(await lab.docker(lab.manager, "service", "ls", "--format", "{{.Name}}")).not.toContain("-check");
  });

  describe("whose tasks share what they know of blobs in a Redis", () => {
    const redis = (): string => `${outputs.serviceName}-redis`;

    /** Asks Redis on the node that it is on. */
    async function ask(...words: string[]): Promise<string> {
      const where = ["--filter", "desired-state=running", "--format", "{{.Node}}"];
      const host = await lab.docker(lab.manager, "service", "ps", ...where, redis());
      const node = lab.nodes.find(({ name }) => name === host) ?? lab.manager;
      const container = await lab.docker(node, "ps", "--quiet", "--filter", `name=${redis()}`);
      return lab.docker(node, "exec", "--env", `REDISCLI_AUTH=${redisPassword}`, container, "redis-cli", ...words);
    }
    const keys = (): Promise<string> => ask("--scan");

    it("has them there, in memory only, for nobody without the password", async () => {
      expect(await keys()).toContain(`:team/app@${image.digest}`);
      for (const [key, value] of Object.entries({ maxmemory: "100663296", "maxmemory-policy": "allkeys-lru", save: "" })) {
        expect(await ask("config", "get", key)).toBe(`${key}\n${value}`);
      }
      expect(await ask("--user", "default", "--pass", "wrong", "ping")).toMatch(/WRONGPASS|NOAUTH/);
    });

    it("forgets on all nodes what was deleted on one, also after a collection", async () => {
      const doomed = randomImage();
      await pushImage(outputs, "team/doomed", "1", doomed, { host: lab.manager.address });
      const manifest = `/v2/team/doomed/manifests/${doomed.digest}`;
      const headers = { Accept: manifestType };
      for (const { address: host } of lab.nodes) {
        expect((await request(outputs, manifest, { host, headers })).status).toBe(200);
      }
      expect((await request(outputs, manifest, { host: lab.node(2).address, method: "DELETE" })).status).toBe(202);
      for (const { address: host } of lab.nodes) {
        expect((await request(outputs, manifest, { host, headers })).status).toBe(404);
      }

      const filter = ["--quiet", "--filter", `label=com.docker.swarm.service.name=${outputs.serviceName}`];
      const task = await lab.docker(lab.node(3), "ps", ...filter);
      expect(await lab.docker(lab.node(3), "exec", task, "/registry", "garbage-collect")).toContain("blobs:");
      for (const { address: host } of lab.nodes) {
        expect((await request(outputs, manifest, { host, headers })).status).toBe(404);
        await checkImage(outputs, "team/app", "1", image, { host });
      }
    });

    it("takes pushes and serves pulls on every node also without it, and uses it again", async () => {
      await lab.docker(lab.manager, "service", "scale", `${redis()}=0`);
      const later = randomImage([50_000, 1000]);
      for (const [index, { address: host }] of lab.nodes.entries()) {
        await pushImage(outputs, `team/without-${index}`, "1", later, { host });
        await checkImage(outputs, "team/app", "1", image, { host });
      }
      expect(await stack.pulumi("up", "--yes", "--skip-preview", "--suppress-progress")).toContain(
        `${redis()} has 0 tasks instead of 1`,
      );
      await stack.pulumi("up", "--refresh", "--yes", "--skip-preview", "--suppress-progress");
      await eventually("a descriptor in Redis", async () => {
        await checkImage(outputs, "team/without-1", "1", later, { host: lab.node(5).address });
        return (await keys()).includes(":team/without-1@");
      });
    });

    it("has its password nowhere in clear", async () => {
      const docker = (...words: string[]): Promise<string> => lab.docker(lab.manager, ...words);
      const containers = await Promise.all(
        lab.nodes.map(async (node) => lab.docker(node, "inspect", ...(await lab.docker(node, "ps", "--quiet")).split("\n"))),
      );
      const places = [
        { name: "state", text: stack.storedState() },
        { name: "services", text: await docker("service", "inspect", redis(), outputs.serviceName) },
        { name: "logs", text: await docker("service", "logs", redis()) },
        { name: "containers", text: containers.join("\n") },
        { name: "outputs", text: await stack.pulumi("stack", "output", "--json") },
      ];
      expect(readable([secretOf("Redis's password", redisPassword)], places)).toEqual([]);
    });
  });

  describe("whose nodes trust it", () => {
    it("is refused by their engines before", async () => {
      expect((await client(lab.node(4)).login(outputs)).stderr).toContain("certificate signed by unknown authority");
    });

    it("is pushed to and pulled from by them, with nothing done by hand", async () => {
      await stack.set({ "swarm.trustNodes": true });
      outputs = await stack.up();
      const pusher = client(lab.node(2));
      expect((await pusher.login(outputs)).code).toBe(0);
      const name = await pusher.buildImage(`${outputs.repositoryPrefix}/team/built:1`, [5000]);
      await pusher.run("push", name);
      for (const node of lab.nodes.slice(2)) {
        const puller = client(node);
        expect((await puller.login(outputs)).code).toBe(0);
        puller.willHave(name);
        await puller.run("pull", name);
      }
      expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
    });

    it("stays trusted where it is when Swarm rolls back its move to a port that a node has not got", async () => {
      const before = await Promise.all(lab.nodes.map(trusted));
      const [, port = ""] = outputs.repositoryPrefix.split(":");
      const other = await freePort();
      const words = ["run", "--detach", "--publish", `${other}:1`, await reference(), "forward", ":1", "192.0.2.1:1"];
      const holder = await lab.docker(lab.node(3), ...words);
      await stack.set({ port: other });
      await expect(stack.up()).rejects.toThrow(/The update of the service \S+ failed, and the service was rolled back/);
      await lab.docker(lab.node(3), "rm", "--force", holder);
      expect(await Promise.all(lab.nodes.map(trusted))).toEqual(before);
      for (const node of lab.nodes) {
        expect((await client(node).login(outputs)).code).toBe(0);
      }
      await stack.set({ port });
      outputs = await stack.up();
    });

    it("gives them a changed CA, in a file of its own beside those of others, once none of them is paused", async () => {
      const before = outputs.caCertificate;
      const { name } = lab.node(5);
      const make = (availability: string): Promise<string> =>
        lab.docker(lab.manager, "node", "update", "--availability", availability, name);
      await make("pause");
      await stack.set({ "tls.caGeneration": 2 });
      await expect(stack.up()).rejects.toThrow(`${name} is paused: docker node update --availability active ${name}`);
      await make("active");
      outputs = await stack.up();
      expect(outputs.caCertificate).not.toBe(before);
      const own = `${outputs.repositoryPrefix}/${outputs.serviceName}-trust.crt`;
      for (const node of lab.nodes) {
        expect(await trusted(node)).toEqual([...byHand(), outputs.repositoryPrefix, own].sort());
        expect((await lab.on(node, "cat", `/etc/docker/certs.d/${own}`)).stdout).toBe(outputs.caCertificate);
        expect((await client(node).login(outputs)).code).toBe(0);
      }
    });
  });

  it("leaves nothing on any node, and what others wrote", async () => {
    await stack.destroy();
    const begin = Date.now();
    for (const node of lab.nodes) {
      await eventually(`the end of trust on ${node.name}`, async () => String(await trusted(node)) === String(byHand()), 90);
    }
    console.log(`the nodes trusted it for ${Date.now() - begin} ms after it was gone`);
    expect(await lab.left(stack.resourceName)).toEqual([]);
  });
});
