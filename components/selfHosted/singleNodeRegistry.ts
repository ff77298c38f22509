import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Authentication, Cors, GarbageCollection, Metrics, Mirror, Resources, Tls, TlsMode, User } from "../args/registry";
import { Logs } from "../args/logs";
import { Notification } from "../args/notifications";
import { nameProblems } from "../checks/container";
import { completeMetrics, mirrorMetricsPort, registryMetricsPort } from "../checks/address";
import { registryProblems, RegistrySettings } from "../checks/registry";
import { ownVolumeProblems } from "../checks/storage/filesystem";
import { filesFolder } from "../render/configuration";
import { dataName, filesName, mirrorName } from "../render/names";
import { engineOf, onDockerEngine } from "../docker/engineChoice";
import { withName } from "../docker/takenNames";
import { readArguments, throwProblems } from "../checks/inputs";
import { metricsOutputs, metricsTargets, warnOfOpenMetrics } from "./metricsTargets";
import { PullThroughCache } from "./pullThroughCache";
import { ServerVolume } from "./serverVolume";
import { auditVolumes } from "./auditVolume";
import { soleOwner } from "./deployment";
import { ServerFiles } from "./serverFiles";
import { ServerImage } from "./serverImage";
import { clientOutputs, RegistryParts, registryParts } from "./registryParts";
import { Mounted, nameWhenReady, serverContainer, serverHosts } from "./serverContainer";
import { Storage } from "../args/storage";
import { completeSettings } from "./settings";
import { untilStoreAnswers } from "./storeTrial";

/** A registry on one Docker host. */
export interface SingleNodeRegistryArgs {
  /** DNS name or IP address that clients use, without port; it is in the certificate and in image names. Default: `localhost`. */
  hostname?: string;
  /** Port on the Docker host, 1 to 65535. Default: `5000`. */
  port?: number;
  /** URL by which clients reach the registry through a reverse proxy: `https://registry.example.com`. It is used in the outputs, on the page, in notifications and for the address of tokens; an upload continues under the name that its client used. Default: none, clients come to `hostname` and `port`. */
  externalUrl?: string;
  /** Reverse proxies whose headers are believed: `X-Forwarded-For` and `Forwarded` for logs and limits, `X-Forwarded-Host` and `X-Forwarded-Proto` for the address that clients are told without `externalUrl`. Addresses, or ranges such as `10.0.0.0/8`. Requires the bundled server. Default: none. */
  trustedProxies?: string[];
  /** Address of the Docker host to listen on; 0.0.0.0 for all. With `::1` or `::` clients use `::1`, unless `hostname` is set. Default: `127.0.0.1`. */
  bindAddress?: string;
  /** Accepts plain HTTP or a registry without users beyond loopback. Default: `false`. */
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
  /** Where images are kept. Default: a named volume. */
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
  /** A pull-through cache beside the registry. Default: none. */
  mirror?: Mirror;
  /** Metrics for Prometheus. Requires the bundled server. Default: nothing. */
  metrics?: Metrics;
  /** Endpoints that are notified of pushes and deletions. Requires the bundled server. Default: none. */
  notifications?: Notification[];
  /** The server's log and its audit. */
  logs?: Logs;
  /** Names that the server resolves without DNS, with their IP addresses or `host-gateway`. `host.docker.internal` is always the Docker host. */
  hosts?: Record<string, string>;
  /** Limits of the container. */
  resources?: Resources;
  /** Destroying the component deletes the images in its own volume too. Default: `false`, the volume is protected. */
  lab?: boolean;
}

/**
 * A private container registry on one Docker host, over TLS and with users. Certificate and users change without a restart;
 * another configuration replaces the container. Its resources on the host are named after the component.
 */
export class SingleNodeRegistry extends pulumi.ComponentResource {
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
  /** Shell command that makes a Docker engine trust the registry. */
  public readonly trustCommand: pulumi.Output<string>;
  /** JSON to merge into a client engine's daemon.json. */
  public readonly daemonConfig: pulumi.Output<string>;
  /** URL of the pull-through cache; empty without `mirror`. */
  public readonly mirrorEndpoint: pulumi.Output<string>;
  /** URL of the metrics for Prometheus; empty without `metrics`. */
  public readonly metricsEndpoint: pulumi.Output<string>;
  /** YAML for a prometheus.yml; empty without `metrics`. */
  public readonly scrapeConfig: pulumi.Output<string>;
  /** URL of the page in the browser; empty without `ui`. */
  public readonly page: pulumi.Output<string>;
  /** Version of the server. */
  public readonly version: pulumi.Output<string>;
  /** Name of the server's container, for `docker logs` and `docker exec`. */
  public readonly containerName: pulumi.Output<string>;

  constructor(name: string, args: SingleNodeRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, passwords and keys among them.
    super("container-registry:index:SingleNodeRegistry", name, {}, onDockerEngine(name, opts));
    args = readArguments("SingleNodeRegistry", args);
    const settings = completeSettings(args);
    throwProblems([
      ...nameProblems(name),
      ...registryProblems(settings),
      ...ownVolumeProblems(name, settings.storage.filesystem),
    ]);
    const parent = { parent: this };
    const lab = args.lab ?? false;
    const bundled = settings.image === "bundled";

    const server = registryParts(name, settings, { lab, shared: false }, parent);
    const owner = soleOwner(server.deployment, withName(engineOf(this), this, name), [dataName(name), filesName(name)]);
    const [imageId, settleImage] = pulumi.deferredOutput<string>();
    const onEngine = { server: name, imageId, unprivileged: bundled, owner };
    const data = new ServerVolume(dataName(name), { ...onEngine, storage: settings.storage, lab }, parent);
    const foreignCertificate = bundled && settings.tls.mode === TlsMode.Provided ? server.certificate.serverPem : undefined;
    const files = new ServerFiles(filesName(name), { ...onEngine, files: server.files, foreignCertificate }, parent);
    // Only after the volumes are checked: what the engine has of another registry by that name stays that one's, its image too, and
    // another engine gets no image.
    const alone = { parent: this, dependsOn: pulumi.all([files.volume, data.volumes]).apply(() => []) };
    const image = new ServerImage(`${name}-image`, { image: settings.image }, alone);
    settleImage(image.imageId);
    const audit = auditVolumes(name, settings, lab, alone);
    const container = this.createContainer(name, settings, { server, image, data, files, audit });
    const mirror = settings.mirror && this.createMirror(name, settings.mirror, settings, server);

    warnOfOpenMetrics(this, settings.metrics, registryMetricsPort);
    const { hostname, metrics } = settings;
    const outputs = {
      ...clientOutputs(settings, server, mirror?.endpoint),
      ...metricsOutputs(
        metricsTargets(name, hostname, metrics, registryMetricsPort),
        metricsTargets(mirrorName(name), hostname, settings.mirror?.metrics, mirrorMetricsPort),
      ),
    };
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
    this.mirrorEndpoint = outputs.mirrorEndpoint;
    this.metricsEndpoint = outputs.metricsEndpoint;
    this.scrapeConfig = outputs.scrapeConfig;
    this.page = outputs.page;
    this.version = outputs.version;
    // Outputs that tell where the registry is wait until it answers.
    this.containerName = nameWhenReady(this, container, { bundled, resources: settings.resources });
    this.registerOutputs({ ...outputs, containerName: this.containerName });
  }

  private createContainer(
    name: string,
    settings: RegistrySettings,
    { server, image, data, files, audit }: ContainerParts,
  ): docker.Container {
    const bundled = settings.image === "bundled";
    const configurationPath = untilStoreAnswers(this, settings, server, () =>
      pulumi.all([image.imageId, files.volume, data.handedOver, files.written]).apply(([imageId, filesVolume, handedOver]) => ({
        imageId,
        containerName: name,
        filesVolume,
        filesFolder,
        hosts: serverHosts(settings.hosts),
        ...handedOver,
      })),
    );
    return serverContainer(
      name,
      {
        imageId: image.imageId,
        bundled,
        configurationPath,
        filesVolume: files.volume,
        volumes: [...data.volumes, ...audit],
        environment: server.environment,
        bindAddress: settings.bindAddress,
        port: settings.port,
        metrics: settings.metrics && completeMetrics(settings.metrics, registryMetricsPort),
        hosts: settings.hosts,
        resources: settings.resources,
      },
      { parent: this, dependsOn: [files, data] },
    );
  }

  /** A pull-through cache with the registry's certificate, which is for the host, whatever the port. */
  private createMirror(
    name: string,
    mirror: Mirror,
    { hostname, bindAddress, tls, allowInsecure, logs, hosts, resources }: RegistrySettings,
    { certificate }: RegistryParts,
  ): PullThroughCache {
    const serverPem = tls.mode === TlsMode.Off ? undefined : certificate.serverPem;
    const args = { mirror, hostname, bindAddress, serverPem, allowInsecure, logFormat: logs.format, hosts, resources };
    // Its content can be fetched again: removing it must not require taking the protection off the images first.
    return new PullThroughCache(mirrorName(name), { ...args, lab: true }, { parent: this });
  }
}

/** What the server's container is made of. */
interface ContainerParts {
  server: RegistryParts;
  image: ServerImage;
  data: ServerVolume;
  files: ServerFiles;
  audit: Mounted[];
}
