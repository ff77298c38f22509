import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { TlsMode } from "../args/registry";
import { forGo } from "../checks/certificates";
import { leadsToHub } from "../checks/dockerHub";
import { RegistrySettings } from "../checks/registry";
import { daemonConfig, loginCommand, trustCommand } from "../render/clientCommands";
import {
  certificateFile,
  Configuration,
  configurationPath,
  forwarderKey,
  htpasswdFile,
  renderConfiguration,
  storeCaPath,
} from "../render/configuration";
import { hostOf, hostPort, imageHost, isSentInClear, isUnspecified } from "../checks/hosts";
import { checkWhenKnown } from "../checks/inputs";
import { completeMirror } from "../checks/mirror";
import { notificationsProblems } from "../checks/observation/notifications";
import { Storage } from "../args/storage";
import { RedisConfiguration } from "../render/redis";
import { storageConfiguration } from "../render/driverParameters";
import { storageProblems } from "../checks/storage";
import { serverVersion } from "../render/version";
import { provisionedStorage } from "../stores/provisionedStorage";
import { deploymentOf } from "./deployment";
import { warnOfRedirects } from "./redirects";
import { RegistryCertificate } from "./registryCertificate";
import { ServerFile } from "./serverFiles";
import { RegistryOutputs } from "../args/outputs";
import { RegistryUsers } from "./registryUsers";
import { serverEnvironment } from "./serverContainer";

/** A file that the server reads, with a name for its content. */
export interface NamedFile extends ServerFile {
  name: string;
}

/** The parts that a server of our own is made from, wherever it runs. */
export interface RegistryParts {
  certificate: RegistryCertificate;
  users: RegistryUsers;
  /** Where the configuration file is in the container. */
  configurationPath: pulumi.Output<string>;
  /** The configuration file as text. Secret. */
  configuration: pulumi.Output<string>;
  files: NamedFile[];
  /** What distinguishes it from other registries of its name. */
  deployment: pulumi.Output<string>;
  /** The key by which it recognizes its forwarders. Secret. */
  forwarderKey: pulumi.Output<string>;
  /** `NAME=value` of the server's environment. */
  environment: string[];
}

/** The surroundings of a server. */
export interface Surroundings {
  lab: boolean;
  /** Other servers have the same store. */
  shared: boolean;
  /** The cache that those servers share, if any. */
  redis?: pulumi.Output<RedisConfiguration>;
}

/** Everything about a server but where it runs. */
export function registryParts(
  name: string,
  settings: RegistrySettings,
  { lab, shared, redis }: Surroundings,
  parent: pulumi.ComponentResourceOptions,
): RegistryParts {
  const encrypted = settings.tls.mode !== TlsMode.Off;
  const certificate = new RegistryCertificate(
    `${name}-tls`,
    { hostname: settings.hostname, alternativeNames: certificateNames(settings), tls: settings.tls },
    parent,
  );
  const users = new RegistryUsers(`${name}-users`, { users: [...settings.users], anonymousPull: settings.anonymousPull }, parent);
  // Not RandomBytes: its value is its ID as well, and that stands in state and previews in clear.
  const httpSecret = new random.RandomPassword(`${name}-http-secret`, { length: 48, special: false }, parent);
  const store = provisionedStorage(`${name}-store`, settings.storage, lab, parent);
  const storage = checkWhenKnown(store, (resolved) => storageProblems(resolved, settings.image));
  storage.apply((resolved) => warnOfRedirects(resolved, clientAddress(settings).endpoint, parent.parent));
  const endpoints = checkWhenKnown([...settings.notifications], (told) => notificationsProblems(told, settings));
  const configuration = pulumi
    .all([httpSecret.result, storage, redis, endpoints])
    .apply(([secret, resolved, cache, told]) =>
      renderConfiguration(
        serverConfiguration(settings, { httpSecret: secret, shared, redis: cache, notifications: told, storage: resolved }),
      ),
    );
  // The path holds a hash over the random HTTP secret, which tells nothing about the file's other secrets.
  const path = pulumi.unsecret(configuration.apply(configurationPath));
  const storeCa = settings.storage.caCertificates && forGo(settings.storage.caCertificates);
  return {
    certificate,
    users,
    configurationPath: path,
    configuration,
    files: [
      { name: "configuration", path, content: configuration },
      ...(encrypted ? [{ name: "certificate", path: certificateFile, content: certificate.serverPem }] : []),
      ...(settings.users.length > 0 ? [{ name: "users", path: htpasswdFile, content: users.htpasswd }] : []),
      ...(storeCa === undefined ? [] : [{ name: "store-ca", path: storeCaPath(storeCa), content: storeCa }]),
    ],
    deployment: deploymentOf(httpSecret.result),
    forwarderKey: httpSecret.result.apply(forwarderKey),
    environment: serverEnvironment(settings.resources, storeCa),
  };
}

/** The content of a server's configuration file, from checked settings and the values that are `known` once their Outputs are. */
export function serverConfiguration(
  settings: RegistrySettings,
  known: Pick<Configuration, "httpSecret" | "shared" | "redis" | "notifications"> & { storage: Storage },
): Configuration {
  return {
    ...known,
    tls: settings.tls.mode !== TlsMode.Off,
    // Not as it was given: clients are to read the same address everywhere.
    externalUrl: settings.externalUrl === undefined ? undefined : clientAddress(settings).endpoint,
    trustedProxies: settings.trustedProxies,
    authentication: settings.users.length > 0 ? settings.authentication : undefined,
    cors: settings.cors,
    bundled: settings.image === "bundled",
    metrics: settings.measured,
    readOnly: settings.readOnly,
    foreignLayerHosts: settings.foreignLayerHosts,
    ui: hasPage(settings),
    garbageCollection: settings.garbageCollection,
    notifications: known.notifications?.map((each) => ({
      ...each,
      caCertificates: each.caCertificates && forGo(each.caCertificates),
    })),
    logFormat: settings.logs.format,
    audit: settings.logs.audit,
    storage: storageConfiguration(known.storage),
  };
}

/** Every name and address that a client of this host may use, and that of an `externalUrl` with TLS: its proxy may pass TLS through. */
function certificateNames(settings: RegistrySettings): string[] {
  const { endpoint } = clientAddress(settings);
  const external = settings.externalUrl !== undefined && endpoint.startsWith("https:") ? [hostOf(endpoint)] : [];
  return [settings.bindAddress, "localhost", "127.0.0.1", "::1", ...external].filter((each) => !isUnspecified(each));
}

/** The stock server has no page. */
function hasPage({ image, ui = true }: RegistrySettings): boolean {
  return image === "bundled" && ui;
}

/** The address that clients use, and whether their engines have to be told that it is plain HTTP. */
function clientAddress({ externalUrl, tls, hostname, port }: RegistrySettings): {
  endpoint: string;
  prefix: string;
  insecure: boolean;
} {
  const direct = `${tls.mode === TlsMode.Off ? "http" : "https"}://${hostPort(hostname, port)}`;
  // In lower case, as browsers write an address.
  const [, scheme = "", registry = ""] = /^(https?:\/\/)([^/]*)/.exec(externalUrl?.toLowerCase() ?? direct) ?? [];
  const prefix = imageHost(registry, scheme === "http://" ? 80 : 443);
  const endpoint = `${scheme}${prefix}`;
  return { endpoint, prefix, insecure: isSentInClear(endpoint) };
}

/** The addresses by which an engine near the registry may know it: it can also bypass the proxy at `externalUrl`. */
export function engineAddresses(settings: RegistrySettings): string[] {
  return [...new Set([clientAddress(settings).prefix, hostPort(settings.hostname, settings.port)])];
}

/** What clients need to know; `mirror` is the URL of a pull-through cache. */
export function clientOutputs(
  settings: RegistrySettings,
  { certificate, users }: RegistryParts,
  mirror: pulumi.Output<string> = pulumi.output(""),
): RegistryOutputs & Required<Pick<RegistryOutputs, "certificateExpiresAt" | "mirrorEndpoint" | "page">> {
  const { endpoint: url, prefix, insecure } = clientAddress(settings);
  const cache = settings.mirror && completeMirror(settings.mirror);
  const trusted = cache && { prefix: hostPort(settings.hostname, cache.port), ofDockerHub: leadsToHub(cache.upstream) };
  return {
    endpoint: pulumi.output(url),
    repositoryPrefix: pulumi.output(prefix),
    username: users.username,
    password: users.password,
    credentials: users.credentials,
    caCertificate: certificate.caCertificate,
    certificateExpiresAt: certificate.expiresAt,
    loginCommand: users.username.apply((username) => loginCommand(prefix, username)),
    trustCommand: certificate.caCertificate.apply((ca) => trustCommand(prefix, ca, { mirror: trusted, plainHttp: insecure })),
    daemonConfig: mirror.apply((endpoint) =>
      daemonConfig({
        insecureRegistry: insecure ? prefix : undefined,
        mirror: endpoint === "" ? undefined : endpoint,
      }),
    ),
    mirrorEndpoint: mirror,
    page: pulumi.output(hasPage(settings) ? `${url}/` : ""),
    version: pulumi.output(settings.image === "bundled" ? serverVersion() : settings.image),
  };
}
