import * as path from "path";
import { AzureStorage, FilesystemStorage, GcsStorage, OssStorage, S3Storage, Storage, SwiftStorage } from "../args/storage";
import { certificatesIn } from "./certificates";
import { plain } from "./inputs";
import { wholeNumbers } from "./numbers";
import { Problem, shown } from "./problems";
import { azureCredentialsType, driverOf, StorageDriver, storageDrivers } from "../render/driverParameters";

const KiB = 1024;
const MiB = 1024 * KiB;

/** Notes problems of one driver's options under their full keys. */
class Notes<T extends object> {
  public readonly problems: Problem[] = [];

  constructor(
    private readonly driver: string,
    private readonly options: T,
  ) {}

  add(key: string, message: string): void {
    this.problems.push({ key: `storage.${this.driver}.${key}`, message });
  }

  given(key: keyof T): boolean {
    return this.options[key] !== undefined;
  }

  required(...keys: (keyof T & string)[]): void {
    for (const key of keys.filter((each) => !this.given(each) || this.options[each] === "")) {
      this.add(key, `is missing; storage.driver "${this.driver}" needs it`);
    }
  }

  /** Either all of these are given or none. */
  together(...keys: (keyof T & string)[]): void {
    const present = keys.filter((key) => this.given(key));
    if (present.length > 0) {
      for (const key of keys.filter((each) => !this.given(each))) {
        this.add(key, `is missing; it belongs to storage.${this.driver}.${present[0]}`);
      }
    }
  }

  /** At most one of these is given. */
  alternatives(...keys: (keyof T & string)[]): void {
    const [first, ...others] = keys.filter((key) => this.given(key));
    for (const key of others) {
      this.add(key, `cannot stand beside storage.${this.driver}.${first}; give one of them`);
    }
  }

  /** What `storage.provision` fills can't be given beside it, and what only it reads can't be given without. */
  provisioned(provision: boolean, { fills, reads }: { fills: (keyof T & string)[]; reads: (keyof T & string)[] }): void {
    for (const key of (provision ? fills : reads).filter((each) => this.given(each))) {
      this.add(key, provision ? "is filled by storage.provision; remove one of them" : "needs storage.provision true");
    }
  }

  /** An empty text is no name, and not the same as none. */
  notEmpty(...keys: (keyof T & string)[]): void {
    for (const key of keys.filter((each) => this.options[each] === "")) {
      this.add(key, "is empty; leave it out or give a name");
    }
  }

  url(key: keyof T & string): void {
    const value = this.options[key];
    if (typeof value === "string" && !/^https?:\/\/[^\s/?#@]+([/?#]\S*)?$/i.test(value)) {
      this.add(key, `${shown(value)} is not allowed; give a URL with http:// or https:// and without a user`);
    }
  }

  pattern(key: keyof T & string, pattern: RegExp, allowed: string): void {
    const value = this.options[key];
    if (typeof value === "string" && value !== "" && !pattern.test(value)) {
      this.add(key, `${shown(value)} is not allowed; give ${allowed}`);
    }
  }

  oneOf(key: keyof T & string, allowed: readonly (string | number)[]): void {
    const value = this.options[key];
    if (value !== undefined && !allowed.includes(value as string | number)) {
      this.add(key, `${shown(value)} is not allowed; choose ${allowed.join(", ")}`);
    }
  }

  whole(least: number, most: number, ...keys: (keyof T & string)[]): void {
    const values = Object.fromEntries(keys.map((key) => [key, this.options[key] as number | undefined]));
    this.problems.push(...wholeNumbers(`storage.${this.driver}.`, values, least, most));
  }
}

/** What the engine takes as the name of a container or volume. */
export const dockerName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

function filesystem(options: FilesystemStorage): Problem[] {
  const notes = new Notes("filesystem", options);
  const { hostPath, volume, volumeDriver } = options;
  if (hostPath !== undefined) {
    for (const key of (["volume", "volumeDriver", "volumeOptions"] as const).filter((each) => notes.given(each))) {
      notes.add(key, "cannot stand beside storage.filesystem.hostPath; images are kept in a volume or in a folder of the host");
    }
    if (!path.posix.isAbsolute(hostPath) || path.posix.normalize(hostPath) !== hostPath || /[:\0]|^\/$|.\/$/.test(hostPath)) {
      notes.add(
        "hostPath",
        `${shown(hostPath)} is not allowed; give the absolute path of a folder on the Docker host, without "..", ":" or a "/" at the end`,
      );
    }
  } else if (notes.given("volumeOptions") && volume === undefined && volumeDriver === undefined) {
    notes.add("volumeOptions", "needs storage.filesystem.volume or storage.filesystem.volumeDriver beside it");
  }
  notes.pattern(
    "volume",
    dockerName,
    "two or more letters, digits and _.-, a letter or digit first (for a folder of the host use hostPath)",
  );
  if (volumeDriver === "") {
    notes.add("volumeDriver", 'is empty; give the name of an installed volume plugin, or leave it out for "local"');
  }
  notes.whole(25, 100_000, "maxThreads");
  return notes.problems;
}

const storageClasses = [
  ...["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING"],
  ...["OUTPOSTS", "GLACIER_IR", "EXPRESS_ONEZONE", "NONE"],
];
const cannedAcls = [
  ...["private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read"],
  ...["bucket-owner-read", "bucket-owner-full-control"],
];
/** A region as AWS names them; which there are is Amazon's business. */
export const awsRegion = /^[a-z]{2,}(-[a-z]+)+-\d+$/;
const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const bucketRule = "3 to 63 small letters, digits, dots and hyphens";

function s3(options: S3Storage, provision: boolean): Problem[] {
  const notes = new Notes("s3", options);
  notes.provisioned(provision, { fills: ["accessKey", "secretKey", "objectAcl"], reads: ["role"] });
  if (provision) {
    provisionedS3(notes, options);
  } else {
    notes.required("bucket");
    notes.together("accessKey", "secretKey");
  }
  notes.pattern("bucket", bucketName, bucketRule);
  if (!notes.given("regionEndpoint")) {
    notes.required("region");
    notes.pattern("region", awsRegion, "an AWS region such as eu-central-1, or regionEndpoint for another store");
  }
  notes.url("regionEndpoint");
  if (options.regionEndpoint?.startsWith("http:") && options.secure === true) {
    notes.add("secure", 'true contradicts storage.s3.regionEndpoint, which begins with "http:"; use https: there');
  }
  if (notes.given("keyId") && options.encrypt !== true) {
    notes.add("keyId", "needs storage.s3.encrypt true");
  }
  notes.whole(5 * MiB, 5 * KiB * MiB, "chunkSize", "multipartCopyChunkSize");
  notes.whole(1, 10_000, "multipartCopyMaxConcurrency");
  notes.whole(0, 5 * KiB * MiB, "multipartCopyThresholdSize");
  notes.oneOf("storageClass", storageClasses);
  notes.oneOf("objectAcl", cannedAcls);
  return notes.problems;
}

/** What the bucket that `storage.provision` makes can't do, and what its policies are made from. */
function provisionedS3(notes: Notes<S3Storage>, options: S3Storage): void {
  notes.notEmpty("bucket", "role", "keyId");
  if (notes.given("regionEndpoint")) {
    notes.add("regionEndpoint", "is for stores that are not AWS; storage.provision makes the bucket in AWS");
  }
  if (options.secure === false) {
    notes.add("secure", "false is not allowed with storage.provision; its bucket refuses requests without TLS");
  }
  if (options.accelerate === true) {
    notes.add("accelerate", "true is not allowed with storage.provision; its bucket has no Transfer Acceleration");
  }
  if (["OUTPOSTS", "EXPRESS_ONEZONE"].includes(options.storageClass ?? "")) {
    notes.add(
      "storageClass",
      `${shown(options.storageClass)} is not allowed with storage.provision; it needs another kind of bucket`,
    );
  }
  // These stand in policies, where wildcards and variables would widen them.
  notes.pattern("rootDirectory", /^[\w!.()'/-]+$/, "letters, digits and /_-.!'() with storage.provision");
  notes.pattern("role", /^[\w+=,.@-]{1,64}$/, "the name of an IAM role, not its ARN");
  notes.pattern(
    "keyId",
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
    "the key's ARN with storage.provision: arn:aws:kms:<region>:<account>:key/<id>",
  );
}

function azure(options: AzureStorage, provision: boolean): Problem[] {
  const notes = new Notes("azure", options);
  notes.provisioned(provision, {
    fills: ["accountKey", "credentials", "serviceUrl"],
    reads: ["resourceGroup", "location", "principalId"],
  });
  notes.pattern("container", /^[a-z0-9](-?[a-z0-9])+$/, "3 to 63 small letters, digits and single hyphens");
  notes.url("serviceUrl");
  notes.whole(0, 100, "maxRetries");
  notes.pattern("retryDelay", /^\d+(\.\d+)?(ms|s|m)$/, "a time with a unit, such as 100ms");
  if (provision) {
    provisionedAzure(notes);
  } else {
    notes.required("accountName", "container");
    azureCredentials(notes, options);
  }
  return notes.problems;
}

function azureCredentials(notes: Notes<AzureStorage>, options: AzureStorage): void {
  const credentials = options.credentials ?? {};
  const type = azureCredentialsType(options);
  const types = ["shared_key", "client_secret", "default_credentials"];
  if (!types.includes(type)) {
    notes.add("credentials.type", `${shown(type)} is not allowed; choose ${types.join(", ")}`);
    return;
  }
  if (type === "shared_key") {
    notes.required("accountKey");
  } else if (notes.given("accountKey")) {
    notes.add("accountKey", `belongs to storage.azure.credentials.type "shared_key", and that is "${type}"`);
  }
  for (const key of ["clientId", "tenantId", "secret"] as const) {
    if (type === "client_secret" && credentials[key] === undefined) {
      notes.add(`credentials.${key}`, 'is missing; storage.azure.credentials.type "client_secret" needs it');
    } else if (type !== "client_secret" && credentials[key] !== undefined) {
      notes.add(`credentials.${key}`, `belongs to storage.azure.credentials.type "client_secret", and that is "${type}"`);
    }
  }
}

function provisionedAzure(notes: Notes<AzureStorage>): void {
  notes.notEmpty("accountName", "container", "resourceGroup", "location", "principalId");
  notes.pattern("accountName", /^[a-z0-9]{3,24}$/, "3 to 24 small letters and digits");
  notes.pattern("resourceGroup", /^[\w.()-]{0,89}[\w()-]$/, "the name of a resource group, not its ID");
  notes.pattern("location", /^[a-z0-9]+$/, "a region as Azure's command line names it, such as westeurope");
  notes.pattern("principalId", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "the object ID (a UUID) of a managed identity");
  if (!notes.given("resourceGroup") && !notes.given("location")) {
    notes.add(
      "location",
      "is missing; storage.provision makes a resource group there, unless storage.azure.resourceGroup names one",
    );
  }
}

function gcs(options: GcsStorage, provision: boolean): Problem[] {
  const notes = new Notes("gcs", options);
  notes.provisioned(provision, { fills: ["credentials"], reads: ["location", "serviceAccount"] });
  if (provision) {
    notes.required("location");
    notes.notEmpty("bucket", "serviceAccount");
  } else {
    notes.required("bucket");
  }
  notes.pattern("location", /^[A-Za-z0-9-]+$/, "a location such as europe-west3 or EU");
  notes.pattern("serviceAccount", /^[^@\s:]+@[^@\s:]+\.[^@\s:]+$/, "the e-mail of a service account");
  notes.pattern("bucket", /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, "small letters, digits, dots, hyphens and underscores");
  notes.whole(256 * KiB, KiB * MiB, "chunkSize");
  if (Number.isInteger(options.chunkSize) && Number(options.chunkSize) % (256 * KiB) !== 0) {
    notes.add("chunkSize", `${shown(options.chunkSize)} is not allowed; give a multiple of ${256 * KiB} (256 KiB)`);
  }
  notes.whole(25, 10_000, "maxConcurrency");
  const credentials = plain(options.credentials);
  if (credentials !== undefined && !isServiceAccountKey(credentials)) {
    notes.add(
      "credentials",
      'is no JSON key of a service account (a JSON object with "type": "service_account", "client_email" and "private_key")',
    );
  }
  return notes.problems;
}

/** A key as Google's console gives it (https://cloud.google.com/iam/docs/keys-create-delete). */
export function isServiceAccountKey(json: string): boolean {
  try {
    const key = JSON.parse(json) as Record<string, unknown> | null;
    return key?.type === "service_account" && typeof key.client_email === "string" && typeof key.private_key === "string";
  } catch {
    return false;
  }
}

function swift(options: SwiftStorage): Problem[] {
  const notes = new Notes("swift", options);
  notes.required("authUrl", "container");
  notes.url("authUrl");
  notes.oneOf("authVersion", [1, 2, 3]);
  if (notes.given("authUrl") && swiftAuthVersion(options) === undefined) {
    notes.add(
      "authVersion",
      "is missing, and storage.swift.authUrl does not tell it by ending in /v1.0, /v2.0 or /v3; give 1, 2 or 3",
    );
  }
  notes.alternatives("applicationCredentialId", "applicationCredentialName");
  if (notes.given("applicationCredentialId") || notes.given("applicationCredentialName")) {
    swiftApplicationCredential(notes, options);
  } else {
    notes.required("username", "password");
    if (notes.given("applicationCredentialSecret")) {
      notes.add(
        "applicationCredentialSecret",
        "needs storage.swift.applicationCredentialId or applicationCredentialName beside it",
      );
    }
  }
  notes.alternatives("tenant", "tenantId");
  notes.alternatives("domain", "domainId");
  notes.alternatives("tenantDomain", "tenantDomainId");
  notes.oneOf("endpointType", ["public", "internal", "admin"]);
  notes.pattern("container", /^[^/]{1,256}$/, 'a name without "/"');
  notes.whole(MiB, KiB * MiB, "chunkSize");
  if (options.tempUrlContainerKey === true && !notes.given("secretKey")) {
    notes.add("secretKey", "is missing; storage.swift.tempUrlContainerKey needs it");
  }
  for (const method of (options.tempUrlMethods ?? []).filter((each) => !tempUrlMethods.includes(each))) {
    notes.add("tempUrlMethods", `${shown(method)} is not allowed; choose ${tempUrlMethods.join(", ")}`);
  }
  return notes.problems;
}

/** What a temporary URL can be signed for (https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html). */
const tempUrlMethods = ["GET", "HEAD", "PUT", "POST", "DELETE"];

/** The version of the authentication: what is given, or else what the URL tells by `/v1.0`, `/v2.0` or `/v3` in its path. */
function swiftAuthVersion({ authVersion, authUrl = "" }: SwiftStorage): number | undefined {
  const told = /.*\/v([123])/.exec(authUrl)?.[1];
  return authVersion ?? (told === undefined ? undefined : Number(told));
}

/** Keystone knows application credentials since version 3, and a named one by whose it is. */
function swiftApplicationCredential(notes: Notes<SwiftStorage>, options: SwiftStorage): void {
  notes.required("applicationCredentialSecret");
  const version = swiftAuthVersion(options);
  if (version !== undefined && version !== 3) {
    notes.add(
      "authVersion",
      `${version} is not allowed with an application credential; it needs 3, as in an authUrl that ends in /v3`,
    );
  }
  if (notes.given("password")) {
    notes.add("password", "cannot stand beside an application credential; give one of them");
  }
  if (notes.given("applicationCredentialName")) {
    notes.required("username");
    if (!notes.given("domain") && !notes.given("domainId")) {
      notes.add(
        "domain",
        "is missing; storage.swift.applicationCredentialName needs it or domainId, as it is a name of that user's",
      );
    }
  }
}

function oss(options: OssStorage): Problem[] {
  const notes = new Notes("oss", options);
  notes.required("bucket", "region");
  notes.pattern("bucket", /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, "3 to 63 small letters, digits and hyphens");
  notes.pattern("region", /^[a-z]{2}-[a-z0-9-]+$/, 'a region such as cn-hangzhou, without "oss-" before it');
  notes.together("accessKeyId", "accessKeySecret");
  notes.whole(100 * KiB, KiB * MiB, "chunkSize", "multipartCopyThresholdSize");
  if (notes.given("encryptionKeyId") && options.encrypt !== true) {
    notes.add("encryptionKeyId", "needs storage.oss.encrypt true");
  }
  notes.alternatives("accessKeyId", "ramRole");
  for (const key of (["internal", "accelerate"] as const).filter((each) => options[each] === true && notes.given("endpoint"))) {
    notes.add(key, "cannot stand beside storage.oss.endpoint; the endpoint says itself where it is");
  }
  if (options.internal === true && options.accelerate === true) {
    notes.add("accelerate", "true is not allowed beside storage.oss.internal; acceleration is for clients outside Alibaba Cloud");
  }
  return notes.problems;
}

const checks: Record<StorageDriver, (storage: Storage, provision: boolean) => Problem[]> = {
  filesystem: (storage) => filesystem(storage.filesystem ?? {}),
  s3: (storage, provision) => s3(storage.s3 ?? {}, provision),
  azure: (storage, provision) => azure(storage.azure ?? {}, provision),
  gcs: (storage, provision) => gcs(storage.gcs ?? {}, provision),
  swift: (storage) => swift(storage.swift ?? {}),
  oss: (storage) => oss(storage.oss ?? {}),
};

/** Drivers that only the bundled server has; release 3 of the stock engine dropped them. */
const bundledOnly = ["swift", "oss"];

/** Why `storage.provision` makes nothing for a driver. */
const neverProvisioned: Partial<Record<StorageDriver, string>> = {
  filesystem: "its volume or folder is made without it",
  swift: "OpenStack's users and their rights are its operator's to make; make container and user first and name them here",
  oss: "the package makes stores in AWS, Azure and Google Cloud only; make bucket and RAM user first and name them here",
};

/** What each cloud takes as the key and as the value of a tag. */
const tagRules: Partial<Record<StorageDriver, { key: RegExp; value: RegExp; allowed: string }>> = {
  s3: {
    key: /^(?!aws:)[\p{L}\p{N} _.:/=+@-]{1,128}$/u,
    value: /^[\p{L}\p{N} _.:/=+@-]{0,256}$/u,
    allowed: 'letters, digits, spaces and _.:/=+-@ (128 in the name, 256 in the value, no "aws:" first)',
  },
  azure: {
    key: /^[^<>%&\\?/]{1,128}$/,
    value: /^.{0,256}$/,
    allowed: "128 letters in the name without <>%&\\?/, 256 in the value",
  },
  gcs: {
    key: /^[a-z][a-z0-9_-]{0,62}$/,
    value: /^[a-z0-9_-]{0,63}$/,
    allowed: "small letters, digits, _ and - (63 in name and value, a letter first)",
  },
};

function provisionProblems(storage: Storage, driver: StorageDriver): Problem[] {
  const problems: Problem[] = [];
  const reason = neverProvisioned[driver];
  if (storage.provision === true && reason !== undefined) {
    problems.push({ key: "storage.provision", message: `true is not allowed with storage.driver "${driver}"; ${reason}` });
  }
  if (storage.provision !== true && storage.tags !== undefined) {
    problems.push({ key: "storage.tags", message: "needs storage.provision true; tags are for what it makes" });
  }
  const rule = tagRules[driver];
  const wrong = Object.entries(storage.tags ?? {}).filter(
    ([key, value]) => rule && !(rule.key.test(key) && rule.value.test(value)),
  );
  problems.push(
    ...wrong.map(([key, value]) => ({
      key: `storage.tags.${key}`,
      message: `${shown(value)} is not allowed; use ${rule?.allowed}`,
    })),
  );
  return problems;
}

export function storageProblems(storage: Storage, image = "bundled"): Problem[] {
  const driver = driverOf(storage);
  if (!Object.hasOwn(checks, driver)) {
    return [{ key: "storage.driver", message: `${shown(driver)} is not allowed; choose ${storageDrivers.join(", ")}` }];
  }
  const problems = storageDrivers
    .filter((each) => each !== driver && Object.hasOwn(storage, each))
    .map((each) => ({
      key: `storage.${each}`,
      message: `belongs to storage.driver "${each}", and storage.driver is "${driver}"`,
    }));
  if (image !== "bundled" && bundledOnly.includes(driver)) {
    problems.push({ key: "storage.driver", message: `"${driver}" is a driver of the bundled server only; use image bundled` });
  }
  if (driver === "filesystem" && storage.redirect === true) {
    problems.push({
      key: "storage.redirect",
      message: 'true is not allowed with storage.driver "filesystem"; there is no store to send clients to',
    });
  }
  if (storage.caCertificates !== undefined && certificatesIn(storage.caCertificates).length === 0) {
    problems.push({
      key: "storage.caCertificates",
      message: "has no PEM certificate; give the CA of the store, `-----BEGIN CERTIFICATE-----` first",
    });
  }
  const known = driver as StorageDriver;
  return [
    ...problems,
    ...provisionProblems(storage, known),
    ...checks[known](storage, storage.provision === true && neverProvisioned[known] === undefined),
  ];
}
