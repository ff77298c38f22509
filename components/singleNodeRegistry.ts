import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Authentication, GarbageCollection, Mirror, Resources, Tls, TlsMode, User } from "./args";
import { nameProblems, registryProblems, RegistrySettings } from "./lib/checks";
import { daemonConfig, loginCommand, trustCommand } from "./lib/clientSetup";
import {
  certificateFile,
  configurationPath,
  filesFolder,
  htpasswdFile,
  renderConfiguration,
  storeCaPath,
} from "./lib/configuration";
import { engineOf } from "./lib/engine";
import { hostPort, isLoopback, isUnspecified } from "./lib/hosts";
import { checkArguments, gated } from "./lib/inputs";
import { completeMirror } from "./lib/mirror";
import { checkStore } from "./lib/preflight";
import { driverOf, storageConfiguration } from "./lib/storage";
import { storageProblems } from "./lib/storageChecks";
import { serverVersion } from "./lib/version";
import { provisionedStorage } from "./provisionedStorage";
import { PullThroughCache } from "./pullThroughCache";
import { RegistryCertificate } from "./registryCertificate";
import { RegistryData } from "./registryData";
import { RegistryFiles } from "./registryFiles";
import { RegistryImage } from "./registryImage";
import { RegistryUsers } from "./registryUsers";
import { completeResources, nameWhenHealthy, serverContainer, serverEnvironment, serverHosts } from "./serverContainer";
import { Storage } from "./storageArgs";

/** How long a store that was just made may refuse the registry, in seconds: an assigned role in Azure takes up to ten minutes. */
const newStorePatience = 600;

/** A registry on one Docker host. */
export interface SingleNodeRegistryArgs {
  /** DNS name or IP address that clients use, without port; it is in the certificate and in image names. Default: `localhost`. */
  hostname?: string;
  /** Port on the Docker host, 1 to 65535. Default: `5000`. */
  port?: number;
  /** Address of the Docker host to listen on; 0.0.0.0 for all. Default: `127.0.0.1`. */
  bindAddress?: string;
  /** Accepts plain HTTP or a registry without users beyond loopback. Default: `false`. */
  allowInsecure?: boolean;
  /** Where the certificate comes from, or that there is none. Default: self-signed. */
  tls?: Tls;
  /** Who may log in. Default: one user `admin` with a generated password. */
  users?: User[];
  /** Everybody may pull without a login; pushing still needs one. Default: `false`. */
  anonymousPull?: boolean;
  /** How logins are verified. For the bundled server. */
  authentication?: Authentication;
  /** Where images are kept. Default: a named volume. */
  storage?: Storage;
  /** Image of the server: `bundled`, or a reference pinned by digest (`name@sha256:…`). Default: `bundled`. */
  image?: string;
  /** Accepts pulls only, e.g. while images are moved to another store. Default: `false`. */
  readOnly?: boolean;
  /** When the server deletes what nobody needs, and which tags it keeps. For the bundled server. Default: on demand only, every tag is kept. */
  garbageCollection?: GarbageCollection;
  /** A pull-through cache beside the registry. Default: none. */
  mirror?: Mirror;
  /** Names that the server finds without DNS, with their IP addresses or `host-gateway`. `host.docker.internal` is always the Docker host. */
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
  /** End of the server certificate, ISO 8601 in UTC; empty without TLS. */
  public readonly certificateExpiresAt: pulumi.Output<string>;
  /** Shell command that logs Docker in as the first user. It reads the password from the stack's output `password`. */
  public readonly loginCommand: pulumi.Output<string>;
  /** Shell command that makes a Docker engine trust the registry. */
  public readonly trustCommand: pulumi.Output<string>;
  /** JSON to merge into a client engine's daemon.json. */
  public readonly daemonConfig: pulumi.Output<string>;
  /** URL of the pull-through cache; empty without `mirror`. */
  public readonly mirrorEndpoint: pulumi.Output<string>;
  /** Version of the server. */
  public readonly version: pulumi.Output<string>;
  /** Name of the server's container, for `docker logs` and `docker exec`. */
  public readonly containerName: pulumi.Output<string>;

  constructor(name: string, args: SingleNodeRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, passwords and keys among them.
    super("container-registry:index:SingleNodeRegistry", name, {}, opts);
    const settings = settingsOf(args);
    checkArguments(args, () => [...nameProblems(name), ...registryProblems(settings)]);
    const parent = { parent: this };
    const lab = args.lab ?? false;
    const bundled = settings.image === "bundled";
    const encrypted = settings.tls.mode !== TlsMode.Off;

    const certificate = new RegistryCertificate(
      `${name}-tls`,
      { hostname: settings.hostname, alternativeNames: certificateNames(settings), tls: settings.tls },
      parent,
    );
    const users = new RegistryUsers(
      `${name}-users`,
      { users: [...settings.users], anonymousPull: settings.anonymousPull },
      parent,
    );
    // Not RandomBytes: its value is its ID as well, and that stands in state and previews in clear.
    const httpSecret = new random.RandomPassword(`${name}-http-secret`, { length: 48, special: false }, parent);
    const image = new RegistryImage(`${name}-image`, { image: settings.image }, parent);
    const data = new RegistryData(
      `${name}-data`,
      { storage: settings.storage, lab, imageId: image.imageId, unprivileged: bundled },
      parent,
    );

    const store = provisionedStorage(`${name}-store`, settings.storage, lab, parent);
    const storage = gated(store, (resolved) => storageProblems(resolved, settings.image));
    const configuration = pulumi.all([httpSecret.result, storage]).apply(([secret, resolved]) =>
      renderConfiguration({
        httpSecret: secret,
        tls: encrypted,
        authentication: settings.users.length > 0 ? settings.authentication : undefined,
        bundled,
        readOnly: settings.readOnly,
        garbageCollection: settings.garbageCollection,
        storage: storageConfiguration(resolved),
      }),
    );
    // The path holds a hash over the random HTTP secret, which tells nothing about the file's other secrets.
    const path = pulumi.unsecret(configuration.apply(configurationPath));
    const storeCa = settings.storage.caCertificates;
    const files = new RegistryFiles(
      `${name}-files`,
      {
        imageId: image.imageId,
        unprivileged: bundled,
        files: [
          { path, content: configuration },
          ...(encrypted ? [{ path: certificateFile, content: certificate.serverPem }] : []),
          ...(settings.users.length > 0 ? [{ path: htpasswdFile, content: users.htpasswd }] : []),
          ...(storeCa === undefined ? [] : [{ path: storeCaPath(storeCa), content: storeCa }]),
        ],
      },
      parent,
    );
    const environment = serverEnvironment(settings.resources, storeCa);
    const remoteStore = driverOf(settings.storage) !== "filesystem";
    const checkedPath =
      remoteStore && bundled && !pulumi.runtime.isDryRun()
        ? pulumi
            .all([engineOf(this), image.imageId, files.volume, path, withoutDependency(files.written)])
            .apply(async ([engine, imageId, filesVolume, configurationFile]) => {
              await checkStore({
                engine,
                imageId,
                containerName: name,
                filesVolume,
                filesFolder,
                configurationPath: configurationFile,
                environment,
                hosts: serverHosts(settings.hosts).map(({ host, ip }) => `${host}:${ip}`),
                patience: settings.storage.provision === true ? newStorePatience : 0,
              });
              return configurationFile;
            })
        : path;

    const container = serverContainer(
      name,
      {
        imageId: image.imageId,
        bundled,
        configurationPath: checkedPath,
        filesVolume: files.volume,
        volumes: data.volumes,
        environment,
        bindAddress: settings.bindAddress,
        port: settings.port,
        hosts: settings.hosts,
        resources: settings.resources,
      },
      { parent: this, dependsOn: [files, data] },
    );
    const mirror =
      settings.mirror === undefined
        ? undefined
        : new PullThroughCache(
            `${name}-mirror`,
            {
              mirror: settings.mirror,
              hostname: settings.hostname,
              bindAddress: settings.bindAddress,
              // The same certificate: it is for the host, whatever the port.
              serverPem: encrypted ? certificate.serverPem : undefined,
              allowInsecure: settings.allowInsecure,
              hosts: settings.hosts,
              resources: settings.resources,
              lab,
            },
            parent,
          );

    const prefix = hostPort(settings.hostname, settings.port);
    this.endpoint = pulumi.output(`${encrypted ? "https" : "http"}://${prefix}`);
    this.repositoryPrefix = pulumi.output(prefix);
    this.username = users.username;
    this.password = users.password;
    this.credentials = users.credentials;
    this.caCertificate = certificate.caCertificate;
    this.certificateExpiresAt = certificate.expiresAt;
    this.loginCommand = users.username.apply((username) => loginCommand(prefix, username));
    this.mirrorEndpoint = mirror?.endpoint ?? pulumi.output("");
    const mirrorPrefix = settings.mirror && hostPort(settings.hostname, completeMirror(settings.mirror).port);
    this.trustCommand = certificate.caCertificate.apply((ca) => trustCommand(prefix, ca, mirrorPrefix));
    this.daemonConfig = this.mirrorEndpoint.apply((endpoint) =>
      daemonConfig({
        insecureRegistry: encrypted || isLoopback(settings.hostname) ? undefined : prefix,
        mirror: endpoint === "" ? undefined : endpoint,
      }),
    );
    this.version = pulumi.output(bundled ? serverVersion() : settings.image);
    // Outputs that tell where the registry is wait until it answers.
    this.containerName = nameWhenHealthy(this, container, bundled);
    this.registerOutputs({
      endpoint: this.endpoint,
      repositoryPrefix: this.repositoryPrefix,
      username: this.username,
      password: this.password,
      credentials: this.credentials,
      caCertificate: this.caCertificate,
      certificateExpiresAt: this.certificateExpiresAt,
      loginCommand: this.loginCommand,
      trustCommand: this.trustCommand,
      daemonConfig: this.daemonConfig,
      mirrorEndpoint: this.mirrorEndpoint,
      version: this.version,
      containerName: this.containerName,
    });
  }
}

/** The settings with every default filled in. */
export function settingsOf(args: SingleNodeRegistryArgs): RegistrySettings {
  return {
    hostname: args.hostname ?? "localhost",
    port: args.port ?? 5000,
    bindAddress: args.bindAddress ?? "127.0.0.1",
    allowInsecure: args.allowInsecure ?? false,
    tls: args.tls ?? {},
    users: args.users ?? [{ name: "admin" }],
    anonymousPull: args.anonymousPull ?? false,
    authentication: args.authentication ?? {},
    storage: args.storage ?? {},
    image: args.image ?? "bundled",
    readOnly: args.readOnly ?? false,
    garbageCollection: args.garbageCollection,
    mirror: args.mirror,
    hosts: args.hosts ?? {},
    resources: completeResources(args.resources),
  };
}

/**
 * Waits for an Output without depending on its resource. A container whose command depends on the writer of the files would be
 * deleted before each new writer is made: at every new certificate, and before the new store was tried.
 */
function withoutDependency<T>(output: pulumi.Output<T>): Promise<pulumi.Unwrap<T>> {
  return new Promise((resolve) => void output.apply((value) => resolve(value as pulumi.Unwrap<T>)));
}

/** Every name and address a client of this host may use. */
function certificateNames(settings: RegistrySettings): string[] {
  return [settings.bindAddress, "localhost", "127.0.0.1", "::1"].filter((each) => !isUnspecified(each));
}
