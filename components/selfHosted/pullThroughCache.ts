import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { LogFormat } from "../args/logs";
import { Mirror, Resources } from "../args/registry";
import {
  addressProblems,
  AddressSettings,
  completeMetrics,
  mirrorMetricsPort,
  openProblems,
  samePortProblems,
} from "../checks/address";
import { containerProblems, nameProblems } from "../checks/container";
import { certificateFile, configurationPath, filesFolder, renderConfiguration, storeCaPath } from "../render/configuration";
import { engineOf, onDockerEngine } from "../docker/engineChoice";
import { withName } from "../docker/takenNames";
import { hostPort, isLoopback, usualHostname } from "../checks/hosts";
import { forGo, serverPemProblems } from "../checks/certificates";
import { checkWhenKnown, knownNow, readArguments, throwProblems } from "../checks/inputs";
import { CompleteMirror, completeMirror, mirrorPorts, mirrorProblems } from "../checks/mirror";
import { Problem } from "../checks/problems";
import { oneOf } from "../checks/rules";
import { storageConfiguration } from "../render/driverParameters";
import { dataName, filesName } from "../render/names";
import { deploymentOf, soleOwner } from "./deployment";
import { metricsOutputs, metricsTargets, warnOfOpenMetrics } from "./metricsTargets";
import { ServerVolume } from "./serverVolume";
import { ServerFiles } from "./serverFiles";
import { ServerImage } from "./serverImage";
import { nameWhenReady, serverContainer, serverEnvironment } from "./serverContainer";
import { completeResources } from "./settings";
import { untilStoreAnswers } from "./storeTrial";

/** A pull-through cache on one Docker host. */
export interface PullThroughCacheArgs {
  /** What is cached, from where, and on which port. Default: Docker Hub on port 5001. */
  mirror?: Mirror;
  /** DNS name or IP address that clients use, without port. Default: `localhost`. */
  hostname?: string;
  /** Address of the Docker host to listen on; 0.0.0.0 for all. With `::1` or `::` clients use `::1`, unless `hostname` is set. Default: `127.0.0.1`. */
  bindAddress?: string;
  /** Certificate, intermediates and key in one PEM text, such as the `serverPem` of a RegistryCertificate. Kept secret. Default: none, plain HTTP. */
  serverPem?: pulumi.Input<string>;
  /** Accepts plain HTTP beyond loopback, and an upstream that gets its password over plain HTTP. Default: `false`. */
  allowInsecure?: boolean;
  /** Format of the server's log: `text` or `json`. Default: `text`. */
  logFormat?: LogFormat;
  /** Names that the server resolves without DNS, with their IP addresses or `host-gateway`. `host.docker.internal` is always the Docker host. */
  hosts?: Record<string, string>;
  /** Limits of the container. */
  resources?: Resources;
  /** Destroying the component deletes the cache too. Default: `false`, its volume is protected. */
  lab?: boolean;
}

/**
 * A pull-through cache of another registry, for the `registry-mirrors` of Docker. It starts, and serves what it has, without its
 * upstream. It has no users: Docker sends no credentials to a mirror.
 */
export class PullThroughCache extends pulumi.ComponentResource {
  /** URL of the cache, for `registry-mirrors`. */
  public readonly endpoint: pulumi.Output<string>;
  /** URL of the metrics for Prometheus; empty without `mirror.metrics`. */
  public readonly metricsEndpoint: pulumi.Output<string>;
  /** YAML for a prometheus.yml; empty without `mirror.metrics`. */
  public readonly scrapeConfig: pulumi.Output<string>;
  /** Name of the server's container, for `docker logs` and `docker exec`. */
  public readonly containerName: pulumi.Output<string>;

  constructor(name: string, args: PullThroughCacheArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, the upstream's password among them.
    super("container-registry:index:PullThroughCache", name, {}, onDockerEngine(name, opts));
    args = readArguments("PullThroughCache", args);
    const settings = settingsOf(args);
    throwProblems([...nameProblems(name), ...settingsProblems(settings), ...serverPemProblems(knownNow(args.serverPem))]);
    const parent = { parent: this };
    this.warn(settings);

    // It signs nothing here, but it is part of what the file's name is a hash of, so the name reveals nothing about the upstream's password.
    const httpSecret = new random.RandomPassword(`${name}-http-secret`, { length: 48, special: false }, parent);
    const volumes = [dataName(name), filesName(name)];
    const owner = soleOwner(deploymentOf(httpSecret.result), withName(engineOf(this), this, name), volumes);
    const [imageId, settleImage] = pulumi.deferredOutput<string>();
    const onEngine = { server: name, imageId, unprivileged: true, owner };
    const data = new ServerVolume(dataName(name), { ...onEngine, storage: {}, lab: args.lab ?? false, cache: true }, parent);
    const { caCertificates } = settings.mirror;
    const configuration = configurationOf(settings, httpSecret.result);
    const path = pulumi.unsecret(configuration.apply(configurationPath));
    const serverPem = args.serverPem === undefined ? undefined : checkWhenKnown(args.serverPem, serverPemProblems);
    const files = new ServerFiles(
      filesName(name),
      {
        ...onEngine,
        files: [
          { path, content: configuration },
          ...(serverPem === undefined ? [] : [{ path: certificateFile, content: serverPem }]),
          ...(caCertificates === undefined ? [] : [{ path: storeCaPath(caCertificates), content: caCertificates }]),
        ],
        foreignCertificate: serverPem,
      },
      parent,
    );
    // Only after the volumes are checked: what the engine has of another cache by that name stays that one's, its image too, and another
    // engine gets no image.
    const alone = { parent: this, dependsOn: pulumi.all([files.volume, data.volumes]).apply(() => []) };
    const image = new ServerImage(`${name}-image`, {}, alone);
    settleImage(image.imageId);
    const container = this.createContainer(name, settings, { image, path, files, data });
    const scheme = settings.encrypted ? "https" : "http";
    this.endpoint = pulumi.output(`${scheme}://${hostPort(settings.hostname, settings.mirror.port)}`);
    const targets = metricsTargets(name, settings.hostname, settings.mirror.metrics, mirrorMetricsPort);
    const { metricsEndpoint, scrapeConfig } = metricsOutputs(targets);
    this.metricsEndpoint = metricsEndpoint;
    this.scrapeConfig = scrapeConfig;
    this.containerName = nameWhenReady(this, container, { bundled: true, resources: settings.resources });
    this.registerOutputs({ endpoint: this.endpoint, metricsEndpoint, scrapeConfig, containerName: this.containerName });
  }

  private createContainer(name: string, settings: CacheSettings, { image, path, files, data }: ContainerParts): docker.Container {
    const environment = serverEnvironment(settings.resources, settings.mirror.caCertificates);
    const server = { configurationPath: path, environment };
    const configurationPath = untilStoreAnswers(this, { storage: {}, image: "bundled" }, server, () =>
      pulumi
        .all([image.imageId, files.volume, files.written])
        .apply(([imageId, filesVolume]) => ({ imageId, containerName: name, filesVolume, filesFolder, hosts: [] })),
    );
    return serverContainer(
      name,
      {
        imageId: image.imageId,
        bundled: true,
        configurationPath,
        filesVolume: files.volume,
        volumes: data.volumes,
        environment,
        bindAddress: settings.bindAddress,
        port: settings.mirror.port,
        metrics: settings.mirror.metrics && completeMetrics(settings.mirror.metrics, mirrorMetricsPort),
        hosts: settings.hosts,
        resources: settings.resources,
      },
      { parent: this, dependsOn: [files, data] },
    );
  }

  private warn({ bindAddress, mirror }: CacheSettings): void {
    warnOfOpenMetrics(this, mirror.metrics, mirrorMetricsPort);
    if (!isLoopback(bindAddress)) {
      void pulumi.log.warn(
        `Everybody who reaches ${hostPort(bindAddress, mirror.port)} can pull through the mirror without a login` +
          (mirror.username === undefined ? "" : `, also what ${mirror.upstream} gives to ${mirror.username} alone`) +
          ". Docker sends no credentials to a mirror, so let a firewall decide who may" +
          (mirror.maxSize === undefined ? ", and mirror.maxSize how much of the disk that fills." : "."),
        this,
      );
    }
  }
}

/** What the cache's container is made of. */
interface ContainerParts {
  image: ServerImage;
  /** Path of the configuration file, in the container. */
  path: pulumi.Output<string>;
  files: ServerFiles;
  data: ServerVolume;
}

/** The configuration file as text. Secret. */
function configurationOf(
  { mirror, encrypted, logFormat }: CacheSettings,
  httpSecret: pulumi.Output<string>,
): pulumi.Output<string> {
  const { upstream, username, password, ttl } = mirror;
  return pulumi.all([httpSecret, password === undefined ? undefined : pulumi.secret(password)]).apply(([secret, known]) =>
    renderConfiguration({
      httpSecret: secret,
      tls: encrypted,
      bundled: true,
      metrics: mirror.metrics !== undefined,
      ui: mirror.ui,
      maxSize: mirror.maxSize,
      readOnly: false,
      logFormat,
      storage: storageConfiguration({}),
      proxy: { upstream, username, password: known, ttl },
    }),
  );
}

/** The arguments with every default filled in. */
interface CacheSettings {
  mirror: CompleteMirror;
  hostname: string;
  bindAddress: string;
  encrypted: boolean;
  allowInsecure: boolean;
  logFormat?: LogFormat;
  hosts: Record<string, string>;
  resources: Required<Resources>;
}

function settingsOf(args: PullThroughCacheArgs): CacheSettings {
  const mirror = completeMirror(args.mirror ?? {});
  const bindAddress = args.bindAddress ?? "127.0.0.1";
  return {
    mirror: { ...mirror, caCertificates: mirror.caCertificates && forGo(mirror.caCertificates) },
    hostname: args.hostname ?? usualHostname(bindAddress),
    bindAddress,
    encrypted: args.serverPem !== undefined,
    allowInsecure: args.allowInsecure ?? false,
    logFormat: args.logFormat,
    hosts: args.hosts ?? {},
    resources: completeResources(args.resources),
  };
}

function settingsProblems(settings: CacheSettings): Problem[] {
  const address: AddressSettings = { ...settings, port: settings.mirror.port };
  return [
    // The port is looked at with the rest of `mirror`.
    ...addressProblems(address).filter(({ key }) => key !== "port"),
    ...(settings.encrypted ? [] : openProblems("serverPem", "a mirror without a certificate", "give one", address)),
    ...mirrorProblems(settings.mirror, settings.allowInsecure),
    ...samePortProblems(mirrorPorts(settings.mirror)),
    ...oneOf("", { logFormat: settings.logFormat }, Object.values(LogFormat)),
    ...containerProblems(settings.hosts, settings.resources),
  ];
}
