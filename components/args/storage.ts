import * as pulumi from "@pulumi/pulumi";

/*
 * The options of each driver are the engine's own keys in camelCase
 * (https://distribution.github.io/distribution/storage-drivers/), so that its documentation applies here too.
 */

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
