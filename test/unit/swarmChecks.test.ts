import { SwarmRegistryArgs } from "../../components";
import { serviceNameProblems } from "../../components/swarm/checks";
import { allows, checkReach, pinnedNode, processorFor, SwarmNode } from "../../components/swarm/nodes";
import { parseConstraint, topologyOf } from "../../components/swarm/topology";
import { swarmRegistryProblems } from "../../components/swarm/checks";
import { completeSwarmSettings } from "../../components/swarm/settings";

const s3 = { driver: "s3", s3: { bucket: "images", region: "eu-central-1" } };
const nfs = { filesystem: { volumeOptions: { type: "nfs", o: "addr=nas" }, volume: "images" } };
const plugin = { filesystem: { volumeDriver: "rexray" } };
const folder = { filesystem: { hostPath: "/srv/images" } };
const pin = ["node.hostname == node1"];
const redisImage = `docker.io/library/redis@sha256:${"0123456789abcdef".repeat(4)}`;
const stock = `docker.io/library/registry:3@sha256:${"0123456789abcdef".repeat(4)}`;

function problems(args: SwarmRegistryArgs): string[] {
  return swarmRegistryProblems(completeSwarmSettings(args)).map(({ key, message }) => `${key}: ${message}`);
}

describe("what goes together on a Swarm", () => {
  it.each<[string, SwarmRegistryArgs, { replicas?: number; forwarders: boolean; order: string }]>([
    ["an object store", { storage: s3 }, { forwarders: false, order: "stop-first" }],
    [
      "an object store on some nodes",
      { storage: s3, swarm: { constraints: ["node.labels.registry==true"] } },
      { forwarders: false, order: "stop-first" },
    ],
    [
      "an object store and replicas",
      { storage: s3, swarm: { replicas: 3 } },
      { replicas: 3, forwarders: true, order: "start-first" },
    ],
    [
      "an object store by the routing mesh",
      { storage: s3, swarm: { publish: "ingress" } },
      { replicas: 1, forwarders: false, order: "start-first" },
    ],
    [
      "replicas by the routing mesh",
      { storage: s3, swarm: { publish: "ingress", replicas: 3 } },
      { replicas: 3, forwarders: false, order: "start-first" },
    ],
    ["a network file system", { storage: nfs }, { forwarders: false, order: "stop-first" }],
    ["a volume plugin", { storage: plugin }, { forwarders: false, order: "stop-first" }],
    ["a volume of one node", { swarm: { constraints: pin } }, { replicas: 1, forwarders: true, order: "start-first" }],
    [
      "a volume of one node, by its ID",
      { swarm: { constraints: ["node.id == 5in1k4mxr1cusqjye9xk0ov56", "node.role != worker"] } },
      { replicas: 1, forwarders: true, order: "start-first" },
    ],
    [
      "a folder of one node",
      { storage: folder, swarm: { constraints: pin } },
      { replicas: 1, forwarders: true, order: "start-first" },
    ],
    [
      "a volume of one node by the routing mesh",
      { swarm: { publish: "ingress", constraints: pin } },
      { replicas: 1, forwarders: false, order: "start-first" },
    ],
    [
      "the stock image by the routing mesh",
      { image: stock, swarm: { publish: "ingress", constraints: pin } },
      { replicas: 1, forwarders: false, order: "start-first" },
    ],
    [
      "nodes by addresses of every kind",
      {
        storage: s3,
        swarm: {
          nodes: [
            ...["ssh://node2", "ssh://me@node2:2222", "ssh://me@[fd00::2]", "ssh://me@[fd00::2]:2222", "ssh://[fd00::2]:2222"],
            ...["tcp://node2:2376", "tcp://[fd00::2]:2376", "unix:///run/node2.sock"],
          ],
        },
      },
      { forwarders: false, order: "stop-first" },
    ],
    [
      "another order",
      { storage: s3, swarm: { replicas: 2, update: { order: "stop-first" } } },
      { replicas: 2, forwarders: true, order: "stop-first" },
    ],
  ])("%s", (_, args, topology) => {
    expect(problems(args)).toEqual([]);
    expect(topologyOf(args.storage ?? {}, args.swarm ?? {})).toMatchObject(topology);
  });
});

describe("options of a volume, which stand in a definition that everybody can read", () => {
  const withOptions = (volumeOptions: Record<string, string>): SwarmRegistryArgs => ({
    storage: { filesystem: { volume: "images", volumeDriver: "shares", volumeOptions } },
  });

  it.each<[string, Record<string, string>]>([
    ["o", { type: "cifs", o: "username=u,password=hidden-word" }],
    ["o", { type: "cifs", o: "username=u,pass=hidden-word" }],
    ["o", { type: "cifs", o: "username=u,password2=hidden-word" }],
    ["o", { type: "ceph", o: "name=admin,secret=hidden-word" }],
    ["device", { device: "https://user:hidden-word@files.example.com/images" }],
    ["device", { type: "cifs", device: "//user:hidden-word@nas/images" }],
    ["o", { o: "account_key=hidden-word" }],
    ["password", { password: "hidden-word" }],
    ["share_pass", { share_pass: "hidden-word" }],
    ["sharePasswd", { sharePasswd: "hidden-word" }],
    ["PASSPHRASE", { PASSPHRASE: "hidden-word" }],
    ["secretKey", { secretKey: "hidden-word" }],
    ["auth-token", { "auth-token": "hidden-word" }],
    ["credentials", { credentials: "u:hidden-word" }],
    ["storage-account-key", { "storage-account-key": "hidden-word" }],
    ["password, o", { password: "hidden-word", share: "images", o: "secret=hidden-word" }],
  ])("are refused where one is a secret: %s of %j", (names, options) => {
    expect(problems(withOptions(options))).toEqual([
      `storage.filesystem.volumeOptions: has a password or another secret (${names}), which would stand in the service's definition ` +
        "in clear; make the volume on every node yourself, and give its storage.filesystem.volume and volumeDriver only",
    ]);
  });

  it.each<Record<string, string>>([
    { type: "nfs", o: "addr=nas,rw", device: ":/images" },
    { type: "ceph", o: "name=admin,secretfile=/etc/ceph/admin.secret", device: "192.0.2.1:6789:/" },
    { type: "ceph", device: "admin@fsid.images=/" },
    { type: "cifs", o: "credentials=/etc/share.credentials", device: "//nas/images" },
    { secretfile: "/etc/ceph/admin.secret", passwordFile: "/run/password", tokenPath: "/run/token" },
    { bypass: "true", passive: "true", passthrough: "true", compass: "north" },
  ])("are accepted where none is: %j", (options) => expect(problems(withOptions(options))).toEqual([]));
});

describe("what does not go together", () => {
  const noPin =
    'swarm.constraints: none names a node, and images are in a volume of one: on another node the task would find none of them. Add "node.hostname == <name>"';
  it.each<[string, SwarmRegistryArgs, string[]]>([
    ["a volume anywhere", {}, [noPin]],
    ["a volume, pinned by a label", { swarm: { constraints: ["node.labels.disk == fast"] } }, [noPin]],
    ["a volume, pinned away from a node", { swarm: { constraints: ["node.hostname != node1"] } }, [noPin]],
    [
      "a local driver's own options",
      { storage: { filesystem: { volume: "images", volumeOptions: { type: "btrfs" } } } },
      [noPin],
    ],
    [
      "a folder, several tasks",
      { storage: folder, swarm: { replicas: 3, constraints: pin } },
      [
        "swarm.replicas: 3 is not allowed with images in a folder of one node, where only its own task sees them; leave it out, or choose a store",
      ],
    ],
    [
      "a volume anywhere, several tasks by the mesh",
      { swarm: { publish: "ingress", replicas: 2 } },
      ["swarm.replicas: 2 is not allowed with images in a volume of one node", noPin],
    ],
    [
      "the stock image that some nodes need a forwarder for",
      { image: stock, swarm: { constraints: pin } },
      ["image: is one without the forwarder"],
    ],
    [
      "the new task first on a port of the node",
      { storage: s3, swarm: { update: { order: "start-first" } } },
      ['swarm.update.order: "start-first" is not allowed where every node has a task on its port'],
    ],
    [
      "plain HTTP, on every address of the nodes",
      { storage: s3, hostname: "127.0.0.1", tls: { mode: "off" } },
      [
        'tls.mode: "off" is accepted on loopback addresses only, and a Swarm publishes the port on every address of its nodes; choose another mode, or set allowInsecure',
      ],
    ],
    [
      "a Redis for one task",
      { swarm: { constraints: pin, redis: { image: redisImage } } },
      ["swarm.redis: is for several tasks, and the registry has one"],
    ],
    [
      "a Redis for an image without generations",
      { storage: s3, image: stock, swarm: { redis: { image: redisImage } } },
      ["swarm.redis: is for the bundled server"],
    ],
    [
      "trust in a certificate that there is not",
      { storage: s3, allowInsecure: true, tls: { mode: "off" }, swarm: { trustNodes: true } },
      ["swarm.trustNodes: is for a certificate, and tls.mode is off"],
    ],
    [
      "trust by an image that knows nothing of it",
      { storage: s3, image: stock, swarm: { trustNodes: true } },
      ["swarm.trustNodes: is done by the bundled server"],
    ],
    [
      "encryption of networks that are somebody else's",
      { storage: s3, metrics: { network: "monitoring" }, swarm: { networks: ["stores"], encryptNetworks: true } },
      ["swarm.encryptNetworks: is for networks made for the registry, and none is"],
    ],
    [
      "the Docker host",
      { storage: s3, hosts: { store: "host-gateway" } },
      ['hosts.store: "host-gateway" is not allowed on a Swarm'],
    ],
  ])("%s", (_, args, expected) => {
    const found = problems(args);
    expect(found).toEqual(expected.map((start) => expect.stringContaining(start) as string));
    expect(found.join()).not.toContain("hidden-word");
  });

  it.each<[string, SwarmRegistryArgs["swarm"], string]>([
    ["publish", { publish: "mesh" as "host" }, 'swarm.publish: "mesh" is not allowed; choose host, ingress'],
    ["replicas", { replicas: 0 }, "swarm.replicas: 0 is not allowed; give a whole number from 1 to 1000"],
    [
      "a constraint",
      { constraints: ["hostname=a"] },
      'swarm.constraints[0]: "hostname=a" is not allowed; give node.id, node.hostname,',
    ],
    ["a network", { networks: ["a b"] }, 'swarm.networks[0]: "a b" is not allowed; give the name of an overlay network'],
    ["a Docker host", { nodes: ["node2"] }, "swarm.nodes[0]: not a Docker host; give ssh://user@node"],
    ["a Docker host with a password", { nodes: ["ssh://me:hidden@node2"] }, "swarm.nodes[0]: not a Docker host"],
    [
      "a Docker host with a password at an IPv6 address",
      { nodes: ["ssh://me:hidden@[fd00::2]"] },
      "swarm.nodes[0]: not a Docker",
    ],
    ["a Docker host at half an IPv6 address", { nodes: ["ssh://me@[fd00::2"] }, "swarm.nodes[0]: not a Docker host"],
    [
      "a repository with a tag",
      { imageDistribution: { repository: "a.example.com/b:1" } },
      "swarm.imageDistribution.repository: ",
    ],
    [
      "a repository without a host",
      { imageDistribution: { repository: "team/registry" } },
      'swarm.imageDistribution.repository: "team/registry" is not allowed; give host[:port]/path without a tag',
    ],
    [
      "a repository whose first part is no host to Docker",
      { imageDistribution: { repository: "localhosts/team/registry" } },
      'swarm.imageDistribution.repository: "localhosts/team/registry" is not allowed',
    ],
    [
      "a password for nobody",
      { imageDistribution: { repository: "a.example.com/b", password: "hidden" } },
      "swarm.imageDistribution.username: is missing",
    ],
    [
      "a user without a password",
      { imageDistribution: { repository: "a.example.com/b", username: "me" } },
      "swarm.imageDistribution.password: is missing",
    ],
    [
      "a password with a line break",
      { imageDistribution: { repository: "a.example.com/b", username: "me", password: "hidden\n" } },
      "swarm.imageDistribution.password: has a line break",
    ],
    [
      "a login for nothing",
      { imageDistribution: { username: "me", password: "hidden" } },
      "swarm.imageDistribution.username: is for a registry that the nodes pull from",
    ],
    [
      "the order",
      { update: { order: "together" as "stop-first" } },
      'swarm.update.order: "together" is not allowed; choose stop-first, start-first',
    ],
    [
      "a Redis that may change",
      { redis: { image: "redis:7" } },
      'swarm.redis.image: "redis:7" is not allowed; use a reference pinned',
    ],
    [
      "an empty password of the Redis",
      { redis: { image: redisImage, password: "" } },
      "swarm.redis.password: is empty; leave it out for a generated one",
    ],
    [
      "its memory",
      { redis: { image: redisImage, memory: 8 } },
      "swarm.redis.memory: 8 is not allowed; give a whole number from 16",
    ],
    ["the monitor", { update: { monitorSeconds: 0 } }, "swarm.update.monitorSeconds: 0 is not allowed"],
  ])("%s", (_, swarm, expected) => {
    const found = problems({ storage: s3, swarm });
    expect(found).toEqual([expect.stringContaining(expected)]);
    expect(found.join()).not.toContain("hidden");
  });

  it.each([
    "docker.io/team/registry",
    "registry.example.com/registry",
    "registry.example.com:5000/tools/registry",
    "registry:5000/registry",
    "localhost/registry",
    "localhost:5000/tools/registry",
    "192.0.2.1/registry",
  ])("but not the repository %s", (repository) => {
    expect(problems({ storage: s3, swarm: { imageDistribution: { repository } } })).toEqual([]);
  });

  it("the network of metrics", () => {
    expect(problems({ storage: s3, metrics: { network: "a b" } })).toEqual([
      'metrics.network: "a b" is not allowed; give the name of an overlay network',
    ]);
  });

  it("names that Swarm does not take", () => {
    expect(["registry", "container-registry-lab", "a_b"].flatMap(serviceNameProblems)).toEqual([]);
    expect(["a.b", "a-", "x".repeat(37)].map((name) => serviceNameProblems(name).length)).toEqual([1, 1, 1]);
  });
});

describe("the nodes", () => {
  const node = (name: string, more: Partial<SwarmNode> = {}): SwarmNode => ({
    id: `id-${name}`,
    hostname: name,
    ready: true,
    facts: { "node.id": `id-${name}`, "node.hostname": name, "node.role": "manager", "node.labels.disk": "fast" },
    engine: { host: `ssh://${name}` },
    ...more,
  });

  it.each([
    ["node.hostname == a", true],
    ["node.hostname==A", true],
    ["Node.Hostname != a", false],
    ["node.labels.disk != slow", true],
    ["node.labels.unknown == x", false],
    ["node.labels.unknown != x", true],
    ["node.role == worker", false],
  ])("%s fits a node: %s", (text, fits) => {
    const constraint = parseConstraint(text);
    expect(constraint).toBeDefined();
    expect(allows(constraint === undefined ? [] : [constraint], node("a"))).toBe(fits);
  });

  it("are told by name when they would lack the image", () => {
    expect(() => checkReach([node("a"), node("down", { ready: false, engine: undefined })])).not.toThrow();
    expect(() => checkReach([node("a"), node("b", { engine: undefined }), node("c", { engine: undefined })])).toThrow(
      /these nodes of the Swarm need the bundled image, and no Docker host in swarm.nodes that answers leads to them: b, c\. Add/,
    );
  });

  it("are told by name when they may have just gone down, with the hosts that gave no answer", () => {
    expect(() => checkReach([node("a"), node("b", { engine: undefined, silent: ["ssh://b"] })])).toThrow(
      /leads to them: b\. No answer came from ssh:\/\/b\. .*"docker node ls" has it as Down, and run: pulumi up\. Otherwise add/,
    );
  });

  describe("that run the bundled image", () => {
    const of = (name: string, arch: string, more: Partial<SwarmNode> = {}): SwarmNode => {
      const known = node(name, more);
      return { ...known, facts: { ...known.facts, "node.platform.arch": arch } };
    };
    const manager = of("a", "aarch64", { engine: {} });
    const drained = { ...manager, ready: false };
    const [worker, other, down] = [of("b", "x86_64"), of("c", "riscv64"), of("c", "riscv64", { ready: false })];
    const processor = (nodes: SwarmNode[], texts: string[], trial?: "container" | "task"): string | undefined =>
      processorFor(
        nodes,
        texts.flatMap((each) => parseConstraint(each) ?? []),
        {},
        trial,
      );
    const onWorkers = ["node.hostname != a"];

    it.each<[string, SwarmNode[], string[], "container" | "task" | undefined, string | undefined]>([
      ["of all", [manager, of("b", "aarch64")], [], "container", "aarch64"],
      ["of those with tasks", [manager, worker, down], onWorkers, undefined, "x86_64"],
      ["of those with tasks, which a drained manager has none of", [drained, worker], [], undefined, "x86_64"],
      ["of those with tasks, where a drained manager tries no store", [drained, worker], [], "task", "x86_64"],
      ["of a manager that tries the store, while the others are down", [manager, down], onWorkers, "task", "aarch64"],
      ["of none that is known", [], [], "container", undefined],
    ])("need it for the processor %s", (_, nodes, constraints, trial, expected) => {
      expect(processor(nodes, constraints, trial)).toBe(expected);
    });

    it.each<[string, SwarmNode[], string[], "container" | "task" | undefined, string]>([
      ["have tasks", [manager, worker, other], onWorkers, undefined, "b (x86_64), c (riscv64)"],
      ["have tasks, also the manager", [manager, worker], [], undefined, "a (aarch64), b (x86_64)"],
      ["have tasks or try the store", [drained, worker], onWorkers, "container", "a (aarch64), b (x86_64)"],
      ["have tasks or try the store by one", [manager, worker], onWorkers, "task", "a (aarch64), b (x86_64)"],
    ])("are told by name when several processors of them %s", (_, nodes, constraints, trial, names) => {
      expect(() => processor(nodes, constraints, trial)).toThrow(
        `image: the bundled image is for one kind of processor, and the nodes that need it have several: ${names}. Name an image`,
      );
    });
  });

  it("are told by name when none or more than one fits the images' place", () => {
    const onA = [{ key: "node.hostname", equal: true, value: "a" }];
    expect(pinnedNode([node("a"), node("b")], onA).hostname).toBe("a");
    expect(() => pinnedNode([node("b")], onA)).toThrow(
      "swarm.constraints: no node fits, and images are on one; the nodes are b (id-b)",
    );
    expect(() => pinnedNode([node("a"), node("a", { id: "gone", ready: false })], onA)).toThrow(
      "swarm.constraints: more than one node fits, and images are on one; the nodes are a (id-a), a (gone, down, drained or paused). " +
        "Name it by its ID (node.id == …), or remove one that will not come back (docker node rm)",
    );
    expect(() => pinnedNode([node("a", { engine: undefined })], onA)).toThrow(
      "swarm.nodes: images are to be kept on a (id-a), and no Docker host that answers leads to it; add one (ssh://user@a), or bring the node back",
    );
    expect(() => pinnedNode([node("a", { engine: undefined, ready: false })], onA)).toThrow(
      "on a (id-a, down, drained or paused), and no",
    );
  });
});
