// Made by npm run schema.
import * as pulumi from "@pulumi/pulumi";
/** Where the certificate comes from, or that TLS is off. */
export declare const TlsMode: {
    /** A CA and a server certificate are made and renewed by the package. */
    readonly SelfSigned: "self-signed";
    /** The user's own certificate and key. */
    readonly Provided: "provided";
    /** Plain HTTP: on loopback addresses only, unless `allowInsecure`. */
    readonly Off: "off";
};
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
export declare const Access: {
    /** Push, pull and delete. */
    readonly PushPull: "push-pull";
    /** Pull only. */
    readonly Pull: "pull";
};
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
/** Format of the server's log. */
export declare const LogFormat: {
    /** For people: `key=value`, and the access log as web servers write it. */
    readonly Text: "text";
    /** For machines: a JSON object on each line, in the access log as well. */
    readonly Json: "json";
};
export type LogFormat = (typeof LogFormat)[keyof typeof LogFormat];
/** What the audit records. */
export declare const AuditLevel: {
    /** Nothing. */
    readonly Off: "off";
    /** Pushes, deletions and failed logins. */
    readonly Writes: "writes";
    /** Pulls as well. */
    readonly All: "all";
};
export type AuditLevel = (typeof AuditLevel)[keyof typeof AuditLevel];
/** The server's log and its audit. */
export interface Logs {
    /** Format of the log; of the bundled server's access log too. Default: `text`. */
    format?: LogFormat;
    /** Audit of who did what and from where, in a volume of its own. Requires the bundled server. Default: `off`. */
    audit?: AuditLevel;
}
/** Amazon Elastic Container Registry. */
export interface EcrOptions {
    /** AWS region, such as eu-central-1. Default: the provider's. */
    region?: string;
    /** Repositories that are made (`team-a/app`), and prefixes (`team-a/*`) below which a push makes the repository. Default: none, it is required. */
    repositories?: string[];
    /** Refuses to move a tag to another image. Default: `true`. */
    immutableTags?: boolean;
    /** Tags that may be moved nevertheless: names, with `*` for any characters. Default: none. */
    mutableTags?: string[];
    /** Scans every pushed image for known vulnerabilities. Default: `true`. */
    scanOnPush?: boolean;
    /** ARN of the KMS key that encrypts the images. Default: AES-256 with a key of Amazon's. */
    kmsKey?: string;
    /** ARNs of the accounts, users and roles that may pull. Default: those of the registry's account that IAM allows. */
    readers?: string[];
    /** ARNs of the accounts, users and roles that may push and pull. Default: those of the registry's account that IAM allows. */
    writers?: string[];
    /** First part of the names of images that come through the mirror. Default: named after the upstream, such as `docker-hub`. */
    mirrorPrefix?: string;
    /** Tags of all resources that are created. */
    tags?: Record<string, string>;
}
/** Service tier of an Azure Container Registry. */
export declare const AcrSku: {
    /** For learning. */
    readonly Basic: "Basic";
    /** For most teams. */
    readonly Standard: "Standard";
    /** Deletion of untagged manifests, zone redundancy. */
    readonly Premium: "Premium";
};
export type AcrSku = (typeof AcrSku)[keyof typeof AcrSku];
/** Azure Container Registry. */
export interface AcrOptions {
    /** Name of the registry, 5 to 50 letters and digits, unique in all of Azure. Default: a free one. */
    name?: string;
    /** Name of an existing resource group. Default: a new one. */
    resourceGroup?: string;
    /** Azure region, such as westeurope. Default: that of `resourceGroup`; without one it is required. */
    location?: string;
    /** Service tier. Default: `Standard`. */
    sku?: AcrSku;
    /** Keeps images in several data centers of the region; `Premium` only. Default: `false`. */
    zoneRedundancy?: boolean;
    /** Days after which an untagged manifest is deleted, 0 to 365; with `garbageCollection.deleteUntagged`. Default: `7`. */
    untaggedDays?: number;
    /** Who may pull: `user:<object ID>`, `group:<object ID>` or `servicePrincipal:<object ID>`, which is a managed identity too. */
    readers?: string[];
    /** Who may push and pull, in the same form. */
    writers?: string[];
    /** First part of the names of images that come through the mirror. Default: named after the upstream, such as `docker-hub`. */
    mirrorPrefix?: string;
    /** Resource ID of a key vault with role-based access, where the login at the mirror's upstream is stored for Azure to read. */
    mirrorVault?: string;
    /** Tags of all resources that are created. */
    tags?: Record<string, string>;
}
/** Google Artifact Registry. */
export interface ArtifactRegistryOptions {
    /** Region (europe-west3) or multi-region (europe). Default: none, it is required. */
    location?: string;
    /** Project. Default: the provider's. */
    project?: string;
    /** Name of the repository that holds the images. Default: named after the component. */
    repository?: string;
    /** Refuses to move a tag to another image. Default: `true`. */
    immutableTags?: boolean;
    /** Scans every pushed image for known vulnerabilities if scanning is turned on in the project; `false` never scans. Default: `true`. */
    scan?: boolean;
    /** Name of a key in Cloud KMS that encrypts the images: `projects/…/cryptoKeys/…`. Default: a key of Google's. */
    kmsKey?: string;
    /** Who may pull: `user:…`, `group:…`, `serviceAccount:…`, `domain:…`, `principal://…` or `principalSet://…`. */
    readers?: string[];
    /** Who may push and pull, in the same form. */
    writers?: string[];
    /** Labels of all resources that are created. */
    labels?: Record<string, string>;
}
/** A registry that exists already. */
export interface ExternalOptions {
    /** DNS name or IP address. Default: none, it is required. */
    hostname?: string;
    /** Port, 1 to 65535. Default: 443, or 80 when `insecure`. */
    port?: number;
    /** The part between the host and an image's name: the account at Docker Hub, the project in Harbor or GitLab. Default: nothing. */
    path?: string;
    /** Login name. Default: none; the registry is used without a login. */
    username?: string;
    /** Password or access token. Kept secret. */
    password?: pulumi.Input<string>;
    /** The CA of the registry's certificate, PEM, when it is a private one. */
    caCertificate?: string;
    /** Speaks plain HTTP. Beyond loopback it needs `allowInsecure`. Default: `false`. */
    insecure?: boolean;
}
/** What an endpoint is notified of. */
export declare const NotifiedAction: {
    /** An image was pushed, or a tag moved. */
    readonly Push: "push";
    /** An image or a tag was deleted. */
    readonly Delete: "delete";
};
export type NotifiedAction = (typeof NotifiedAction)[keyof typeof NotifiedAction];
/** An HTTP endpoint that is notified of pushes and deletions. */
export interface Notification {
    /** Name of the endpoint, under which events wait for it: lower-case letters, digits and hyphens, 63 at most. */
    name: string;
    /** URL that events are sent to: `https://` or `http://`, without a user. Give it as a secret if its path or query is one. */
    url: pulumi.Input<string>;
    /** Headers to send with them, such as `Authorization`. Kept secret. Default: none. */
    headers?: Record<string, pulumi.Input<string>>;
    /** What the endpoint is notified of. Default: both. */
    actions?: NotifiedAction[];
    /** Repositories whose events are sent: names, or prefixes such as `team-a/*`. Default: all. */
    repositories?: string[];
    /** CA of the endpoint's certificate, PEM, if it is a private one. It replaces the public CAs. Default: the public CAs. */
    caCertificates?: string;
}
/** Images in a directory of the Docker host: a named volume unless `hostPath` says otherwise. */
export interface FilesystemStorage {
    /** Name of the volume. A volume that is named here outlives the stack. Default: the component's name and `-data`. */
    volume?: string;
    /** Driver of the volume: the name of an installed volume plugin. Default: `local`. */
    volumeDriver?: string;
    /** Options for the volume's driver, e.g. `type: nfs`. Only with `volume` or `volumeDriver`. */
    volumeOptions?: Record<string, string>;
    /** Absolute path on the Docker host (bind mount); created if missing. Can't be combined with the options of a volume. */
    hostPath?: string;
    /** Files that are read and written at once, 25 or more. Default: `100`. */
    maxThreads?: number;
}
/** Images in Amazon S3 or a store that speaks its protocol. Without keys, the role of the machine is used. */
export interface S3Storage {
    /** Name of the bucket. Default: with `provision` a name made from the component's; otherwise it is required. */
    bucket?: string;
    /** AWS region. Default: `us-east-1` with `regionEndpoint`; otherwise it is required. */
    region?: string;
    /** URL of a store that is not AWS. Default: AWS itself. */
    regionEndpoint?: string;
    /** Access key ID. Kept secret. Default: the machine's or task's IAM role; with `provision` a new user's, unless `role` is given. */
    accessKey?: pulumi.Input<string>;
    /** Secret access key, together with `accessKey`. Kept secret. */
    secretKey?: pulumi.Input<string>;
    /** Puts the bucket into the path instead of the host name. Default: true with `regionEndpoint`, except for aliyuncs.com. */
    forcePathStyle?: boolean;
    /** Uses TLS to the store. Default: true, unless `regionEndpoint` begins with http:. */
    secure?: boolean;
    /** Accepts any certificate of the store. Default: `false`. */
    skipVerify?: boolean;
    /** Encrypts every object on the store's side. Default: `false`. */
    encrypt?: boolean;
    /** KMS key for the encryption; needs `encrypt`. With `provision` it is an ARN: the policy names the key. */
    keyId?: string;
    /** Bytes of one part of an upload, 5 MiB or more; bounded by `resources.memory`. Default: 10 MiB. */
    chunkSize?: number;
    /** Bytes of one part of a server-side copy, 5 MiB or more. Default: 32 MiB. */
    multipartCopyChunkSize?: number;
    /** Parts copied at once. Default: `100`. */
    multipartCopyMaxConcurrency?: number;
    /** Objects above this size in bytes are copied in parts. Default: 32 MiB. */
    multipartCopyThresholdSize?: number;
    /** Folder in the bucket, without % and ?, in AWS without + too. Default: the bucket's root. */
    rootDirectory?: string;
    /** Storage class of new objects. Default: `STANDARD`. */
    storageClass?: string;
    /** Canned ACL of new objects. Default: `private`; with `provision` the one that a bucket without ACLs takes. */
    objectAcl?: string;
    /** Uses endpoints with IPv4 and IPv6. Default: `false`. */
    useDualStack?: boolean;
    /** Uses S3 Transfer Acceleration. Default: `false`. */
    accelerate?: boolean;
    /** Uses FIPS endpoints. Default: `false`. */
    useFipsEndpoint?: boolean;
    /** `provision`: name of an existing IAM role, the machine's or task's, that gets access instead of a new user with a key. */
    role?: string;
}
/** How the registry authenticates to Azure. */
export interface AzureCredentials {
    /** `shared_key`, `client_secret` or `default_credentials` (managed identity, workload identity). Default: `shared_key` with `accountKey`, otherwise `default_credentials`. */
    type?: string;
    /** ID of the application. Default: none, with `client_secret` it is required. */
    clientId?: string;
    /** ID of the tenant. Default: none, with `client_secret` it is required. */
    tenantId?: string;
    /** The secret of the application. Kept secret. Default: none, with `client_secret` it is required. */
    secret?: pulumi.Input<string>;
}
/** Images in Azure Blob Storage. */
export interface AzureStorage {
    /** Name of the storage account. Default: with `provision` a random one; otherwise it is required. */
    accountName?: string;
    /** Key of the storage account, for `credentials.type` shared_key. Kept secret. */
    accountKey?: pulumi.Input<string>;
    /** Name of the blob container. Default: with `provision` `registry`; otherwise it is required. */
    container?: string;
    /** How the registry authenticates. Default: with the account key, or without one with the machine's identity. */
    credentials?: AzureCredentials;
    /** Domain of another Azure cloud. Default: `core.windows.net`. */
    realm?: string;
    /** URL of the blob service. Default: https://<accountName>.blob.<realm>. */
    serviceUrl?: string;
    /** Folder in the container. Default: its root. */
    rootDirectory?: string;
    /** How often the status of a copy is requested, at most. Default: `100`. */
    maxRetries?: number;
    /** Time before the second such request, with a unit; it grows by the same amount with each further one. Default: `100ms`. */
    retryDelay?: string;
    /** Accepts any certificate of the store. Default: `false`. */
    skipVerify?: boolean;
    /** `provision`: name of an existing resource group. Default: a new one in `location`. */
    resourceGroup?: string;
    /** `provision`: Azure region. Default: that of `resourceGroup`; without one it is required. */
    location?: string;
    /** `provision`: object ID of a managed identity that gets access instead of the account key, which is then turned off. */
    principalId?: string;
}
/** Images in Google Cloud Storage. */
export interface GcsStorage {
    /** Name of the bucket. Default: with `provision` a name made from the component's; otherwise it is required. */
    bucket?: string;
    /** JSON key of a service account. Kept secret. Default: the machine's service account or workload identity. */
    credentials?: pulumi.Input<string>;
    /** Folder in the bucket, without a blank at its beginning. Default: its root. */
    rootDirectory?: string;
    /** Bytes of one part of an upload, a multiple of 256 KiB; bounded by `resources.memory`. Default: 16 MiB. */
    chunkSize?: number;
    /** Concurrent operations, 25 or more. Default: `50`. */
    maxConcurrency?: number;
    /** `provision`: where the bucket is: a region such as europe-west3, or EU, US or ASIA. Default: none, with `provision` it is required. */
    location?: string;
    /** `provision`: e-mail of an existing service account, the machine's, that gets access instead of a new one with a key. */
    serviceAccount?: string;
}
/** Images in OpenStack Swift. A driver of the bundled server; the stock engine has none. */
export interface SwiftStorage {
    /** URL of Keystone, or of tempauth. Default: none, it is required. */
    authUrl?: string;
    /** User name. Default: none, it is required unless an application credential is given by ID. */
    username?: string;
    /** Password. Kept secret. Default: none, it is required unless an application credential is given. */
    password?: pulumi.Input<string>;
    /** Name of the container. Default: none, it is required. */
    container?: string;
    /** Project (tenant) by name. */
    tenant?: string;
    /** Project (tenant) by ID. */
    tenantId?: string;
    /** The user's domain by name. */
    domain?: string;
    /** The user's domain by ID. */
    domainId?: string;
    /** The project's domain by name. */
    tenantDomain?: string;
    /** The project's domain by ID. */
    tenantDomainId?: string;
    /** ID of a trust, for Keystone v3. */
    trustId?: string;
    /** Region in the service catalog. */
    region?: string;
    /** Version of the identity API: 1 (tempauth), 2 or 3. Default: by `authUrl`. */
    authVersion?: number;
    /** Application credential by ID. */
    applicationCredentialId?: string;
    /** Application credential by name. */
    applicationCredentialName?: string;
    /** Secret of the application credential. Kept secret. */
    applicationCredentialSecret?: pulumi.Input<string>;
    /** `public`, `internal` or `admin`. Default: `public`. */
    endpointType?: string;
    /** Accepts any certificate of the store. Default: `false`. */
    insecureSkipVerify?: boolean;
    /** Bytes of one segment of a large object, 1 MiB to 1 GiB; bounded by `resources.memory`. Default: 16 MiB. */
    chunkSize?: number;
    /** Folder in the container. Default: its root. */
    rootDirectory?: string;
    /** The account's temporary URL key: with it, clients fetch blobs from Swift itself. Kept secret. */
    secretKey?: pulumi.Input<string>;
    /** The temporary URL key belongs to the container instead of the account; without `secretKey` the container's present key is used. Default: `false`. */
    tempUrlContainerKey?: boolean;
    /** Methods that temporary URLs are made for. Default: those the cluster allows. */
    tempUrlMethods?: string[];
}
/** Images in Alibaba Cloud OSS. A driver of the bundled server; the stock engine has none. */
export interface OssStorage {
    /** Access key ID. Kept secret. Default: the machine's RAM role. */
    accessKeyId?: pulumi.Input<string>;
    /** Access key secret. Kept secret. */
    accessKeySecret?: pulumi.Input<string>;
    /** Region, e.g. cn-hangzhou. Default: none, it is required. */
    region?: string;
    /** Name of the bucket. Default: none, it is required. */
    bucket?: string;
    /** Uses the endpoint inside Alibaba Cloud's network. Default: `false`. */
    internal?: boolean;
    /** RAM role of the ECS instance. Default: the one the instance has. */
    ramRole?: string;
    /** Uses transfer acceleration. Default: `false`. */
    accelerate?: boolean;
    /** Encrypts every object on the store's side. Default: `false`. */
    encrypt?: boolean;
    /** KMS key for the encryption; needs `encrypt`. Default: OSS's own key. */
    encryptionKeyId?: string;
    /** Objects above this size in bytes are copied in parts. Default: 256 MiB. */
    multipartCopyThresholdSize?: number;
    /** Uses TLS to the store. Default: `true`. */
    secure?: boolean;
    /** Bytes of one part of an upload, 100 KiB to 1 GiB; bounded by `resources.memory`. Default: 10 MiB. */
    chunkSize?: number;
    /** Folder in the bucket. Default: its root. */
    rootDirectory?: string;
    /** Endpoint to use instead of the region's own. */
    endpoint?: string;
}
/** Where the images are kept. */
export interface Storage {
    /** `filesystem`, `s3`, `azure`, `gcs`, `swift` or `oss`; the last two require the bundled server. Default: `filesystem`. */
    driver?: string;
    /**
     * Creates the bucket, or storage account and container, and gives the registry access to nothing else: for `s3` (AWS itself), `azure`
     * and `gcs`. Needs that cloud's Pulumi SDK, see docs/storage-provisioning.md. Default: `false`.
     */
    provision?: boolean;
    /** `provision`: tags (in Google Cloud: labels) of all resources that are created. */
    tags?: Record<string, string>;
    /**
     * Clients fetch blobs from the store itself, through signed URLs. Default: true for `s3` without `regionEndpoint`, `azure` without `serviceUrl`,
     * `gcs` with `credentials`, `swift` with a key for temporary URLs, and `oss` without `endpoint` and `internal`; otherwise false.
     */
    redirect?: boolean;
    /** Certificates, PEM, of the CA that signed the store's certificate, when it is a private one. */
    caCertificates?: string;
    /** Options of the `filesystem` driver. */
    filesystem?: FilesystemStorage;
    /** Options of the `s3` driver. */
    s3?: S3Storage;
    /** Options of the `azure` driver. */
    azure?: AzureStorage;
    /** Options of the `gcs` driver. */
    gcs?: GcsStorage;
    /** Options of the `swift` driver. */
    swift?: SwiftStorage;
    /** Options of the `oss` driver. */
    oss?: OssStorage;
}
/** How clients reach the registry on the nodes of a Swarm. */
export declare const Publish: {
    /** Each node has the registry on a port of its own, without the routing mesh. */
    readonly Host: "host";
    /** Through Swarm's routing mesh, which needs IPVS in the kernel of every node. */
    readonly Ingress: "ingress";
};
export type Publish = (typeof Publish)[keyof typeof Publish];
/** Whether the old or the new task comes first in an update. */
export declare const UpdateOrder: {
    /** The old task ends before the new one starts. */
    readonly StopFirst: "stop-first";
    /** The old task ends when the new one is healthy. */
    readonly StartFirst: "start-first";
};
export type UpdateOrder = (typeof UpdateOrder)[keyof typeof UpdateOrder];
/** How a changed configuration, certificate or password is rolled out. Swarm rolls back an update that fails. */
export interface SwarmUpdate {
    /** Tasks replaced at once, 1 or more. Default: `1`. */
    parallelism?: number;
    /** Whether the old or the new task comes first. Default: `stop-first` where tasks take a port of their node, otherwise `start-first`. */
    order?: UpdateOrder;
    /** Seconds for which a new task is watched before the next one is replaced, 1 to 3600. Default: `5`. */
    monitorSeconds?: number;
}
/** How nodes that are not in `swarm.nodes` get the server's image, and the login for that. */
export interface ImageDistribution {
    /** Repository to which `up` pushes the bundled image, and from which the nodes pull it: `registry.example.com/tools/registry`. Default: none. */
    repository?: string;
    /** Login for `repository`, or for the registry that `image` names. Default: none. */
    username?: string;
    /** Password for it. Kept secret. */
    password?: pulumi.Input<string>;
}
/** A Redis on the Swarm in which the registry's tasks share their cache of blob descriptors. */
export interface Redis {
    /** Image with the command `redis-server`, pinned by digest (`name@sha256:…`), which nodes can pull. The login of `imageDistribution` is used if it is for the same registry. */
    image: string;
    /** Password of the Redis, which only the registry's tasks need. Kept secret. Default: a generated one. */
    password?: pulumi.Input<string>;
    /** Memory of its container in MiB, 16 or more. The least recently used entries are dropped. Default: `128`. */
    memory?: number;
}
/** How the registry runs on a Swarm. */
export interface Swarm {
    /** How clients reach the registry on the nodes. Default: `host`. */
    publish?: Publish;
    /** Tasks of the registry, 1 or more. Default: one on every node; `1` with `ingress`, and where images are kept on one node. */
    replicas?: number;
    /** Placement constraints of the tasks, such as `node.labels.registry == true`. Required where images are on one node, to name it: `node.hostname == node1`. Default: none. */
    constraints?: string[];
    /** Overlay networks that the tasks join, e.g. that of an object store. Default: none. */
    networks?: string[];
    /**
     * Encrypts the traffic between nodes on the overlay networks that are made for the registry, with IPsec: every node's kernel needs
     * ESP, and nodes have to let IP protocol 50 through to each other. A change replaces the services. Default: `false`.
     */
    encryptNetworks?: boolean;
    /** Docker hosts of the other nodes (`ssh://user@node2`, `tcp://…`, `unix://…`): the bundled image is loaded on them, and a volume on one of them is managed. */
    nodes?: string[];
    /** How nodes that are not in `nodes` get the image. Default: the image is loaded on `nodes` only. */
    imageDistribution?: ImageDistribution;
    /** A cache that the tasks share. Requires the bundled server and more than one task. Default: each task has a cache of its own. */
    redis?: Redis;
    /**
     * Makes every node's engine trust the registry's CA, through a file in `/etc/docker/certs.d` that is removed with the registry.
     * For this, a task on each node can write to `/etc/docker`. Requires the bundled server. Default: `false`.
     */
    trustNodes?: boolean;
    /** How tasks are replaced. */
    update?: SwarmUpdate;
}
/** Metrics of the tasks for Prometheus, on an overlay network and never on a port of a node. */
export interface SwarmMetrics {
    /** Overlay network on which Prometheus reaches the tasks. Default: one that is made for it, `<name>-metrics`, and that containers can join. */
    network?: string;
}
/** Resources of each of the registry's tasks. */
export interface SwarmResources {
    /** Memory in MiB, 64 or more. Default: `512`. */
    memory?: number;
    /** Memory in MiB that Swarm reserves for each task, `memory` at most. Default: `64`. */
    reservedMemory?: number;
}
/** A registry in Azure. */
export interface AcrRegistryArgs {
    /** Where it is and who may use it; `location` or `resourceGroup` is required. */
    acr?: AcrOptions;
    /** `deleteUntagged`, with `Premium`; Azure has no rules for tags. Default: nothing is deleted. */
    garbageCollection?: GarbageCollection;
    /** A pull-through cache of another registry. Default: none. */
    mirror?: Mirror;
    /** Destroying the component deletes the images too. Default: `false`, the registry is protected. */
    lab?: boolean;
}
/** A registry in Azure Container Registry: private, without the shared admin user. */
export declare class AcrRegistry extends pulumi.ComponentResource {
    /** URL of the registry. */
    readonly endpoint: pulumi.Output<string>;
    /** What goes before an image name: `registry1234.azurecr.io`. */
    readonly repositoryPrefix: pulumi.Output<string>;
    /** User name for token logins, always 00000000-0000-0000-0000-000000000000. */
    readonly username: pulumi.Output<string>;
    /** A token of the identity that Pulumi uses; another one after each `up`, valid for 3 hours. Secret. */
    readonly password: pulumi.Output<string>;
    /** The token by the user's name. Secret. */
    readonly credentials: pulumi.Output<Record<string, string>>;
    /** Empty: clients trust Microsoft's certificate. */
    readonly caCertificate: pulumi.Output<string>;
    /** Shell command that logs Docker in with the Azure CLI. */
    readonly loginCommand: pulumi.Output<string>;
    /** Says that nothing needs to be installed. */
    readonly trustCommand: pulumi.Output<string>;
    /** `{}`: client engines need nothing. */
    readonly daemonConfig: pulumi.Output<string>;
    /** Name of the service. */
    readonly version: pulumi.Output<string>;
    /** What goes before the full name of an image of the mirror's upstream (`library/alpine`); empty without a mirror. */
    readonly mirrorRepositoryPrefix: pulumi.Output<string>;
    constructor(name: string, args: AcrRegistryArgs, opts?: pulumi.ComponentResourceOptions);
    private createRegistry;
    private createResourceGroup;
    /** No other registry in Azure may have the name, which has no hyphens. */
    private createName;
    /** A registry's ID begins with /subscriptions/<id>/resourceGroups/<name>. */
    private groupOf;
    private createGrant;
    private createMirror;
    /** Azure reads a login from a key vault, with an identity of its own that may read it. */
    private createUpstreamLogin;
}
/** A registry in Google's Artifact Registry. */
export interface ArtifactRegistryArgs {
    /** Where it is and who may use it; `location` is required. */
    artifactRegistry?: ArtifactRegistryOptions;
    /** Which images Google deletes. Default: none. */
    garbageCollection?: GarbageCollection;
    /** A pull-through cache of another registry. Default: none. */
    mirror?: Mirror;
    /** Destroying the component deletes the images too. Default: `false`, the repositories are protected. */
    lab?: boolean;
}
/** A repository for images in Google's Artifact Registry: private, encrypted, with tags that stay what they are. */
export declare class ArtifactRegistry extends pulumi.ComponentResource {
    /** URL of the registry. */
    readonly endpoint: pulumi.Output<string>;
    /** What goes before an image name: `europe-west3-docker.pkg.dev/project/repository`. */
    readonly repositoryPrefix: pulumi.Output<string>;
    /** `oauth2accesstoken`, whoever logs in. */
    readonly username: pulumi.Output<string>;
    /** A token of the identity that Pulumi uses; another one after each `up`, valid for an hour. Secret. */
    readonly password: pulumi.Output<string>;
    /** The token by the user's name. Secret. */
    readonly credentials: pulumi.Output<Record<string, string>>;
    /** Empty: clients trust Google's certificate. */
    readonly caCertificate: pulumi.Output<string>;
    /** Shell command that makes Docker log in with the Google Cloud CLI. */
    readonly loginCommand: pulumi.Output<string>;
    /** Says that nothing needs to be installed. */
    readonly trustCommand: pulumi.Output<string>;
    /** `{}`: client engines need nothing. */
    readonly daemonConfig: pulumi.Output<string>;
    /** Name of the service. */
    readonly version: pulumi.Output<string>;
    /** What goes before the full name of an image of the mirror's upstream (`library/alpine`); empty without a mirror. */
    readonly mirrorRepositoryPrefix: pulumi.Output<string>;
    constructor(name: string, args: ArtifactRegistryArgs, opts?: pulumi.ComponentResourceOptions);
    private createRepository;
    private grantMembers;
    /** A remote repository: what is pulled from it comes from the upstream, once. */
    private createMirror;
    /** Artifact Registry reads a password from Secret Manager, with an identity of its own that may read it. */
    private createUpstreamPassword;
}
/** A blob container in Azure for a registry. */
export interface AzureStoreArgs {
    /** The driver's options, as in `storage.azure`; `location` or `resourceGroup` is required. */
    options: AzureStorage;
    /** Tags of all resources that are created. */
    tags?: Record<string, string>;
    /** `true`: destroying the component deletes the images too. Default: false: account and container are protected. */
    lab?: boolean;
}
/** A private blob container in a storage account of its own, and access to it: the account's key, or a managed identity. */
export declare class AzureStore extends pulumi.ComponentResource {
    /** Name of the storage account. */
    readonly accountName: pulumi.Output<string>;
    /** Name of the blob container. */
    readonly container: pulumi.Output<string>;
    /** The driver's options, completed. Secret. */
    readonly options: pulumi.Output<AzureStorage>;
    constructor(name: string, args: AzureStoreArgs, opts?: pulumi.ComponentResourceOptions);
    private createAccount;
    private createResourceGroup;
    /** The name must be unique in the world, and has no room for the component's. */
    private createAccountName;
    private readAccountKey;
    /** Access for a managed identity, to the whole account, which has nothing else in it: Azure gives a key to sign URLs for no less. */
    private grantIdentity;
}
/** A registry in Amazon ECR. */
export interface EcrRegistryArgs {
    /** Where it is, its repositories, and who may use them; `repositories` is required. */
    ecr?: EcrOptions;
    /** Which images Amazon deletes. Default: none. */
    garbageCollection?: GarbageCollection;
    /** A pull-through cache of another registry. Default: none. */
    mirror?: Mirror;
    /** Destroying the component deletes the images too. Default: `false`, the repositories are protected. */
    lab?: boolean;
}
/** Repositories in Amazon Elastic Container Registry: private, encrypted, scanned, with tags that stay what they are. */
export declare class EcrRegistry extends pulumi.ComponentResource {
    /** URL of the registry. */
    readonly endpoint: pulumi.Output<string>;
    /** What goes before an image name: `123456789012.dkr.ecr.eu-central-1.amazonaws.com`. */
    readonly repositoryPrefix: pulumi.Output<string>;
    /** `AWS`, whoever logs in. */
    readonly username: pulumi.Output<string>;
    /** A token of the identity that Pulumi uses; another one after each `up`, valid for 12 hours. Secret. */
    readonly password: pulumi.Output<string>;
    /** The token by the user's name. Secret. */
    readonly credentials: pulumi.Output<Record<string, string>>;
    /** Empty: clients trust Amazon's certificate. */
    readonly caCertificate: pulumi.Output<string>;
    /** Shell command that logs Docker in with the AWS CLI. */
    readonly loginCommand: pulumi.Output<string>;
    /** Says that nothing needs to be installed. */
    readonly trustCommand: pulumi.Output<string>;
    /** `{}`: client engines need nothing. */
    readonly daemonConfig: pulumi.Output<string>;
    /** Name of the service. */
    readonly version: pulumi.Output<string>;
    /** What goes before the full name of an image of the mirror's upstream (`library/alpine`); empty without a mirror. */
    readonly mirrorRepositoryPrefix: pulumi.Output<string>;
    constructor(name: string, args: EcrRegistryArgs, opts?: pulumi.ComponentResourceOptions);
    private createRepository;
    /** How ECR makes the repositories that a push or the mirror needs; those are not part of the stack. */
    private createTemplates;
    /** The role is needed only for tags and for keys of KMS. */
    private createCreationRole;
    private createMirror;
    /** ECR reads a login from Secrets Manager, under names that begin with `ecr-pullthroughcache/`. */
    private createUpstreamLogin;
}
/** A registry that exists already. */
export interface ExternalRegistryArgs {
    /** Where it is and who logs in; `hostname` is required. */
    external?: ExternalOptions;
    /** Accepts plain HTTP beyond loopback. Default: `false`. */
    allowInsecure?: boolean;
}
/** A registry that exists already, with the same outputs as one of this package. Nothing is created. */
export declare class ExternalRegistry extends pulumi.ComponentResource {
    /** URL of the registry. */
    readonly endpoint: pulumi.Output<string>;
    /** What goes before an image name: `docker.io/my-team`. */
    readonly repositoryPrefix: pulumi.Output<string>;
    /** Login name; empty without a login. */
    readonly username: pulumi.Output<string>;
    /** Password or access token; empty without a login. Secret. */
    readonly password: pulumi.Output<string>;
    /** The password by the user's name. Secret. */
    readonly credentials: pulumi.Output<Record<string, string>>;
    /** Certificate to trust, PEM; empty when clients need none. */
    readonly caCertificate: pulumi.Output<string>;
    /** Shell command that logs Docker in. It reads the password from the stack's output `password`. */
    readonly loginCommand: pulumi.Output<string>;
    /** Shell command that makes a Docker engine trust the registry. */
    readonly trustCommand: pulumi.Output<string>;
    /** JSON to merge into a client engine's daemon.json. */
    readonly daemonConfig: pulumi.Output<string>;
    /** `external`: the registry is not asked for its version. */
    readonly version: pulumi.Output<string>;
    constructor(name: string, args: ExternalRegistryArgs, opts?: pulumi.ComponentResourceOptions);
}
/** A bucket in Google Cloud Storage for a registry. */
export interface GcsStoreArgs {
    /** The driver's options, as in `storage.gcs`; `location` is required. */
    options: GcsStorage;
    /** Labels of the bucket. */
    tags?: Record<string, string>;
    /** `true`: destroying the component deletes the images too. Default: false: the bucket is protected. */
    lab?: boolean;
}
/** A private bucket in Google Cloud Storage, and access to it and to nothing else: a new service account with a key, or an existing one. */
export declare class GcsStore extends pulumi.ComponentResource {
    /** Name of the bucket. */
    readonly bucket: pulumi.Output<string>;
    /** The driver's options, completed. Secret. */
    readonly options: pulumi.Output<GcsStorage>;
    constructor(name: string, args: GcsStoreArgs, opts?: pulumi.ComponentResourceOptions);
    /** A service account of its own, with a key. */
    private createAccount;
    /** A service account that the machine or workload has already; it needs no key. */
    private grantAccount;
    /** The right to list, read, write and delete objects; the driver asks nothing about the bucket itself. */
    private grantMember;
}
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
export declare class PullThroughCache extends pulumi.ComponentResource {
    /** URL of the cache, for `registry-mirrors`. */
    readonly endpoint: pulumi.Output<string>;
    /** URL of the metrics for Prometheus; empty without `mirror.metrics`. */
    readonly metricsEndpoint: pulumi.Output<string>;
    /** YAML for a prometheus.yml; empty without `mirror.metrics`. */
    readonly scrapeConfig: pulumi.Output<string>;
    /** Name of the server's container, for `docker logs` and `docker exec`. */
    readonly containerName: pulumi.Output<string>;
    constructor(name: string, args: PullThroughCacheArgs, opts?: pulumi.ComponentResourceOptions);
    private createContainer;
    private warn;
}
/** What a certificate is made for. */
export interface RegistryCertificateArgs {
    /** Name or IP address that clients connect to. */
    hostname: string;
    /** Further names and IP addresses the certificate covers. */
    alternativeNames?: string[];
    /** Where the certificate comes from. Default: self-signed. */
    tls?: Tls;
}
/** A server certificate: made here and signed by a CA of its own, the user's own, or none. */
export declare class RegistryCertificate extends pulumi.ComponentResource {
    /** Certificate, intermediates and key in one PEM text; empty without TLS. Secret. */
    readonly serverPem: pulumi.Output<string>;
    /** What clients have to trust, PEM; empty without TLS and for a public CA. */
    readonly caCertificate: pulumi.Output<string>;
    /** End of the server certificate or, if earlier, of its CA, ISO 8601 in UTC; empty without TLS. */
    readonly expiresAt: pulumi.Output<string>;
    constructor(name: string, args: RegistryCertificateArgs, opts?: pulumi.ComponentResourceOptions);
    private createSelfSigned;
    /** The generation is part of the names: the previous CA stays in state as long as it is asked for. */
    private createAuthority;
    /** The new CA's key, certified by the previous CA: clients that know only that one find a way from the server certificate to it. */
    private createBridge;
}
/** Which server image. */
export interface ServerImageArgs {
    /** `bundled`, or a reference pinned by digest (`name@sha256:…`). Default: `bundled`. */
    image?: string;
}
/** The registry server's image on a Docker engine: the bundled one, built here and loaded, or one that is pulled. */
export declare class ServerImage extends pulumi.ComponentResource {
    /** Image ID (`sha256:…`). */
    readonly imageId: pulumi.Output<string>;
    constructor(name: string, args: ServerImageArgs, opts?: pulumi.ComponentResourceOptions);
    /** The bundled image's name on the engine. Each component has a tag of its own, so that removing it never removes another's. */
    private createBundled;
}
/** Images that are built, and the registry they are pushed to. */
export interface BuiltImagesArgs {
    /** Images to build and push; their order doesn't matter. */
    builds: ImageBuild[];
    /** What goes before an image's name: `localhost:5000`. The engine must trust that registry. */
    repositoryPrefix: pulumi.Input<string>;
    /** Who pushes. Default: the login that the docker command has stored for the registry, if any. */
    username?: pulumi.Input<string>;
    /** Password of `username`. Kept secret. */
    password?: pulumi.Input<string>;
}
/** Images that are built by a Docker engine and pushed to a registry; what has not changed is left alone. */
export declare class BuiltImages extends pulumi.ComponentResource {
    /** The pushed images by name, each as a reference with its digest: `localhost:5000/app@sha256:…`. */
    readonly references: pulumi.Output<Record<string, string>>;
    constructor(name: string, args: BuiltImagesArgs, opts?: pulumi.ComponentResourceOptions);
    /** Builds an image, pushes it under each of its tags, and returns the reference of the first. */
    private createImage;
    /** The folder on this machine that has an image's context. */
    private contextFolder;
}
/** Who may log in. */
export interface RegistryUsersArgs {
    /** Who may log in, every name once. */
    users: User[];
    /** Lets everybody pull without a login. Default: `false`. */
    anonymousPull?: boolean;
}
/** Passwords, generated or given, and the htpasswd file made from them. */
export declare class RegistryUsers extends pulumi.ComponentResource {
    /** The htpasswd file. Secret. */
    readonly htpasswd: pulumi.Output<string>;
    /** Name of the first user; empty without users. */
    readonly username: pulumi.Output<string>;
    /** Password of the first user; empty without users. Secret. */
    readonly password: pulumi.Output<string>;
    /** Password of every user by name, but for those that were given as hashes. Secret. */
    readonly credentials: pulumi.Output<Record<string, string>>;
    constructor(name: string, args: RegistryUsersArgs, opts?: pulumi.ComponentResourceOptions);
    /** A user's passwords: the current one first, and during a grace period the previous one. */
    private createPasswords;
    /** The generation is part of the name: the previous generation's password stays in state as long as it is asked for. */
    private createPassword;
    private hashPassword;
}
/** A bucket in Amazon S3 for a registry. */
export interface S3StoreArgs {
    /** The driver's options, as in `storage.s3`; `region` is required. */
    options: S3Storage;
    /** Tags of all resources that are created. */
    tags?: Record<string, string>;
    /** `true`: destroying the component deletes the images too. Default: false: the bucket is protected. */
    lab?: boolean;
}
/**
 * A private bucket in Amazon S3, and access to it and to nothing else: a new user with a key, or an existing role.
 */
export declare class S3Store extends pulumi.ComponentResource {
    /** Name of the bucket. */
    readonly bucket: pulumi.Output<string>;
    /** The driver's options, completed. Secret. */
    readonly options: pulumi.Output<S3Storage>;
    constructor(name: string, args: S3StoreArgs, opts?: pulumi.ComponentResourceOptions);
    /** Everything that keeps the bucket private and small. */
    private secureBucket;
    /** A user of its own, with a key. */
    private createUser;
    /** A role that the machine or task has already; it needs no key. */
    private grantRole;
}
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
export declare class SingleNodeRegistry extends pulumi.ComponentResource {
    /** URL of the registry. */
    readonly endpoint: pulumi.Output<string>;
    /** What goes before an image name: `localhost:5000`. */
    readonly repositoryPrefix: pulumi.Output<string>;
    /** First user; empty without users. */
    readonly username: pulumi.Output<string>;
    /** Password of the first user. Secret. */
    readonly password: pulumi.Output<string>;
    /** Password of every user by name. Secret. */
    readonly credentials: pulumi.Output<Record<string, string>>;
    /** Certificate to trust, PEM; empty when clients need none. */
    readonly caCertificate: pulumi.Output<string>;
    /** End of the server certificate or, if earlier, of its CA, ISO 8601 in UTC; empty without TLS. */
    readonly certificateExpiresAt: pulumi.Output<string>;
    /** Shell command that logs Docker in as the first user. It reads the password from the stack's output `password`. */
    readonly loginCommand: pulumi.Output<string>;
    /** Shell command that makes a Docker engine trust the registry. */
    readonly trustCommand: pulumi.Output<string>;
    /** JSON to merge into a client engine's daemon.json. */
    readonly daemonConfig: pulumi.Output<string>;
    /** URL of the pull-through cache; empty without `mirror`. */
    readonly mirrorEndpoint: pulumi.Output<string>;
    /** URL of the metrics for Prometheus; empty without `metrics`. */
    readonly metricsEndpoint: pulumi.Output<string>;
    /** YAML for a prometheus.yml; empty without `metrics`. */
    readonly scrapeConfig: pulumi.Output<string>;
    /** URL of the page in the browser; empty without `ui`. */
    readonly page: pulumi.Output<string>;
    /** Version of the server. */
    readonly version: pulumi.Output<string>;
    /** Name of the server's container, for `docker logs` and `docker exec`. */
    readonly containerName: pulumi.Output<string>;
    constructor(name: string, args: SingleNodeRegistryArgs, opts?: pulumi.ComponentResourceOptions);
    private createContainer;
    /** A pull-through cache with the registry's certificate, which is for the host, whatever the port. */
    private createMirror;
}
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
export declare class SwarmRegistry extends pulumi.ComponentResource {
    /** URL of the registry. */
    readonly endpoint: pulumi.Output<string>;
    /** What goes before an image name: `localhost:5000`. */
    readonly repositoryPrefix: pulumi.Output<string>;
    /** First user; empty without users. */
    readonly username: pulumi.Output<string>;
    /** Password of the first user. Secret. */
    readonly password: pulumi.Output<string>;
    /** Password of every user by name. Secret. */
    readonly credentials: pulumi.Output<Record<string, string>>;
    /** Certificate to trust, PEM; empty when clients need none. */
    readonly caCertificate: pulumi.Output<string>;
    /** End of the server certificate or, if earlier, of its CA, ISO 8601 in UTC; empty without TLS. */
    readonly certificateExpiresAt: pulumi.Output<string>;
    /** Shell command that logs Docker in as the first user. It reads the password from the stack's output `password`. */
    readonly loginCommand: pulumi.Output<string>;
    /** Shell command that makes a Docker engine trust the registry: once on every node, unless the host name is a loopback one. */
    readonly trustCommand: pulumi.Output<string>;
    /** JSON to merge into a client engine's daemon.json. */
    readonly daemonConfig: pulumi.Output<string>;
    /** URL of the metrics for Prometheus, on a network of its own; empty without `metrics`. */
    readonly metricsEndpoint: pulumi.Output<string>;
    /** YAML for a prometheus.yml, with which Prometheus finds all tasks; empty without `metrics`. */
    readonly scrapeConfig: pulumi.Output<string>;
    /** URL of the page in the browser; empty without `ui`. */
    readonly page: pulumi.Output<string>;
    /** Version of the server. */
    readonly version: pulumi.Output<string>;
    /** Name of the registry's service, for `docker service ps` and `docker service logs`. */
    readonly serviceName: pulumi.Output<string>;
    constructor(name: string, args: SwarmRegistryArgs, opts?: pulumi.ComponentResourceOptions);
    private createRedis;
    /** Makes every node's engine trust the registry's CA. */
    private createTrust;
}
