import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Authentication, GarbageCollection, Tls, User } from "../args/registry";
import { nameProblems } from "../checks/container";
import { registryProblems } from "../checks/registry";
import { containerPort, dataFolder, drainSeconds, filesFolder, proxiedPort } from "../render/configuration";
import { localEngine } from "../docker/engine";
import { checkDockerContext, engineOf, onDockerEngine } from "../docker/engineChoice";
import { hostPort } from "../checks/hosts";
import { checkArguments } from "../checks/inputs";
import { livenessCheck } from "../docker/liveness";
import { checkStore, newStorePatience } from "../docker/storeCheck";
import { Problem } from "../checks/problems";
import { driverOf } from "../render/driverParameters";
import { untilRolledOut } from "../docker/rollout";
import { defaultRedisMemory, serviceNameProblems, swarmProblems, SwarmSettings } from "./checks";
import { overlayNetworkId, pinnedNode, SwarmNode, swarmNodes } from "./nodes";
import { isShared, parseConstraint, Topology, topologyOf } from "./topology";
import { isForeign, RegistryData } from "../selfHosted/serverVolume";
import { RegistryImage } from "../selfHosted/serverImage";
import { clientOutputs, RegistryParts, registryParts } from "../selfHosted/registryParts";
import { SwarmImage } from "./swarmImage";
import { Storage } from "../args/storage";
import { Publish, Redis, Swarm, SwarmResources } from "../args/swarm";
import { addedBySwarm, confinement, logDriver, MiB, restartPolicy, rollout, swarmSecret } from "./swarmService";
import { SwarmRedis } from "./swarmRedis";
import { SwarmTrust } from "./swarmTrust";

/** A registry on a Docker Swarm. */
export interface SwarmRegistryArgs {
  /** DNS name or IP address that clients use, without port; it is in the certificate and in image names. Default: `localhost`. */
  hostname?: string;
  /** Port on every node, 1 to 65535. Default: `5000`. */
  port?: number;
  /** Accepts plain HTTP or a registry without users; a Swarm publishes ports on every address of a node. Default: `false`. */
  allowInsecure?: boolean;
  /** Where the certificate comes from, or that there is none. Default: self-signed. */
  tls?: Tls;
  /** Who may log in. Default: one user `admin` with a generated password. */
  users?: User[];
  /** Everybody may pull without a login; pushing still needs one. Default: `false`. */
  anonymousPull?: boolean;
  /** How logins are verified. For the bundled server. */
  authentication?: Authentication;
  /** Where images are kept. A registry with more than one task needs a store that all of them share. Default: a volume on one node. */
  storage?: Storage;
  /** Image of the server: `bundled`, or a reference pinned by digest (`name@sha256:…`). Default: `bundled`. */
  image?: string;
  /** Accepts pulls only, e.g. while images are moved to another store. Default: `false`. */
  readOnly?: boolean;
  /** When garbage is collected, and what is deleted before; the tasks agree on which of them does it. For the bundled server. */
  garbageCollection?: GarbageCollection;
  /** Names that the server finds without DNS, with their IP addresses. */
  hosts?: Record<string, string>;
  /** What each task may take from its node. */
  resources?: SwarmResources;
  /** How the registry runs on the Swarm. */
  swarm?: Swarm;
  /** Destroying the component deletes the images in its own volume too. Default: `false`, the volume is protected. */
  lab?: boolean;
}

/** Grace beyond the time that requests get to end, in seconds. */
const stopSeconds = drainSeconds + 5;

/**
 * A private container registry on a Docker Swarm: every node reaches it on a port of its own. A changed configuration, certificate or
 * password is rolled out task by task, and rolled back when a new task fails.
 */
export class SwarmRegistry extends pulumi.ComponentResource {
  /** URL of the registry. */
  public readonly endpoint: pulumi.Output<string>;
  /** What goes before an image name: `localhost:5000`. */
  public readonly repositoryPrefix: pulumi.Output<string>;
  /** First user; empty without users. */
  public readonly username: pulumi.Output<string>;
  /** Password of the first user. Secret. */
  public readonly password: pulumi.Output<string>;
  /** Password of every user by name. Secret. */
  public readonly credentials: pulumi.Output<Record<string, string>>;
  /** Certificate to trust, PEM; empty when clients need none. */
  public readonly caCertificate: pulumi.Output<string>;
  /** End of the server certificate, ISO 8601 in UTC; empty without TLS. */
  public readonly certificateExpiresAt: pulumi.Output<string>;
  /** Shell command that logs Docker in as the first user. It reads the password from the stack's output `password`. */
  public readonly loginCommand: pulumi.Output<string>;
  /** Shell command that makes a Docker engine trust the registry: once on every node, unless the host name is a loopback one. */
  public readonly trustCommand: pulumi.Output<string>;
  /** JSON to merge into a client engine's daemon.json. */
  public readonly daemonConfig: pulumi.Output<string>;
  /** Version of the server. */
  public readonly version: pulumi.Output<string>;
  /** Name of the registry's service, for `docker service ps` and `docker service logs`. */
  public readonly serviceName: pulumi.Output<string>;

  constructor(name: string, args: SwarmRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, passwords and keys among them.
    super("container-registry:index:SwarmRegistry", name, {}, onDockerEngine(name, opts));
    const settings = swarmSettingsOf(args);
    checkArguments("SwarmRegistry", args, () => [
      ...nameProblems(name),
      ...serviceNameProblems(name),
      ...swarmRegistryProblems(settings),
    ]);
    const parent = { parent: this };
    const { swarm, storage } = settings;
    const topology = topologyOf(storage, swarm);
    const engine = engineOf(this);
    // Where nodes pull the image and share the store, nobody has to know them.
    const known = topology.pinned || (settings.image === "bundled" && swarm.imageDistribution?.repository === undefined);
    const nodes = known ? engine.apply((manager) => swarmNodes(manager, swarm.nodes ?? [])) : pulumi.output<SwarmNode[]>([]);

    const image = new SwarmImage(
      `${name}-image`,
      {
        image: settings.image,
        distribution: swarm.imageDistribution ?? {},
        constraints: topology.forwarders || swarm.trustNodes ? [] : (swarm.constraints ?? []),
        nodes,
      },
      parent,
    );
    const data = topology.pinned ? this.pinnedData(name, args.lab ?? false, settings, nodes) : undefined;
    const network =
      topology.forwarders || swarm.redis !== undefined
        ? new docker.Network(`${name}-network`, { name, driver: "overlay" }, parent)
        : undefined;
    const redis = network && swarm.redis && this.redis(name, swarm, swarm.redis, network, image);
    const server = registryParts(
      name,
      settings,
      { lab: args.lab ?? false, shared: topology.replicas !== 1, redis: redis?.configuration },
      parent,
    );
    const secrets = server.files.map((file) => swarmSecret(`${name}-${file.name}`, file, image.user.id, parent));

    const service = new docker.Service(
      name,
      {
        name,
        mode: topology.replicas === undefined ? { global: true } : { replicated: { replicas: topology.replicas } },
        taskSpec: {
          containerSpec: {
            image: image.reference,
            args: [
              "serve",
              this.checkedPath(name, settings, server, image.localId, secrets),
              ...(topology.forwarders ? ["--proxied", `:${proxiedPort}`] : []),
            ],
            env: Object.fromEntries(server.environment.map((each) => each.split("=", 2) as [string, string])),
            ...confinement,
            stopGracePeriod: `${stopSeconds}s`,
            hosts: Object.entries(settings.hosts).map(([host, ip]) => ({ host, ip })),
            secrets,
            mounts: [
              // Not Docker's 1777: the provider reads the mode back without its sticky bit, and `pulumi refresh` would find a change.
              { type: "tmpfs", target: "/tmp", tmpfsOptions: { sizeBytes: 64 * MiB, mode: 0o777 } },
              ...(data?.volumes ?? []).map(({ volumeName, hostPath }) => ({
                type: hostPath === undefined ? "volume" : "bind",
                source: hostPath ?? volumeName,
                target: dataFolder,
              })),
              ...sharedMounts(name, storage),
            ],
            // A foreign image need not have anything to check with.
            ...(settings.image === "bundled" ? { healthcheck: livenessCheck(server.configurationPath) } : {}),
          },
          resources: {
            limits: { memoryBytes: settings.resources.memory * MiB },
            reservation: { memoryBytes: settings.reservedMemory * MiB },
          },
          networksAdvanceds: [
            ...(network === undefined ? [] : [{ id: network.id }]),
            ...(swarm.networks ?? []).map((each) => ({ id: engine.apply((manager) => overlayNetworkId(manager, each)) })),
          ],
          placement: { constraints: [...(swarm.constraints ?? [])] },
          restartPolicy,
          logDriver,
        },
        endpointSpec: endpoint(settings.port, topology),
        ...rollout(swarm, topology),
        auth: image.login,
      },
      {
        parent: this,
        dependsOn: data === undefined ? [] : [data],
        // Swarm changes everything else in place.
        replaceOnChanges: ["mode"],
        ignoreChanges: addedBySwarm,
        deleteBeforeReplace: true,
      },
    );
    const forwarder = network && topology.forwarders ? this.forwarder(name, settings, network, image, server) : undefined;

    const trust = swarm.trustNodes
      ? new SwarmTrust(
          `${name}-trust`,
          {
            image,
            repositoryPrefix: hostPort(settings.hostname, settings.port),
            certificates: server.certificate.caCertificate,
            swarm,
          },
          // So it is taken away first, and its tasks have ended when the deployment has.
          { parent: this, dependsOn: [service] },
        )
      : undefined;

    const outputs = clientOutputs(settings, server);
    this.endpoint = outputs.endpoint;
    this.repositoryPrefix = outputs.repositoryPrefix;
    this.username = outputs.username;
    this.password = outputs.password;
    this.credentials = outputs.credentials;
    this.caCertificate = outputs.caCertificate;
    this.certificateExpiresAt = outputs.certificateExpiresAt;
    this.loginCommand = outputs.loginCommand;
    this.trustCommand = outputs.trustCommand;
    this.daemonConfig = outputs.daemonConfig;
    this.version = outputs.version;
    // The deployment goes on only when the new tasks run: it deletes the old secrets at its end, which a roll-back needs.
    const services = [service, forwarder, redis?.service, trust?.service].filter((each) => each !== undefined);
    this.serviceName = pulumi
      .all([engine, service.name, services.map((each) => pulumi.all([each.name, each.id]))])
      .apply(async ([manager, serviceName, all]) => {
        for (const [each] of pulumi.runtime.isDryRun() ? [] : all) {
          await untilRolledOut(manager, each);
        }
        return serviceName;
      });
    this.registerOutputs({ ...outputs, serviceName: this.serviceName });
  }

  /** Path of the configuration file, once the store that it names has been tried on the manager. */
  private checkedPath(
    name: string,
    { image, storage, swarm, hosts }: SwarmSettings,
    { configurationPath, configuration, environment }: RegistryParts,
    imageId: pulumi.Output<string>,
    secrets: docker.types.input.ServiceTaskSpecContainerSpecSecret[],
  ): pulumi.Output<string> {
    if (driverOf(storage) === "filesystem" || image !== "bundled" || pulumi.runtime.isDryRun()) {
      return configurationPath;
    }
    const networks = swarm.networks ?? [];
    // A container is quicker, but has neither the store's CA nor a network of the Swarm.
    const byTask = storage.caCertificates !== undefined || networks.length > 0;
    const files = secrets.map(({ secretName, fileName, fileUid }) =>
      pulumi.all([secretName, fileName, fileUid]).apply(([secret = "", file, uid = ""]) => ({
        secretName: secret,
        fileName: file,
        fileUid: uid,
      })),
    );
    return pulumi.unsecret(
      pulumi
        .all([engineOf(this), imageId, configurationPath, configuration, files])
        .apply(async ([engine, id, path, text, mounted]) => {
          await checkStore({
            engine,
            imageId: id,
            serviceName: name,
            configurationPath: path,
            configuration: text,
            environment,
            hosts: Object.entries(hosts).map(([host, ip]) => `${host}:${ip}`),
            task: byTask ? { files: mounted, networks } : undefined,
            patience: storage.provision === true ? newStorePatience : 0,
          });
          return path;
        }),
    );
  }

  /** The volume or folder on the one node that has the images, made by way of that node's engine. */
  private pinnedData(name: string, lab: boolean, settings: SwarmSettings, nodes: pulumi.Output<SwarmNode[]>): RegistryData {
    const constraints = (settings.swarm.constraints ?? []).flatMap((each) => parseConstraint(each) ?? []);
    const address = nodes.apply((known) => pinnedNode(known, constraints).engine);
    const provider = new docker.Provider(
      `${name}-data-node`,
      {
        host: address.apply(({ host = localEngine }) => {
          checkDockerContext(host, "the Docker host of the node with the images");
          return host;
        }),
        // It may be missing, which the type does not know.
        certPath: address.apply(({ certPath }) => certPath) as pulumi.Output<string>,
      },
      { parent: this },
    );
    const onNode = { parent: this, providers: [provider] };
    const unprivileged = settings.image === "bundled";
    // The node may have another ID for it than the manager.
    const image = unprivileged && isForeign(settings.storage) ? new RegistryImage(`${name}-data-image`, {}, onNode) : undefined;
    return new RegistryData(
      `${name}-data`,
      { storage: settings.storage, lab, imageId: image?.imageId ?? "", unprivileged },
      onNode,
    );
  }

  private redis(
    name: string,
    swarm: Swarm,
    { image, password, memory = defaultRedisMemory }: Redis,
    network: docker.Network,
    server: SwarmImage,
  ): SwarmRedis {
    const sameRegistry = server.login?.serverAddress === image.split("/")[0];
    const login = sameRegistry ? server.login : undefined;
    return new SwarmRedis(`${name}-redis`, { image, login, password, memory, networkId: network.id, swarm }, { parent: this });
  }

  /** Gives every node the registry's port, wherever the registry's tasks are. */
  private forwarder(
    name: string,
    settings: SwarmSettings,
    network: docker.Network,
    image: SwarmImage,
    { forwarderKey }: RegistryParts,
  ): docker.Service {
    const key = { path: `${filesFolder}/forwarder.key`, content: forwarderKey };
    const telling = ["--proxied", `${proxiedPort}`, "--key", key.path];
    return new docker.Service(
      `${name}-forwarder`,
      {
        name: `${name}-forwarder`,
        mode: { global: true },
        taskSpec: {
          containerSpec: {
            image: image.reference,
            args: ["forward", ...telling, `:${containerPort}`, `tasks.${name}:${containerPort}`],
            ...confinement,
            stopGracePeriod: `${stopSeconds}s`,
            secrets: [swarmSecret(`${name}-forwarder-key`, key, image.user.id, { parent: this })],
            healthcheck: {
              tests: ["CMD", "/registry", "forward", "--check"],
              interval: "5s",
              timeout: "10s",
              startPeriod: "5s",
              retries: 3,
            },
          },
          resources: { limits: { memoryBytes: 128 * MiB }, reservation: { memoryBytes: 16 * MiB } },
          networksAdvanceds: [{ id: network.id }],
          restartPolicy,
          logDriver,
        },
        endpointSpec: { mode: "dnsrr", ports: [portOfNode(settings.port)] },
        ...rollout(settings.swarm, { order: "stop-first" }),
        auth: image.login,
      },
      { parent: this, ignoreChanges: addedBySwarm },
    );
  }
}

function portOfNode(port: number): docker.types.input.ServiceEndpointSpecPort {
  return { protocol: "tcp", publishMode: "host", publishedPort: port, targetPort: containerPort };
}

/** Never a virtual address for the tasks themselves: it needs IPVS in the kernel, as the routing mesh does. */
function endpoint(port: number, { publish, forwarders }: Topology): docker.types.input.ServiceEndpointSpec {
  if (publish === Publish.Ingress) {
    return { mode: "vip", ports: [{ ...portOfNode(port), publishMode: "ingress" }] };
  }
  return forwarders ? { mode: "dnsrr" } : { mode: "dnsrr", ports: [portOfNode(port)] };
}

/** A volume that is the same on all nodes; each of them makes it known to itself when the first task comes. */
function sharedMounts(name: string, storage: Storage): docker.types.input.ServiceTaskSpecContainerSpecMount[] {
  const { filesystem } = storage;
  if (driverOf(storage) !== "filesystem" || filesystem === undefined || !isShared(filesystem)) {
    return [];
  }
  const { volume, volumeDriver, volumeOptions } = filesystem;
  return [
    {
      type: "volume",
      source: volume ?? `${name}-data`,
      target: dataFolder,
      volumeOptions: { driverName: volumeDriver ?? "local", driverOptions: volumeOptions },
    },
  ];
}

/** The settings with every default filled in. */
export function swarmSettingsOf(args: SwarmRegistryArgs): SwarmSettings {
  const memory = args.resources?.memory ?? 512;
  return {
    hostname: args.hostname ?? "localhost",
    port: args.port ?? 5000,
    // A Swarm can't publish on one address of a node only.
    bindAddress: "0.0.0.0",
    allowInsecure: args.allowInsecure ?? false,
    tls: args.tls ?? {},
    users: args.users ?? [{ name: "admin" }],
    anonymousPull: args.anonymousPull ?? false,
    authentication: args.authentication ?? {},
    storage: args.storage ?? {},
    image: args.image ?? "bundled",
    readOnly: args.readOnly ?? false,
    garbageCollection: args.garbageCollection,
    mirror: undefined,
    hosts: args.hosts ?? {},
    swarm: args.swarm ?? {},
    resources: { memory, processes: 512 },
    reservedMemory: args.resources?.reservedMemory ?? Math.min(64, memory),
  };
}

/** All that is wrong with the settings. */
export function swarmRegistryProblems(settings: SwarmSettings): Problem[] {
  return [...registryProblems(settings), ...swarmProblems(settings)];
}
