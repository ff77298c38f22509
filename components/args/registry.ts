import * as pulumi from "@pulumi/pulumi";

/** Where the certificate comes from, or that TLS is off. */
export const TlsMode = {
  /** A CA and a server certificate are made and renewed by the package. */
  SelfSigned: "self-signed",
  /** The user's own certificate and key. */
  Provided: "provided",
  /** Plain HTTP: on loopback addresses only, unless `allowInsecure`. */
  Off: "off",
} as const;
export type TlsMode = (typeof TlsMode)[keyof typeof TlsMode];

/** The certificate that clients see. */
export interface Tls {
  /** Where the certificate comes from. Default: `self-signed`. */
  mode?: TlsMode;
  /** `provided`: the server certificate, PEM; may carry its intermediates. Default: none, with `provided` it is required. */
  certificate?: pulumi.Input<string>;
  /** `provided`: the key of `certificate`, PEM without a passphrase. Kept secret. Default: none, with `provided` it is required. */
  privateKey?: pulumi.Input<string>;
  /** `provided`: intermediates, PEM, nearest to the server first; with a private CA its root last. */
  chain?: pulumi.Input<string>;
  /** `self-signed`: days the server certificate is valid, 1 to 3649. Default: `365`. */
  validityDays?: number;
  /** `self-signed`: days before the certificate's end from which an `up` renews it. Default: a third of `validityDays`, 30 at most. */
  renewBeforeDays?: number;
  /** `self-signed`: raise it for a new key and certificate with the next `up`. Default: `1`. */
  generation?: number;
  /** `self-signed`: raise it by one for a new CA, which clients must then trust. Default: `1`. */
  caGeneration?: number;
  /** `self-signed`: clients that trust only the previous CA still accept the registry, and the output `caCertificate` contains both CAs. Requires `caGeneration` 2 or more. Default: `false`. */
  keepPreviousCa?: boolean;
}

/** What a user may do. */
export const Access = {
  /** Push, pull and delete. */
  PushPull: "push-pull",
  /** Pull only. */
  Pull: "pull",
} as const;
export type Access = (typeof Access)[keyof typeof Access];

/** A user who may log in. */
export interface User {
  /** Login name: letters, digits and `._@+-`, 128 at most, a letter or digit first. */
  name: string;
  /** Password, 72 bytes at most (the limit of bcrypt). Kept secret. Default: a generated one of 32 characters. */
  password?: pulumi.Input<string>;
  /**
   * bcrypt hash in place of a password, as `htpasswd -nB` makes it, of cost 17 at most. Not for the first user, whose password is
   * an output. Kept secret. Default: none.
   */
  passwordHash?: pulumi.Input<string>;
  /** Raise it by one for a new generated password, or for a new hash of the given one. Default: `1`. */
  generation?: number;
  /** Also accepts the generated password of the previous generation. Requires `generation` 2 or more. Requires the bundled server. Default: `false`. */
  keepPrevious?: boolean;
  /** Also accepts this password, for a change in two steps. Requires `password`. Requires the bundled server. Kept secret. Default: none. */
  previousPassword?: pulumi.Input<string>;
  /** What the user may do. `pull` requires the bundled server. Default: `push-pull`. */
  access?: Access;
  /** Repositories the user may use: names, or prefixes such as `team-a/*`. Requires the bundled server. Default: all. */
  repositories?: string[];
}

/** Web pages of other sites from which browsers may use the registry. */
export interface Cors {
  /** Origins of the pages, such as `https://ui.example.com`, or `*` alone for all. */
  allowedOrigins: string[];
  /** Lets the pages use the login that the browser has stored, and so act as its user. Default: `false`, a page logs in itself. */
  allowCredentials?: boolean;
  /** Seconds for which a browser may cache what a page is allowed to do, a day at most. Default: `600`. */
  maxAgeSeconds?: number;
}

/** How logins are verified. Requires the bundled server. */
export interface Authentication {
  /** Seconds for which a verified login is cached after its last use, a day at most; 0 verifies every request. Default: `300`. */
  cacheSeconds?: number;
  /** Logins cached at most, 1 to 1,000,000. Default: `10000`. */
  cacheSize?: number;
  /**
   * Failed logins allowed within the window for a user name from one address; more are answered with 429. An address has five
   * times as many for all names together. 1,000,000 at most; 0 means no limit. A failed login costs the server about 60 ms. Default: `60`.
   */
  failedLogins?: number;
  /** Length of the window in seconds, 1 to a day. Default: `60`. */
  failedLoginsWindowSeconds?: number;
}

/** Limits of the server's container. */
export interface Resources {
  /** Memory in MiB, 64 or more. Default: `512`. */
  memory?: number;
  /** Processes and threads, 64 or more; a change needs no new container. Default: `512`. */
  processes?: number;
}

/** Deletes what no image needs, while images are pushed and pulled. Does nothing while the registry is read-only. */
export interface GarbageCollection {
  /** When to collect: five fields of cron (minute, hour, day of month, month, day of week). Not in a cloud. Default: on demand only. */
  schedule?: string;
  /** Time zone of `schedule`, a name of the IANA database. Not in a cloud. Default: `UTC`. */
  timeZone?: string;
  /** Deletes untagged manifests, except those that an index or a kept manifest refers to, and those whose `subject` is a kept manifest. Default: `false`. */
  deleteUntagged?: boolean;
  /** Which tags to keep, decided before every collection. A repository that no rule names keeps all its tags. An image is deleted with its last tag. Default: every tag. */
  retention?: RetentionRule[];
  /** Tags that no rule deletes: names, with `*` for any characters. Default: none. */
  alwaysKeepTags?: string[];
  /** Only logs what the rules would delete. Read the log before you set it to `false`. Default: `true`. */
  retentionDryRun?: boolean;
}

/** A rule for the tags of some repositories: a tag is kept if `keepNewest`, `keepDays` or `keepTags` says so. For each repository the first rule that names it applies. */
export interface RetentionRule {
  /** Repositories: names, or prefixes such as `team-a/*`. Default: all. */
  repositories?: string[];
  /** Keeps this many tags of each repository, those pushed last. Default: no limit by number. */
  keepNewest?: number;
  /** Keeps tags pushed within this many days. Default: no limit by age. */
  keepDays?: number;
  /** Keeps tags with these names, with `*` for any characters. Default: none. */
  keepTags?: string[];
}

/** Metrics of a server for Prometheus, on a port of its own. */
export interface Metrics {
  /** Port on the Docker host, 1 to 65535. Default: `5002`; in `mirror.metrics` `5003`. */
  port?: number;
  /** Address of the Docker host to listen on. There is no login, and names and sizes of repositories are shown. Default: `127.0.0.1`. */
  bindAddress?: string;
}

/** A pull-through cache of another registry. */
export interface Mirror {
  /** URL of the registry it fetches from. Default: `https://registry-1.docker.io`. */
  upstream?: string;
  /** Login at the upstream. Default: anonymous. */
  username?: string;
  /** Password or token at the upstream. Kept secret. */
  password?: pulumi.Input<string>;
  /** How long a fetched blob or manifest is kept, with a unit: `168h`, `30m`. Not in a cloud. Default: `168h`. */
  ttl?: string;
  /** How much the cache may hold, with a unit: `20GB`, `500MB`. What was pulled longest ago is deleted first. Not in a cloud. Default: no bound but `ttl`. */
  maxSize?: string;
  /** Port on the Docker host, 1 to 65535. Not in a cloud. Default: `5001`. */
  port?: number;
  /** CA of the upstream's certificate, PEM, if it is a private one. It replaces the public CAs. Not in a cloud. Default: the public CAs. */
  caCertificates?: string;
  /** Metrics of the mirror for Prometheus. Not in a cloud. Default: nothing. */
  metrics?: Metrics;
  /** A page in the browser, at `/` of the mirror's address: the upstream, what is cached, hits and misses. Anyone who can pull through the mirror can see it. Not in a cloud. Default: `false`. */
  ui?: boolean;
}

/** An image to build and push. */
export interface ImageBuild {
  /** Repository in the registry: what comes after `repositoryPrefix` in the image's name, such as `team-a/app`. */
  name: string;
  /** Build context: a folder, absolute or relative to that of the Pulumi project, or a Git repository as `URL#REF:FOLDER`. */
  context: string;
  /** Path of the Dockerfile inside the context. Default: `Dockerfile`. */
  dockerfile?: string;
  /** Values of the Dockerfile's `ARG`s. Not for secrets: the image's history may show them. Default: none. */
  buildArgs?: Record<string, string>;
  /** Platform to build for, such as `linux/arm64`. Default: that of the Docker engine. */
  platform?: string;
  /** Tags to push. Default: `latest`. */
  tags?: string[];
  /** The image of the list that this one is built on. Its Dockerfile gets the reference as `ARG BASE`. Default: none. */
  from?: string;
}
