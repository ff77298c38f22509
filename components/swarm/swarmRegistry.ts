import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Authentication, Cors, GarbageCollection, Tls, User } from "../args/registry";
import { Storage } from "../args/storage";
import { goes } from "../args/lock";
import { Redis, Swarm, SwarmMetrics, SwarmResources } from "../args/swarm";
import { Logs } from "../args/logs";
import { Notification } from "../args/notifications";
import { nameProblems } from "../checks/container";
import { readArguments, throwProblems } from "../checks/inputs";
import { driverOf } from "../render/driverParameters";
import { isAudited } from "../checks/observation/logs";
import { ownVolumeProblems } from "../checks/storage/filesystem";
import { EngineAddress } from "../docker/engine";
import { engineOf, onDockerEngine } from "../docker/engineChoice";
import { untilRolledOut } from "./rollout";
import { withName } from "../docker/takenNames";
import { metricsPort } from "../render/configuration";
import { auditName, dataName } from "../render/names";
import { metricsUrl, swarmScrapeConfig } from "../render/scrape";
import { MetricsOutputs } from "../selfHosted/metricsTargets";
import { clientOutputs, engineAddresses, RegistryParts, registryParts } from "../selfHosted/registryParts";
import { defaultRedisMemory, serviceNameProblems, swarmRegistryProblems, SwarmSettings } from "./checks";
import { createForwarder } from "./forwarder";
import { SwarmNode, swarmNodes } from "./nodes";
import { createPinnedVolume } from "./pinnedVolume";
import { createRegistryService } from "./registryService";
import { completeSwarmSettings } from "./settings";
import { SwarmImage } from "./swarmImage";
import { SwarmRedis } from "./swarmRedis";
import { whenUpdated } from "./swarmService";
import { SwarmTrust } from "./swarmTrust";
import { withFreePort } from "./takenPort";
import { Topology, topologyOf } from "./topology";

/** A registry on a Docker Swarm. */
export interface SwarmRegistryArgs {
  /** DNS name or IP address that clients use, without port; it is in the certificate and in image names. Default: `localhost`. */
  hostname?: string;
  /** Port on every node, 1 to 65535. Default: `5000`. */
  port?: number;
  /** URL by which clients reach the registry through a reverse proxy: `https://registry.example.com`. It is used in the outputs, on the page, in notifications and for the address of tokens; an upload continues under the name that its client used. Default: none, clients come to `hostname` and `port`. */
  externalUrl?: string;
  /** Reverse proxies whose headers are believed: `X-Forwarded-For` and `Forwarded` for logs and limits, `X-Forwarded-Host` and `X-Forwarded-Proto` for the address that clients are told without `externalUrl`. Addresses, or ranges such as `10.0.0.0/8`. Requires the bundled server. Default: none. */
  trustedProxies?: string[];
  /** Accepts plain HTTP or a registry without users; a Swarm publishes ports on every address of a node. Default: `false`. */
  allowInsecure?: boolean;
  /** Where the certificate comes from, or that TLS is off. Default: self-signed. */
  tls?: Tls;
  /** Who may log in. Default: one user `admin` with a generated password. */
  users?: User[];
  /** Lets everybody pull without a login. Pushing still requires one. Requires the bundled server. Default: `false`. */
  anonymousPull?: boolean;
  /** How logins are verified. Requires the bundled server. */
  authentication?: Authentication;
  /** Web pages of other sites from which browsers may use the registry. Requires the bundled server. Default: none. */
  cors?: Cors;
  /** Where images are kept. A registry with more than one task needs a store that all of them share. Default: a volume on one node, which `swarm.constraints` has to name. */
  storage?: Storage;
  /** Image of the server: `bundled`, or a reference pinned by digest (`name@sha256:…`). Default: `bundled`. */
  image?: string;
  /** Refuses pushes and deletions, e.g. while images are moved to another store. Default: `false`. */
  readOnly?: boolean;
  /** Hosts from which images may name layers by https URLs instead of storing them here (foreign or non-distributable layers, such as those of Windows): `mcr.microsoft.com`, or `*` for all. `[]` refuses such images. Default: all. */
  foreignLayerHosts?: string[];
  /** Serves a web page at `/` of the registry's address, on which users see what they may use of the registry. Requires the bundled server. Default: `true` with the bundled server. */
  ui?: boolean;
  /** When the server deletes what no image needs, and which tags it keeps. Requires the bundled server. Default: on demand only, every tag is kept. */
  garbageCollection?: GarbageCollection;
  /** Metrics of the tasks for Prometheus, on an overlay network. Requires the bundled server. Default: nothing. */
  metrics?: SwarmMetrics;
  /** Endpoints that are notified of pushes and deletions. Requires the bundled server. Default: none. */
  notifications?: Notification[];
  /** The server's log and its audit. */
  logs?: Logs;
  /** Names that the server resolves without DNS, with their IP addresses. */
  hosts?: Record<string, string>;
  /** What each task may take from its node. */
  resources?: SwarmResources;
  /** How the registry runs on the Swarm. */
  swarm?: Swarm;
  /** Destroying the component deletes the images in its own volume too. Default: `false`, the volume is protected. */
  lab?: boolean;
}

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
  /** End of the server certificate or, if earlier, of its CA, ISO 8601 in UTC; empty without TLS. */
  public readonly certificateExpiresAt: pulumi.Output<string>;
  /** Shell command that logs Docker in as the first user. It reads the password from the stack's output `password`. */
  public readonly loginCommand: pulumi.Output<string>;
  /** Shell command that makes a Docker engine trust the registry: once on every node, unless the host name is a loopback one. */
  public readonly trustCommand: pulumi.Output<string>;
  /** JSON to merge into a client engine's daemon.json. */
  public readonly daemonConfig: pulumi.Output<string>;
  /** URL of the metrics for Prometheus, on a network of its own; empty without `metrics`. */
  public readonly metricsEndpoint: pulumi.Output<string>;
  /** YAML for a prometheus.yml, with which Prometheus finds all tasks; empty without `metrics`. */
  public readonly scrapeConfig: pulumi.Output<string>;
  /** URL of the page in the browser; empty without `ui`. */
  public readonly page: pulumi.Output<string>;
  /** Version of the server. */
  public readonly version: pulumi.Output<string>;
  /** Name of the registry's service, for `docker service ps` and `docker service logs`. */
  public readonly serviceName: pulumi.Output<string>;

  constructor(name: string, args: SwarmRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, passwords and keys among them.
    super("container-registry:index:SwarmRegistry", name, {}, onDockerEngine(name, opts));
    args = readArguments("SwarmRegistry", args);
    const settings = completeSwarmSettings(args);
    throwProblems([
      ...nameProblems(name),
      ...serviceNameProblems(name),
      ...swarmRegistryProblems(settings),
      ...ownVolumeProblems(name, settings.storage.filesystem, ownVolumes(name, settings)),
    ]);
    const parent = { parent: this };
    const { swarm } = settings;
    const topology = topologyOf(settings.storage, swarm);
    const engine = engineFor(this, name, settings, topology);
    const nodes = nodesToKnow(settings, topology, engine);
    const constraints = topology.forwarders || swarm.trustNodes ? [] : (swarm.constraints ?? []);
    const image = new SwarmImage(
      `${name}-image`,
      { image: settings.image, distribution: swarm.imageDistribution ?? {}, constraints, nodes, trial: topology.trial },
      parent,
    );
    const lab = args.lab ?? false;
    const network = topology.forwarders || swarm.redis !== undefined ? createNetwork(name, swarm, parent) : undefined;
    const metricsNetwork =
      settings.measured && settings.metricsNetwork === undefined ? createMetricsNetwork(name, swarm, parent) : undefined;
    const [updated, settleUpdated] = pulumi.deferredOutput<docker.Service>();
    const redis = network && swarm.redis && this.createRedis(name, swarm, swarm.redis, { network, image, registry: updated });
    const server = registryParts(name, settings, { lab, shared: topology.replicas !== 1, redis: redis?.configuration }, parent);
    const data = topology.pinned ? createPinnedVolume(name, lab, settings, nodes, server.deployment, this) : undefined;
    const networks = [network, metricsNetwork].filter((each) => each !== undefined);
    const service = createRegistryService(name, settings, { server, image, topology, data, networks }, this);
    settleUpdated(whenUpdated(engine, service));
    const forwarder =
      network && topology.forwarders
        ? createForwarder(name, settings, { service, updated, network, image, key: server.forwarderKey }, this)
        : undefined;
    const trust = swarm.trustNodes
      ? this.createTrust(name, settings, image, server, forwarder ? [updated, whenUpdated(engine, forwarder)] : [updated])
      : undefined;

    const outputs = { ...clientOutputs(settings, server), ...metricsOfTasks(name, settings) };
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
    this.metricsEndpoint = outputs.metricsEndpoint;
    this.scrapeConfig = outputs.scrapeConfig;
    this.page = outputs.page;
    this.version = outputs.version;
    const services = [service, forwarder, redis?.service, trust?.service].filter((each) => each !== undefined);
    this.serviceName = nameWhenRolledOut(engine, updated, services);
    this.registerOutputs({ ...outputs, serviceName: this.serviceName });
  }

  private createRedis(
    name: string,
    swarm: Swarm,
    { image, password, memory = defaultRedisMemory }: Redis,
    server: { network: docker.Network; image: SwarmImage; registry: pulumi.Output<docker.Service> },
  ): SwarmRedis {
    const sameRegistry = server.image.login?.serverAddress === image.split("/")[0];
    const login = sameRegistry ? server.image.login : undefined;
    const args = { image, login, password, memory, networkId: server.network.id, swarm, registry: server.registry };
    return new SwarmRedis(`${name}-redis`, args, { parent: this });
  }

  /** Makes every node's engine trust the registry's CA. */
  private createTrust(
    name: string,
    settings: SwarmSettings,
    image: SwarmImage,
    { certificate }: RegistryParts,
    others: pulumi.Output<docker.Service>[],
  ): SwarmTrust {
    const args = { image, addresses: engineAddresses(settings), certificates: certificate.caCertificate, swarm: settings.swarm };
    // As the dependent, it is removed first, and its tasks have ended by the end of the deployment.
    return new SwarmTrust(`${name}-trust`, args, { parent: this, dependsOn: others });
  }
}

/** The names of the package's own volumes on nodes; a volume that the nodes share is not one of them. */
function ownVolumes(name: string, { storage, swarm, logs }: SwarmSettings): string[] {
  return [...(topologyOf(storage, swarm).pinned ? [dataName(name)] : []), ...(isAudited(logs) ? [auditName(name)] : [])];
}

/** The manager's engine, once the port is free and the name is taken, if all nodes have volumes by it. A single node's volume takes it there. */
function engineFor(
  registry: SwarmRegistry,
  name: string,
  settings: SwarmSettings,
  topology: Topology,
): pulumi.Output<EngineAddress> {
  const { storage, logs } = settings;
  const isShared = driverOf(storage) === "filesystem" && !topology.pinned && storage.filesystem?.volume === undefined;
  const engine = engineOf(registry);
  const named = isShared || isAudited(logs) ? withName(engine, registry, name) : engine;
  return withFreePort(named, name, settings, topology);
}

/**
 * The nodes for whose processor the bundled image is built, with the ways to those that the image or the volume is brought to. If nodes
 * pull another image and share the store, they need not be known.
 */
function nodesToKnow(
  { image, swarm }: SwarmSettings,
  { pinned }: Topology,
  engine: pulumi.Output<EngineAddress>,
): pulumi.Output<SwarmNode[]> {
  const bundled = image === "bundled";
  const hosts = pinned || swarm.imageDistribution?.repository === undefined ? swarm.nodes : undefined;
  return bundled || pinned ? engine.apply((manager) => swarmNodes(manager, hosts ?? [])) : pulumi.output<SwarmNode[]>([]);
}

/** Makes the network that tasks have in common with forwarders and a Redis. */
function createNetwork(name: string, swarm: Swarm, parent: pulumi.ComponentResourceOptions): docker.Network {
  return createOverlay(name, `${name}-network`, swarm, {}, parent);
}

/** Makes the network for Prometheus, whose container can join it. */
function createMetricsNetwork(name: string, swarm: Swarm, parent: pulumi.ComponentResourceOptions): docker.Network {
  return createOverlay(`${name}-metrics`, `${name}-metrics`, swarm, { attachable: true }, parent);
}

/** An encrypted network has another name, so that it can exist before the services leave the unencrypted one. */
function createOverlay(
  name: string,
  resource: string,
  { encryptNetworks }: Swarm,
  args: docker.NetworkArgs,
  parent: pulumi.ComponentResourceOptions,
): docker.Network {
  const overlay = { ...args, driver: "overlay" };
  // Swarm takes no second network of a name either, and nothing would reuse one that was kept.
  const opts = { ...parent, ...goes };
  return encryptNetworks
    ? new docker.Network(
        `${resource}-encrypted`,
        { ...overlay, name: `${name}-encrypted`, options: { encrypted: "true" } },
        // The engine adds the network's number.
        { ...opts, ignoreChanges: ["options"] },
      )
    : new docker.Network(resource, { ...overlay, name }, opts);
}

function metricsOfTasks(name: string, { measured }: SwarmSettings): MetricsOutputs {
  return {
    metricsEndpoint: pulumi.output(measured ? metricsUrl(`tasks.${name}:${metricsPort}`) : ""),
    scrapeConfig: pulumi.output(measured ? swarmScrapeConfig(name) : ""),
  };
}

/**
 * The service's name, once the new tasks of all services run. The deployment goes on only then: at its end it deletes the old secrets,
 * which a roll-back needs.
 */
function nameWhenRolledOut(
  engine: pulumi.Output<EngineAddress>,
  service: pulumi.Output<docker.Service>,
  services: docker.Service[],
): pulumi.Output<string> {
  // A service with a task on every node has no number of tasks, which the type does not tell.
  const modeOf = ({ mode }: docker.Service): pulumi.Output<Partial<docker.types.output.ServiceMode>> => mode;
  return pulumi
    .all([engine, service.name, services.map((each) => pulumi.all([each.name, modeOf(each), each.id]))])
    .apply(async ([manager, serviceName, all]) => {
      for (const [each, { replicated }] of pulumi.runtime.isDryRun() ? [] : all) {
        await untilRolledOut(manager, each, replicated?.replicas);
      }
      return serviceName;
    });
}
