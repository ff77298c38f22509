import { createHash, createHmac } from "crypto";
import * as yaml from "js-yaml";
import { Authentication, Cors, GarbageCollection } from "../args/registry";
import { corsHeaders } from "./cors";
import { LogFormat } from "../args/logs";
import { OwnConfiguration, ownSection } from "./own";
import { RedisConfiguration } from "./redis";

/** Folder of the files that a running server reads, in the container. */
export const filesFolder = "/etc/container-registry";
/** Certificate chain and key in one file, so that they can only change together. */
export const certificateFile = `${filesFolder}/server.pem`;
export const htpasswdFile = `${filesFolder}/htpasswd`;
/** Folder of the filesystem driver, in the container. */
export const dataFolder = "/var/lib/registry";
/** Port in the container; the port outside is the user's choice. */
export const containerPort = 5000;
/** Port in the container for forwarders, which tell there of their clients. */
export const proxiedPort = 5001;
/** Port in the container for what Prometheus is told. */
export const metricsPort = 5002;
export const metricsPath = "/metrics";
/** Time that requests under way get to end when the server is stopped, in seconds. */
export const drainSeconds = 30;

/** A storage driver's name and parameters, in the engine's own words. */
export interface StorageConfiguration {
  driver: string;
  parameters: Record<string, unknown>;
  /** Clients fetch blobs from the store itself, by signed URLs. */
  redirect: boolean;
}

/** The upstream of a pull-through cache. */
export interface ProxyConfiguration {
  upstream: string;
  username?: string;
  password?: string;
  /** Always with a unit: the engine takes a bare number for nanoseconds. */
  ttl: string;
}

/** All that the server's configuration file says, decided and checked. */
export interface Configuration extends OwnConfiguration {
  /** Signs the state of uploads; the same for all replicas. */
  httpSecret: string;
  tls: boolean;
  /** URL that clients are told, where a reverse proxy stands before the server. */
  externalUrl?: string;
  /** Tells Prometheus about the server, on a port of its own. Default: `false`. */
  metrics?: boolean;
  /** How the lines of its log look. Default: `text`. */
  logFormat?: LogFormat;
  /** How logins are verified; none without users. */
  authentication?: Authentication;
  /** Pages of other sites that may use the server; none without. */
  cors?: Cors;
  /** The bundled server, which knows more than the stock engine. */
  bundled: boolean;
  /** Pulls only: pushes and deletions are refused. */
  readOnly: boolean;
  /** Where layers may be that are not in the registry; what the server does by itself without. */
  foreignLayerHosts?: readonly string[];
  /** When and what the bundled server collects by itself; nothing while `readOnly`. */
  garbageCollection?: GarbageCollection;
  /** Other servers have the same store. Default: `false`. */
  shared?: boolean;
  /** Where the servers of a store keep what they know of blobs; each for itself without. */
  redis?: RedisConfiguration;
  storage: StorageConfiguration;
  /** What a pull-through cache fetches from; none for a registry. */
  proxy?: ProxyConfiguration;
}

/** Whether a text is a number in the server's YAML 1.1, also where it is none in YAML 1.2: `1_000`, `0X1F`, `+.5`. */
function isOlderNumber(text: string): boolean {
  const plain = text.replaceAll("_", "");
  const number = /^[-+]?(0x[\da-f]+|0b[-+]?[01]+|0o[0-7]+|(\d+\.?\d*|\.\d+)(e[-+]?\d+)?)$/i;
  return !text.startsWith("_") && number.test(plain) && Number.isFinite(parseFloat(plain));
}

/** Puts texts that are such numbers in quotes too, and no others: a server is made anew when a letter of its file changes. */
const serverYaml = yaml.DEFAULT_SCHEMA.extend({
  implicit: [
    new yaml.Type("tag:yaml.org,2002:older-number", {
      kind: "scalar",
      resolve: (text: unknown) => typeof text === "string" && isOlderNumber(text),
    }),
  ],
});

function dump(file: object): string {
  return yaml.dump(file, { schema: serverYaml });
}

/**
 * Renders the whole configuration file
 * (keys: https://distribution.github.io/distribution/about/configuration/ of distribution v3.1.2).
 */
export function renderConfiguration(configuration: Configuration): string {
  const { httpSecret, storage, proxy, redis } = configuration;
  return dump({
    version: "0.1",
    log: { level: "info", formatter: configuration.logFormat ?? LogFormat.Text },
    http: {
      addr: `:${containerPort}`,
      secret: httpSecret,
      ...(configuration.externalUrl === undefined ? {} : address(configuration.externalUrl, configuration.bundled)),
      ...(configuration.metrics ? { debug: { addr: `:${metricsPort}`, prometheus: { enabled: true, path: metricsPath } } } : {}),
      draintimeout: `${drainSeconds}s`,
      headers: {
        "X-Content-Type-Options": ["nosniff"],
        ...(configuration.cors === undefined ? {} : corsHeaders(configuration.cors)),
      },
      ...(configuration.tls ? { tls: { certificate: certificateFile, key: certificateFile, minimumtls: "tls1.2" } } : {}),
    },
    ...(configuration.bundled ? ownSection(configuration) : {}),
    ...(configuration.authentication === undefined
      ? {}
      : {
          auth: {
            htpasswd: {
              realm: "container-registry",
              path: htpasswdFile,
              ...(configuration.bundled ? verification(configuration.authentication) : {}),
            },
          },
        }),
    storage: {
      [storage.driver]: storage.parameters,
      delete: { enabled: true },
      redirect: { disable: !storage.redirect },
      // In a mirror it would go on naming blobs that have expired.
      ...(proxy === undefined ? { cache: { blobdescriptor: redis === undefined ? "inmemory" : "redis" } } : {}),
      tag: { concurrencylimit: 8 },
      // All four keys: with one missing the engine panics at start.
      maintenance: {
        uploadpurging: { enabled: true, age: "168h", interval: "24h", dryrun: false },
        ...(configuration.readOnly
          ? { readonly: { enabled: true } }
          : configuration.bundled && (configuration.garbageCollection !== undefined || configuration.shared)
            ? { garbagecollection: collection(configuration.garbageCollection ?? {}, configuration.shared) }
            : {}),
      },
    },
    ...(redis === undefined ? {} : { redis: { addrs: [redis.address], password: redis.password } }),
    health: { storagedriver: { enabled: true, interval: "10s", threshold: 3 } },
    ...(configuration.foreignLayerHosts === undefined
      ? {}
      : { validation: { manifests: { urls: { allow: layerUrls(configuration.foreignLayerHosts) } } } }),
    ...(proxy === undefined ? {} : { proxy: proxySection(proxy) }),
  });
}

/** The stock engine would have clients go on by that name, which those that come by another one are not logged in at. */
function address(externalUrl: string, bundled: boolean): object {
  return bundled ? { host: externalUrl } : { relativeurls: true };
}

/** Expressions for URLs by https; the one for none at all matches no URL. */
function layerUrls(hosts: readonly string[]): string[] {
  const expression = (host: string): string => `^(?i:https://${host.replace(/[.[\]]/g, "\\$&")})/`;
  return hosts.length === 0 ? ["^$"] : hosts.map((host) => (host === "*" ? "^(?i:https)://" : expression(host)));
}

function proxySection({ upstream, username, password, ttl }: ProxyConfiguration): object {
  return { remoteurl: upstream.replace(/\/$/, ""), ...(username === undefined ? {} : { username, password }), ttl };
}

function collection(settings: GarbageCollection, shared = false): object {
  const { schedule, timeZone = "UTC", deleteUntagged = false, retention = [], alwaysKeepTags, retentionDryRun = true } = settings;
  return {
    ...(schedule === undefined ? {} : { schedule, timezone: timeZone }),
    deleteuntagged: deleteUntagged,
    // What a client pushes through another server is young: only that server knows of it until the manifest is there.
    ...(shared ? { grace: "1h" } : {}),
    ...(retention.length === 0
      ? {}
      : {
          retention: {
            dryrun: retentionDryRun,
            ...(alwaysKeepTags === undefined ? {} : { alwayskeep: alwaysKeepTags }),
            rules: retention.map(({ repositories, keepNewest, keepDays, keepTags }) => ({
              ...(repositories === undefined ? {} : { repositories }),
              ...(keepNewest === undefined ? {} : { keepnewest: keepNewest }),
              ...(keepDays === undefined ? {} : { keepdays: keepDays }),
              ...(keepTags === undefined ? {} : { keeptags: keepTags }),
            })),
          },
        }),
  };
}

function verification(authentication: Authentication): object {
  const { cacheSeconds = 300, cacheSize = 10_000, failedLogins = 60, failedLoginsWindowSeconds = 60 } = authentication;
  return {
    cache: { ttl: `${cacheSeconds}s`, size: cacheSize },
    limit: { failures: failedLogins, window: `${failedLoginsWindowSeconds}s` },
  };
}

/** By which a server knows its forwarders; tells nothing about the secret that is the server's alone. */
export function forwarderKey(httpSecret: string): string {
  return createHmac("sha256", httpSecret).update("container-registry forwarder").digest("hex");
}

/**
 * Path of a configuration file in the container, named after its content: a container stays with the file it was made for,
 * also while a successor with another one is tried.
 */
export function configurationPath(rendered: string): string {
  return `${filesFolder}/config-${shortHash(rendered)}.yml`;
}

/** Path of the CA certificates of the store, named after their content for the same reason: they are read at start only. */
export function storeCaPath(certificates: string): string {
  return `${filesFolder}/store-ca-${shortHash(certificates)}.pem`;
}

function shortHash(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}
