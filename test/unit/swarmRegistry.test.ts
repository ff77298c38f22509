import { setTimeout as pause } from "timers/promises";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { FilesystemStorage, SwarmRegistry, SwarmRegistryArgs } from "../../components";
import { buildBundledImage } from "../../components/docker/bundledImage";
import { checkFolder } from "../../components/docker/folderTrial";
import { pushImage } from "../../components/docker/imagePush";
import { checkStore } from "../../components/docker/storeCheck";
import { withName } from "../../components/docker/takenNames";
import { renderRedisConfiguration } from "../../components/render/redis";
import { untilRolledOut, untilUpdated } from "../../components/swarm/rollout";
import { SwarmNode, swarmNodes } from "../../components/swarm/nodes";
import { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { MockedDeployment } from "../support/mockedDeployment";
import { valueOf } from "../support/mocks";
import { makeCertificate } from "../support/pki";

// What is asked of the engines beside the provider; swarmEngine.test.ts has the tests.
jest.mock("../../components/docker/bundledImage", () => ({
  ...jest.requireActual<object>("../../components/docker/bundledImage"),
  buildBundledImage: jest.fn(() => Promise.resolve({ file: "/image.tar", name: "container-registry:1", tag: "1" })),
  loadImage: (engine: object, _: object, name: string) => {
    loaded.push(`${name} on ${JSON.stringify(engine)}`);
    return Promise.resolve();
  },
}));
jest.mock("../../components/docker/folderTrial", () => ({
  checkFolder: jest.fn(() => Promise.resolve()),
  handOverAgain: jest.fn(() => Promise.resolve()),
}));
jest.mock("../../components/docker/storeCheck", () => ({ checkStore: jest.fn(() => Promise.resolve()) }));
jest.mock("../../components/docker/takenNames", () => ({ withName: jest.fn((engine: unknown) => engine) }));
jest.mock("../../components/swarm/takenPort", () => ({ withFreePort: (engine: unknown) => engine }));
jest.mock("../../components/swarm/rollout", () => ({
  untilRolledOut: jest.fn(() => Promise.resolve()),
  untilUpdated: jest.fn(() => Promise.resolve()),
}));
jest.mock("../../components/docker/imagePush", () => ({
  pushedReference: (_: object, __: string, repository: string) => Promise.resolve(known.get(repository)),
  pushImage: jest.fn((_: object, __: string, name: string) => Promise.resolve(`${name.replace(/:1$/, "")}@sha256:pushed`)),
}));
jest.mock("../../components/docker/volumeOwner", () => ({
  ...jest.requireActual<object>("../../components/docker/volumeOwner"),
  checkOwner: jest.fn(() => Promise.resolve(true)),
  checkPresence: jest.fn(() => Promise.resolve()),
}));
jest.mock("../../components/swarm/nodes", () => ({
  ...jest.requireActual<object>("../../components/swarm/nodes"),
  swarmNodes: jest.fn(),
  overlayNetworkId: (_: object, name: string) => Promise.resolve(`<network ${name}>`),
}));

const loaded: string[] = [];
/** What the engine knows to be in repositories. */
const known = new Map<string, string>();
const node = (name: string, engine?: string): SwarmNode => ({
  id: `id-${name}`,
  hostname: name,
  ready: true,
  facts: { "node.id": `id-${name}`, "node.hostname": name },
  engine: engine === undefined ? undefined : { host: engine },
});

const s3 = {
  driver: "s3",
  s3: { bucket: "images", region: "eu-central-1", accessKey: "GIVEN-access", secretKey: "GIVEN-secret" },
};
const onNode2 = { constraints: ["node.hostname == node2"] };
const stock = `docker.io/library/registry:3@sha256:${"0123456789abcdef".repeat(4)}`;
const pushed = { repository: "tools.example.com/team/registry", username: "puller", password: "GIVEN-password" };

const variants: Record<string, SwarmRegistryArgs> = {
  "a task on every node": { storage: s3 },
  "one task and forwarders": { swarm: onNode2 },
  "a task on every node, with an audit": { storage: s3, logs: { audit: "all" } },
  "one task on a folder, in a lab": { lab: true, storage: { filesystem: { hostPath: "/srv/images" } }, swarm: onNode2 },
  "replicas by the routing mesh": {
    storage: s3,
    port: 443,
    resources: { memory: 1024, reservedMemory: 256 },
    swarm: {
      publish: "ingress",
      replicas: 3,
      networks: ["stores"],
      update: { parallelism: 2, order: "stop-first", monitorSeconds: 30 },
    },
  },
  "a network file system": {
    storage: { filesystem: { volume: "images", volumeOptions: { type: "nfs", o: "addr=192.0.2.1,rw", device: ":/images" } } },
  },
  "an image that is pushed": { storage: s3, swarm: { imageDistribution: pushed } },
  "nodes that trust its CA": { storage: s3, hostname: "registry.example.com", swarm: { trustNodes: true } },
  "tasks that share a Redis": {
    storage: s3,
    swarm: {
      imageDistribution: pushed,
      redis: { image: `tools.example.com/redis@sha256:${"0123456789abcdef".repeat(4)}`, password: "GIVEN-redis", memory: 64 },
    },
  },
  "tasks that tell Prometheus": { storage: s3, metrics: {} },
  "the stock image": { storage: s3, image: stock, hosts: { store: "192.0.2.9" } },
};

function deploy(args: SwarmRegistryArgs, preview = false): ReturnType<typeof MockedDeployment.run<SwarmRegistry>> {
  return MockedDeployment.run(() => new SwarmRegistry("registry", args), { preview });
}

beforeEach(() => {
  loaded.length = 0;
  jest.clearAllMocks();
  jest.mocked(swarmNodes).mockResolvedValue([node("node1", "unix:///manager"), node("node2", "ssh://node2")]);
});

describe("a registry on a Swarm", () => {
  it("is made of these, with one task and forwarders", async () => {
    const { deployment } = await deploy(variants["one task and forwarders"] ?? {});
    expect(deployment.list().filter((line) => !/^(tls|random)\./.test(line))).toMatchInlineSnapshot(`
      [
        "container-registry.RegistryCertificate registry-tls in registry",
        "container-registry.RegistryUsers registry-users in registry",
        "container-registry.ServerVolume registry-data in registry",
        "container-registry.SwarmImage registry-image in registry",
        "container-registry.SwarmRegistry registry in ",
        "docker.Network registry-network in registry",
        "docker.RemoteImage registry-image in registry-image",
        "docker.Secret registry-certificate in registry",
        "docker.Secret registry-configuration in registry",
        "docker.Secret registry-forwarder-key in registry",
        "docker.Secret registry-users in registry",
        "docker.Service registry in registry",
        "docker.Service registry-forwarder in registry",
        "docker.Volume registry-data in registry-data",
        "pulumi.docker registry-data-node in registry",
      ]
    `);
  });

  it("has no forwarders, no network and no volume of its own where every node has a task", async () => {
    const { deployment } = await deploy(variants["a task on every node"] ?? {});
    expect(deployment.list().filter((line) => /^docker\.(Service|Network|Volume|Container) /.test(line))).toEqual([
      "docker.Service registry in registry",
    ]);
  });

  it("frees the nodes' port of forwarders before a service that is made anew wants it, also for another way of publishing", async () => {
    const { deployment } = await deploy(variants["one task and forwarders"] ?? {});
    expect(deployment.find("docker.Service", "registry-forwarder").options).toMatchObject({
      dependsOn: expect.arrayContaining(["registry"]) as string[],
      replaceWith: ["registry"],
    });
    expect(deployment.find("docker.Service", "registry").options).toMatchObject({ replacementTrigger: "host" });
    const meshed = await deploy(variants["replicas by the routing mesh"] ?? {});
    expect(meshed.deployment.find("docker.Service", "registry").options).toMatchObject({ replacementTrigger: "ingress" });
  });

  it("makes the service anew for another kind, which Swarm refuses, but not for another number of tasks", async () => {
    const { deployment } = await deploy(variants["a task on every node"] ?? {});
    expect(deployment.find("docker.Service", "registry").options).toMatchObject({ replaceOnChanges: ["mode.global"] });
  });

  const services = async (name: string): Promise<MockedDeployment> =>
    (await deploy(variants[name] ?? {})).deployment.only(/^docker\.(Service|Network|Volume|Container)$/);
  const [standard = "", ...others] = Object.keys(variants);

  it(`asks for these, as ${standard}`, async () => {
    expect((await services(standard)).text()).toMatchSnapshot();
  });

  it.each(others)("asks for these, as %s", async (name) => {
    expect((await services(name)).text(await services(standard))).toMatchSnapshot();
  });

  it.each(Object.keys(variants))("has every secret in a Swarm secret that only the server reads, as %s", async (name) => {
    const { deployment } = await deploy(variants[name] ?? {});
    const secrets = deployment.resources.filter(({ type }) => type === "docker:index/secret:Secret");
    const redis = variants[name]?.swarm?.redis === undefined ? [] : ["registry-redis"];
    expect(secrets.map((each) => each.name)).toEqual([
      "registry-certificate",
      "registry-configuration",
      ...(deployment.list().includes("docker.Service registry-forwarder in registry") ? ["registry-forwarder-key"] : []),
      ...redis,
      "registry-users",
    ]);
    for (const { inputs } of secrets) {
      expect(inputs).toEqual({ data: { secret: expect.any(String) as string } });
    }
    const elsewhere = deployment.resources.filter(({ type }) => type !== "docker:index/secret:Secret");
    const plain = JSON.stringify(elsewhere, (_, value: unknown) =>
      typeof value === "object" && value !== null && "secret" in value ? "hidden" : value,
    );
    expect(plain).not.toMatch(/GIVEN|BEGIN [A-Z ]*PRIVATE/);
  });

  it("has another volume for other options of a network share, as nodes keep the first ones of a name", async () => {
    const sourceWith = async (filesystem: FilesystemStorage): Promise<unknown> => {
      const { deployment } = await deploy({ storage: { filesystem } });
      const { inputs } = deployment.find("docker.Service", "registry");
      const spec = inputs.taskSpec as { containerSpec: { mounts: { source: unknown; volumeOptions?: unknown }[] } };
      return spec.containerSpec.mounts.find(({ volumeOptions }) => volumeOptions !== undefined)?.source;
    };
    const nfs = (o: string): FilesystemStorage => ({
      volumeDriver: "local",
      volumeOptions: { type: "nfs", o, device: ":/images" },
    });
    const [first, second, again] = [
      await sourceWith(nfs("addr=192.0.2.1")),
      await sourceWith(nfs("addr=192.0.2.2")),
      await sourceWith(nfs("addr=192.0.2.1")),
    ];
    expect(first).toMatch(/^registry-data-[0-9a-f]{8}$/);
    expect(second).not.toBe(first);
    expect(again).toBe(first);
    // To another driver the name may be all there is.
    expect(await sourceWith({ volumeDriver: "shares" })).toBe("registry-data");
    expect(await sourceWith({ ...nfs("addr=192.0.2.1"), volume: "images" })).toBe("images");
  });

  it("keeps a volume's options secret, whatever they are called", async () => {
    const volumeOptions = { type: "nfs", "what-opens-it": "GIVEN-option" };
    const filesystem = { volume: "images", volumeDriver: "shares", volumeOptions };
    const { deployment } = await deploy({ storage: { filesystem } });
    expect(deployment.find("docker.Service", "registry").inputs).toMatchObject({
      taskSpec: {
        containerSpec: { mounts: [{}, { volumeOptions: { driverName: "shares", driverOptions: { secret: volumeOptions } } }] },
      },
    });
  });

  it("has the image loaded on every node before a task asks for it, and nowhere in preview", async () => {
    await deploy(variants["a task on every node"] ?? {}, true);
    expect(loaded).toEqual([]);
    await deploy(variants["a task on every node"] ?? {});
    const tag = "127.0.0.1:0/registry-image:1";
    expect(loaded).toEqual([`${tag} on {}`, `${tag} on {"host":"unix:///manager"}`, `${tag} on {"host":"ssh://node2"}`]);
  });

  it("has the image built for the nodes that run it, whatever the manager is, where it is loaded and where it is pulled", async () => {
    const of = (name: string, arch: string, engine: object): SwarmNode => {
      const { facts, ...known } = node(name);
      return { ...known, engine, facts: { ...facts, "node.platform.arch": arch } };
    };
    jest.mocked(swarmNodes).mockResolvedValue([of("node1", "aarch64", {}), of("node2", "x86_64", { host: "ssh://node2" })]);
    const storage = { filesystem: { volumeDriver: "shares" } };
    const onOthers = { publish: "ingress" as const, constraints: ["node.hostname != node1"], nodes: ["ssh://node2"] };
    await deploy({ storage, swarm: onOthers });
    await deploy({ storage, swarm: { ...onOthers, imageDistribution: pushed } });
    expect(jest.mocked(swarmNodes).mock.calls.map(([, hosts]) => hosts)).toEqual([["ssh://node2"], []]);
    expect(jest.mocked(buildBundledImage).mock.calls.map(([, processor]) => processor)).toEqual(["x86_64", "x86_64"]);
    const tag = "127.0.0.1:0/registry-image:1";
    expect(loaded).toEqual([`${tag} on {}`, `${tag} on {"host":"ssh://node2"}`, `${tag} on {}`]);
  });

  it("lets go of the image of ended tasks", async () => {
    const { deployment } = await deploy(variants["a task on every node"] ?? {});
    expect(deployment.find("docker.RemoteImage", "registry-image").inputs).toMatchObject({ forceRemove: true });
  });

  it("has an engine hand over a folder by its own ID of the image", async () => {
    const { deployment } = await deploy(variants["one task on a folder, in a lab"] ?? {});
    expect(loaded).toContain('registry-data-image:1 on {"host":"ssh://node2"}');
    expect(deployment.find("docker.Container", "registry-data-owner").inputs.image).toBe("<image registry-data-image>");
    const folder = expect.objectContaining({ hostPath: "/srv/images" }) as object;
    expect(checkFolder).toHaveBeenCalledWith({ host: "ssh://node2" }, "registry", "<image registry-data-image>", folder);
  });

  it("pushes the image where nodes pull it from, with the login that they are given", async () => {
    const { deployment } = await deploy(variants["an image that is pushed"] ?? {});
    expect(pushImage).toHaveBeenCalledWith(
      expect.anything(),
      "127.0.0.1:0/registry-image:1",
      "tools.example.com/team/registry:1",
      {
        username: "puller",
        password: "GIVEN-password",
      },
    );
    expect(deployment.find("docker.Service", "registry").inputs).toMatchObject({
      auth: { serverAddress: "tools.example.com", username: "puller", password: { secret: "GIVEN-password" } },
      taskSpec: { containerSpec: { image: "tools.example.com/team/registry@sha256:pushed" } },
    });
  });

  it("names a pushed image in preview as in the deployment before, and none that has yet to be pushed", async () => {
    const { repository } = pushed;
    const imageInPreview = async (): Promise<object> => {
      const { deployment } = await deploy(variants["an image that is pushed"] ?? {}, true);
      return deployment.find("docker.Service", "registry").inputs;
    };
    expect(await imageInPreview()).toMatchObject({ taskSpec: { containerSpec: { image: pulumi.runtime.unknownValue } } });
    known.set(repository, `${repository}@sha256:before`);
    expect(await imageInPreview()).toMatchObject({ taskSpec: { containerSpec: { image: `${repository}@sha256:before` } } });
  });

  it("gives every service the login that its image is pulled with", async () => {
    const swarm = { imageDistribution: pushed, replicas: 2, trustNodes: true };
    const { deployment } = await deploy({ storage: s3, swarm });
    const services = deployment.resources.filter(({ type }) => type === "docker:index/service:Service");
    expect(services.map(({ name }) => name)).toEqual(["registry", "registry-forwarder", "registry-trust"]);
    for (const { inputs } of services) {
      expect(inputs).toMatchObject({ auth: { username: "puller", password: { secret: "GIVEN-password" } } });
    }
  });

  it("gives Redis no login of another registry, a password of its own, and its address to the server", async () => {
    const redis = { image: `docker.io/library/redis@sha256:${"0123456789abcdef".repeat(4)}` };
    const { deployment } = await deploy({ storage: s3, swarm: { imageDistribution: pushed, redis } });
    expect(deployment.find("docker.Service", "registry-redis").inputs).not.toHaveProperty("auth");
    const file = (name: string): string => {
      const { secret } = deployment.find("docker.Secret", name).inputs.data as { secret: string };
      return Buffer.from(secret, "base64").toString();
    };
    const password = "<password registry-redis-password>";
    expect(file("registry-configuration")).toContain(
      `redis:\n  addrs:\n    - tasks.registry-redis:6379\n  password: ${password}\n`,
    );
    expect(file("registry-configuration")).toContain("blobdescriptor: redis");
    expect(file("registry-redis")).toBe(renderRedisConfiguration(password, 128));
  });

  it.each<[string, SwarmRegistryArgs, (string | undefined)[]]>([
    ["nowhere with an object store", variants["a task on every node"] ?? {}, []],
    ["on every node for its audit", variants["a task on every node, with an audit"] ?? {}, [undefined]],
    ["on the node that has the images", variants["one task and forwarders"] ?? {}, ["ssh://node2"]],
    ["on every node that shares a volume by it", { storage: { filesystem: { volumeDriver: "shares" } } }, [undefined]],
    ["nowhere where they share another", { storage: { filesystem: { volumeDriver: "shares", volume: "images" } } }, []],
  ])("has its name for volumes: %s", async (_, args, hosts) => {
    await deploy(args);
    const taken = jest.mocked(withName).mock.calls.map(async ([engine]) => (await valueOf(engine)).value.host);
    expect(await Promise.all(taken)).toStrictEqual(hosts);
  });

  it("tries a store before the tasks are switched to it, on the manager", async () => {
    await deploy(variants["a task on every node"] ?? {}, true);
    await deploy(variants["one task and forwarders"] ?? {});
    await deploy(variants["the stock image"] ?? {});
    expect(checkStore).not.toHaveBeenCalled();
    await deploy(variants["a task on every node"] ?? {});
    expect(checkStore).toHaveBeenCalledWith({
      engine: expect.anything() as object,
      imageId: "127.0.0.1:0/registry-image:1",
      serviceName: "registry",
      configurationPath: expect.stringMatching(/config-[0-9a-f]{16}\.yml$/) as string,
      configuration: expect.stringContaining("secretkey: GIVEN-secret") as string,
      environment: ["GOMEMLIMIT=460MiB"],
      hosts: [],
      task: undefined,
      patience: 0,
      ownVolume: false,
    });
  });

  it.each<[string, SwarmRegistryArgs, string[]]>([
    ["a network of the Swarm leads to it", variants["replicas by the routing mesh"] ?? {}, ["stores"]],
    [
      "its CA is a private one",
      { storage: { ...s3, caCertificates: makeCertificate({ subject: "CA", authority: true }).certificate } },
      [],
    ],
  ])("tries a store by a task where %s", async (_, args, networks) => {
    await deploy(args);
    const [[flight] = []] = jest.mocked(checkStore).mock.calls;
    expect(flight?.task?.networks).toEqual(networks);
    expect(flight?.task?.files[0]).toEqual({
      secretName: "<secret registry-configuration>",
      fileName: flight?.configurationPath,
      fileUid: "65532",
    });
  });

  it("tries a folder by the engine of its node, once that has handed it over", async () => {
    await deploy(variants["one task on a folder, in a lab"] ?? {});
    const [[flight] = []] = jest.mocked(checkStore).mock.calls;
    expect(flight).toMatchObject({
      imageId: "<image registry-data-image>",
      serviceName: "registry",
      configuration: expect.stringContaining("rootdirectory: /var/lib/registry") as string,
      folder: { engine: { host: "ssh://node2" }, source: "/srv/images", target: "/var/lib/registry" },
      task: undefined,
    });
    expect(flight?.engine.host).not.toBe("ssh://node2");
  });

  it("tries a volume that nodes share by a task, where the registry's own may be", async () => {
    const volumeOptions = { type: "nfs", o: "addr=192.0.2.1", device: ":/images" };
    const swarm = { constraints: ["node.role == manager"] };
    const storage = { filesystem: { volume: "images", volumeOptions } };
    await deploy({ storage, swarm }, true);
    expect(checkStore).not.toHaveBeenCalled();
    await deploy({ storage, swarm });
    const [[flight] = []] = jest.mocked(checkStore).mock.calls;
    expect(flight).toMatchObject({
      imageId: "127.0.0.1:0/registry-image:1",
      folder: { source: "images", target: "/var/lib/registry", driver: "local", options: volumeOptions },
      task: { networks: [], constraints: swarm.constraints },
    });
    expect(flight?.folder).not.toHaveProperty("engine");
  });

  it("waits until registry and forwarders run, but not in preview", async () => {
    await deploy(variants["one task and forwarders"] ?? {}, true);
    expect(untilRolledOut).not.toHaveBeenCalled();
    await deploy(variants["one task and forwarders"] ?? {});
    expect(jest.mocked(untilRolledOut).mock.calls.map(([, ...service]) => service)).toEqual([
      ["registry", 1],
      ["registry-forwarder", undefined],
    ]);
  });

  // A failed update brings back tasks that want the Redis, the forwarders' port and the nodes' trust of before.
  it("updates what the registry's tasks need only once theirs has been, and the nodes' trust last", async () => {
    const since: Record<string, string[]> = {};
    jest.mocked(untilUpdated).mockImplementation(async (_, service) => {
      await pause(100);
      const monitor = pulumi.runtime.getMonitor() as unknown as MockMonitor;
      const register = monitor.registerResource.bind(monitor);
      const made: string[] = (since[service] = []);
      monitor.registerResource = (request: RegisterResourceRequest, callback: Parameters<typeof register>[1]) => {
        made.push(...(request.getType() === "docker:index/service:Service" ? [request.getName()] : []));
        return register(request, callback);
      };
    });
    const redis = { image: `docker.io/library/redis@sha256:${"0123456789abcdef".repeat(4)}` };
    const args = { storage: s3, swarm: { replicas: 2, redis, trustNodes: true } };
    await deploy(args, true);
    expect(since).toEqual({});
    await deploy(args);
    expect(since.registry?.sort()).toEqual(["registry-forwarder", "registry-redis", "registry-trust"]);
    expect(since["registry-forwarder"]).toEqual(["registry-trust"]);
  });

  // An `up` by an update plan stops at a resource that depends on something else than in the preview.
  it.each(Object.entries(variants))("has the same depend on the same in a preview, with %s", async (_, args) => {
    const dependencies = async (preview: boolean): Promise<object> => {
      const program = (): SwarmRegistry => {
        const manager = new docker.Provider("manager", { host: "ssh://root@manager.example.com" });
        return new SwarmRegistry("registry", args, { providers: [manager] });
      };
      return (await MockedDeployment.run(program, { preview })).deployment.dependencies();
    };
    expect(await dependencies(true)).toEqual(await dependencies(false));
  });

  it("has its own networks encrypted, under names of their own, and none that it joins", async () => {
    const swarm = { ...onNode2, networks: ["stores"], encryptNetworks: true };
    const { deployment } = await deploy({ port: 5002, metrics: {}, swarm });
    const options = { encrypted: "true" };
    expect(deployment.find("docker.Network", "registry-network-encrypted").inputs).toEqual({
      name: "registry-encrypted",
      driver: "overlay",
      options,
    });
    expect(deployment.find("docker.Network", "registry-metrics-encrypted").inputs).toEqual({
      name: "registry-metrics-encrypted",
      driver: "overlay",
      attachable: true,
      options,
    });
    expect(deployment.list().filter((line) => line.startsWith("docker.Network"))).toHaveLength(2);
  });

  it("tells Prometheus on a network that containers can join, or on one that is there", async () => {
    const { made, deployment } = await deploy(variants["tasks that tell Prometheus"] ?? {});
    expect(deployment.find("docker.Network", "registry-metrics").inputs).toEqual({
      name: "registry-metrics",
      driver: "overlay",
      attachable: true,
    });
    expect((await valueOf(made.metricsEndpoint)).value).toBe("http://tasks.registry:5002/metrics");
    expect(`\n${(await valueOf(made.scrapeConfig)).value}`).toMatchInlineSnapshot(`
      "
      scrape_configs:
        - job_name: registry
          dns_sd_configs:
            - names:
                - tasks.registry
              type: A
              port: 5002
              refresh_interval: 15s
          relabel_configs:
            - target_label: app
              replacement: container-registry
      "
    `);
    const there = await deploy({
      storage: s3,
      port: 5002,
      metrics: { network: "monitoring" },
      swarm: { networks: ["monitoring"] },
    });
    expect(there.deployment.list().filter((line) => line.startsWith("docker.Network"))).toEqual([]);
    expect(there.deployment.find("docker.Service", "registry").inputs).toMatchObject({
      taskSpec: { networksAdvanceds: [{ id: "<network monitoring>" }] },
    });
  });

  it("refuses what is wrong before it makes anything", () => {
    expect(() => new SwarmRegistry("registry", {})).toThrow("swarm.constraints: none names a node");
    expect(() => new SwarmRegistry("my.registry", { storage: s3 })).toThrow('name: "my.registry" is not allowed');
    const storage = { filesystem: { volume: "registry-data" } };
    expect(() => new SwarmRegistry("registry", { storage, swarm: onNode2 })).toThrow(
      'storage.filesystem.volume: "registry-data" is a volume of the registry\'s own',
    );
    const audited = { filesystem: { volume: "registry-audit", volumeDriver: "shares" } };
    expect(() => new SwarmRegistry("registry", { storage: audited, logs: { audit: "all" } })).toThrow(
      'storage.filesystem.volume: "registry-audit" is a volume of the registry\'s own',
    );
  });

  it.each(["data", "files", "audit", "mirror-data"])(
    "takes a shared volume by a name that nothing else has there: -%s",
    async (part) => {
      const volume = `registry-${part}`;
      const { deployment } = await deploy({ storage: { filesystem: { volume, volumeDriver: "shares" } } });
      expect(deployment.find("docker.Service", "registry").inputs).toMatchObject({
        taskSpec: {
          containerSpec: { mounts: expect.arrayContaining([expect.objectContaining({ source: volume })]) as object[] },
        },
      });
    },
  );

  it.each([
    [undefined, "registry.example.com:5000"],
    ["https://registry.example.com:5000", "registry.example.com:5000"],
    ["https://Registry.example.com", "registry.example.com"],
    ["https://images.example.com:8443/", "images.example.com:8443"],
    ["https://[2001:db8:0::1]", "[2001:db8:0::1]"],
  ])("has nodes trust the name that images begin with, and its own, with externalUrl %s", async (externalUrl, prefix) => {
    const args = { storage: s3, hostname: "registry.example.com", externalUrl, swarm: { trustNodes: true } };
    const { made, deployment } = await deploy(args);
    expect((await valueOf(made.repositoryPrefix)).value).toBe(prefix);
    expect((await valueOf(made.trustCommand)).value).toContain(`"$certs/${prefix}/ca.crt"`);
    const addresses = new Set([prefix, "registry.example.com:5000"]);
    const command = ["registry-trust", "/certificates.pem", "/etc/docker/certs.d", ...addresses];
    expect(deployment.find("docker.Service", "registry-trust").inputs).toMatchObject({
      taskSpec: {
        containerSpec: { args: ["trust", ...command], healthcheck: { tests: expect.arrayContaining(command) as string[] } },
      },
    });
  });

  it("tells what the other targets tell", async () => {
    const { made } = await deploy(variants["a task on every node"] ?? {});
    expect((await valueOf(made.endpoint)).value).toBe("https://localhost:5000");
    expect(await valueOf(made.password)).toMatchObject({ secret: true });
    expect((await valueOf(made.serviceName)).value).toBe("registry");
  });
});
