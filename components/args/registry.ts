import * as pulumi from "@pulumi/pulumi";

/** Where the certificate comes from, or that there is none. */
export const TlsMode = {
  /** A CA and a server certificate are made and renewed by the package. */
  SelfSigned: "self-signed",
  /** The user's own certificate and key. */
  Provided: "provided",
  /** Plain HTTP: on loopback addresses only, unless `allowInsecure`. */
  Off: "off",
} as const;
export type TlsMode = (typeof TlsMode)[keyof typeof TlsMode];

/** The certificate clients see. */
export interface Tls {
  /** `self-signed`, `provided` or `off`. Default: `self-signed`. */
  mode?: TlsMode;
  /** `provided`: the server certificate, PEM; may carry its intermediates. */
  certificate?: pulumi.Input<string>;
  /** `provided`: the key of `certificate`, PEM without a passphrase. Kept secret. */
  privateKey?: pulumi.Input<string>;
  /** `provided`: intermediates, PEM, nearest to the server first; with a private CA its root last. */
  chain?: pulumi.Input<string>;
  /** `self-signed`: days the server certificate is valid, 1 to 3649. Default: `365`. */
  validityDays?: number;
  /** `self-signed`: an `up` in this many days before the end renews the certificate. Default: a third of `validityDays`, 30 at most. */
  renewBeforeDays?: number;
  /** `self-signed`: raise it to get a new key and certificate with the next `up`. Default: `1`. */
  generation?: number;
  /** `self-signed`: raise it by one to get a new CA, which clients have to trust anew. Default: `1`. */
  caGeneration?: number;
  /** `self-signed`: clients that trust the CA of the generation before still accept the registry, and the output `caCertificate` has both. Needs `caGeneration` 2 or more. Default: `false`. */
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

/** Somebody who may log in. */
export interface User {
  /** Login name: letters, digits and `._@+-`, 128 at most, a letter or digit first. */
  name: string;
  /** Password, 72 bytes at most (the limit of bcrypt). Kept secret. Default: a generated one of 32 characters. */
  password?: pulumi.Input<string>;
  /** Raise it by one to get a new generated password, or a new hash of the given one. Default: `1`. */
  generation?: number;
  /** The generated password of the generation before is accepted too, until this is removed. Needs `generation` 2 or more. Default: `false`. */
  keepPrevious?: boolean;
  /** With a given `password`: another one that is accepted too, until this is removed. Kept secret. */
  previousPassword?: pulumi.Input<string>;
  /** `push-pull` or `pull`. Default: `push-pull`. */
  access?: Access;
  /** Repositories the user may use: names, or prefixes as `team-a/*`. Default: all. */
  repositories?: string[];
}

/** How logins are verified. For the bundled server. */
export interface Authentication {
  /** Seconds after its last use for which a verified login is remembered, a day at most; 0 verifies every request. Default: `300`. */
  cacheSeconds?: number;
  /** Logins remembered at most, 1 or more. Default: `10000`. */
  cacheSize?: number;
  /**
   * Failed logins that a user name may have at an address in a window before it gets 429; an address has five times as many over
   * all names. 0 means no limit. Each costs the server 60 ms or so. Default: `60`.
   */
  failedLogins?: number;
  /** Length of the window in seconds. Default: `60`. */
  failedLoginsWindowSeconds?: number;
}

/** Limits of the server's container. */
export interface Resources {
  /** Memory in MiB, 64 or more. Default: `512`. */
  memory?: number;
  /** Processes and threads, 64 or more; a change needs no new container. Default: `512`. */
  processes?: number;
}

/** Removal of what nobody needs any more, while images are pushed and pulled. Not while the registry is read-only. */
export interface GarbageCollection {
  /** When to collect: five fields of cron (minute, hour, day of month, month, day of week). Default: on demand only. */
  schedule?: string;
  /** Time zone of `schedule`, a name of the IANA database. Default: `UTC`. */
  timeZone?: string;
  /** Manifests go that have no tag, unless an index or a manifest with a `subject` needs them, or they are about one that stays. Default: `false`. */
  deleteUntagged?: boolean;
  /** Which tags to keep; a repository that no rule names keeps all. An image goes with its last tag. Evaluated before every collection. */
  retention?: RetentionRule[];
  /** Tags that no rule ever deletes: names, with `*` for any letters. */
  alwaysKeepTags?: string[];
  /** What the rules would delete is only logged; look at that before you set it to `false`. Default: `true`. */
  retentionDryRun?: boolean;
}

/** Which tags of some repositories are kept: those that one of the rule's reasons names. The first rule that names a repository counts. */
export interface RetentionRule {
  /** Repositories: names, or prefixes as `team-a/*`. Default: all. */
  repositories?: string[];
  /** Keeps this many tags of a repository, those pushed last. Default: none for this reason. */
  keepNewest?: number;
  /** Keeps tags that were pushed in this many days. Default: none for this reason. */
  keepDays?: number;
  /** Keeps tags of these names, with `*` for any letters. */
  keepTags?: string[];
}

/** A pull-through cache of another registry. */
export interface Mirror {
  /** URL of the registry it fetches from. Default: `https://registry-1.docker.io`. */
  upstream?: string;
  /** Login at the upstream. Default: anonymous. */
  username?: string;
  /** Password or token at the upstream. Kept secret. */
  password?: pulumi.Input<string>;
  /** How long a blob or manifest is kept after it was fetched, with a unit: `168h`, `30m`. Default: `168h`. */
  ttl?: string;
  /** Port on the Docker host, 1 to 65535. Default: `5001`. */
  port?: number;
  /** The CA of the upstream's certificate when it is a private one, PEM; no other is trusted then. Default: the public CAs. */
  caCertificates?: string;
}

/** An image that is built and pushed. */
export interface ImageBuild {
  /** Repository in the registry: what comes after `repositoryPrefix` in the image's name, as `team-a/app`. */
  name: string;
  /** Folder with what the Dockerfile copies, or a Git repository as `URL#REF:FOLDER`. */
  context: string;
  /** Path of the Dockerfile inside the context. Default: `Dockerfile`. */
  dockerfile?: string;
  /** Values of the Dockerfile's `ARG`s. They are no place for secrets: an image's history may show them. */
  buildArgs?: Record<string, string>;
  /** Platform to build for, as `linux/arm64`. Default: that of the Docker engine. */
  platform?: string;
  /** Tags to push. Default: `latest`. */
  tags?: string[];
  /** Another image of the list that this one is built on: its Dockerfile gets the reference as `ARG BASE`. */
  from?: string;
}
