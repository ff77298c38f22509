import * as pulumi from "@pulumi/pulumi";

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
export const AcrSku = {
  /** For learning. */
  Basic: "Basic",
  /** For most teams. */
  Standard: "Standard",
  /** Deletion of untagged manifests, zone redundancy. */
  Premium: "Premium",
} as const;
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
