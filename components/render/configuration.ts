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
/** Port in the container for forwarders, which report their clients there. */
export const proxiedPort = 5001;
/** Port in the container for the metrics. */
export const metricsPort = 5002;
export const metricsPath = "/metrics";
/** Seconds that requests under way get to finish when the server is stopped. */
export const drainSeconds = 30;

/** A storage driver's name and parameters, in the engine's own words. */
export interface StorageConfiguration {
  driver: string;
  parameters: Record<string, unknown>;
  /** Clients fetch blobs from the store itself, through signed URLs. */
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
  /** URL that clients are told, if a reverse proxy stands in front of the server. */
  externalUrl?: string;
  /** Serves metrics for Prometheus, on a port of their own. Default: `false`. */
  metrics?: boolean;
  /** Format of its log. Default: `text`. */
  logFormat?: LogFormat;
  /** How logins are verified; none without users. */
  authentication?: Authentication;
  /** Pages of other sites that may use the server; undefined for none. */
  cors?: Cors;
  /** The bundled server, which knows more than the stock engine. */
  bundled: boolean;
  /** Pulls only: pushes and deletions are refused. */
  readOnly: boolean;
  /** Hosts that may have layers which are not in the registry. Default: the server's own. */
  foreignLayerHosts?: readonly string[];
  /** When and what the bundled server collects by itself; nothing while `readOnly`. */
  garbageCollection?: GarbageCollection;
  /** Other servers have the same store. Default: `false`. */
  shared?: boolean;
  /** Where the servers of a store share what they know of blobs; undefined if each keeps that for itself. */
  redis?: RedisConfiguration;
  storage: StorageConfiguration;
  /** What a pull-through cache fetches from; none for a registry. */
  proxy?: ProxyConfiguration;
}

/** Whether a text is a number in the server's YAML 1.1, even if it is not one in YAML 1.2: `1_000`, `0X1F`, `+.5`. */
function isOlderNumber(text: string): boolean {
  const plain = text.replaceAll("_", "");
  const number = /^[-+]?(0x[\da-f]+|0b[-+]?[01]+|0o[0-7]+|(\d+\.?\d*|\.\d+)(e[-+]?\d+)?)$/i;
  return !text.startsWith("_") && number.test(plain) && Number.isFinite(parseFloat(plain));
}

/** Quotes texts that are such numbers too, and no others: a server is replaced when a letter of its file changes. */
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
      // In a mirror the cache would go on naming blobs that have expired.
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

/** The stock engine would send clients on to that name, where those that came by another one are not logged in. */
function address(externalUrl: string, bundled: boolean): object {
  return bundled ? { host: externalUrl } : { relativeurls: true };
}

/** Expressions for https URLs; without hosts, one that matches no URL. */
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
    // Until its manifest is there, only the server that an image is pushed through knows of it: to the others its blobs are only young.
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

/** The key by which a server recognizes its forwarders; it reveals nothing about the secret, which is the server's alone. */
export function forwarderKey(httpSecret: string): string {
  return createHmac("sha256", httpSecret).update("container-registry forwarder").digest("hex");
}

/**
 * Path of a configuration file in the container, named after its content: a container keeps the file it was made for,
 * even while a successor with another one is tried.
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
