import type * as gcp from "@pulumi/gcp/storage";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { cloudModule } from "../cloud/cloudSdk";
import { readArguments, throwProblems } from "../checks/inputs";
import { bucketStem, googleBucketStem, holdsImages, onceMade, stemProblems } from "../cloud/provisioning";
import { storageProblems } from "../checks/storage";
import { GcsStorage } from "../args/storage";

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
export class GcsStore extends pulumi.ComponentResource {
  /** Name of the bucket. */
  public readonly bucket: pulumi.Output<string>;
  /** The driver's options, completed. Secret. */
  public readonly options: pulumi.Output<GcsStorage>;

  constructor(name: string, args: GcsStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state.
    super("container-registry:index:GcsStore", name, {}, opts);
    args = readArguments("GcsStore", args);
    throwProblems([
      ...stemProblems(name),
      ...storageProblems({ driver: "gcs", provision: true, tags: args.tags, gcs: args.options }),
    ]);
    const { location = "", serviceAccount, ...options } = args.options;
    const lab = args.lab ?? false;

    const { Bucket } = cloudModule("@pulumi/gcp/storage");
    const bucket = new Bucket(
      // Google sees this name only if it has to become the bucket's.
      options.bucket === undefined ? googleBucketStem(name) : bucketStem(name),
      {
        name: options.bucket,
        // As Google writes it; a difference in case would replace the bucket.
        location: location.toUpperCase(),
        labels: args.tags,
        uniformBucketLevelAccess: true,
        publicAccessPrevention: "enforced",
        // Versions and deleted blobs would be kept and billed, so that garbage collection would free nothing. Blobs never
        // change, so there is no older content to go back to.
        versioning: { enabled: false },
        softDeletePolicy: { retentionDurationSeconds: 0 },
        // The parts of an interrupted push are in no listing, but are billed.
        lifecycleRules: [{ action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: 7 } }],
        forceDestroy: lab,
      },
      holdsImages(this, lab),
    );
    this.bucket = bucket.name;
    const access =
      serviceAccount === undefined ? this.createAccount(name, bucket) : this.grantAccount(name, bucket, serviceAccount);
    this.options = pulumi.secret(
      pulumi.all([this.bucket, access]).apply(([made, credentials]) => ({ ...options, ...credentials, bucket: made })),
    );
    this.registerOutputs({ bucket: this.bucket, options: this.options });
  }

  /** A service account of its own, with a key. */
  private createAccount(name: string, bucket: gcp.Bucket): pulumi.Output<Access> {
    const { Account, Key } = cloudModule("@pulumi/gcp/serviceaccount");
    // No room for the component's name: an ID has 30 characters at most.
    const suffix = new random.RandomString(`${name}-suffix`, { length: 12, special: false, upper: false }, { parent: this });
    const account = new Account(
      `${name}-account`,
      { accountId: pulumi.interpolate`registry-${suffix.result}`, displayName: `Container registry ${name}`.slice(0, 100) },
      { parent: this },
    );
    const key = new Key(`${name}-key`, { serviceAccountId: account.name }, { parent: this });
    const credentials = key.privateKey.apply((encoded) => Buffer.from(encoded, "base64").toString());
    return onceMade(pulumi.all({ credentials }), [this.grantMember(name, bucket, account.email)]);
  }

  /** A service account that the machine or workload has already; it needs no key. */
  private grantAccount(name: string, bucket: gcp.Bucket, email: string): pulumi.Output<Access> {
    return onceMade({}, [this.grantMember(name, bucket, email)]);
  }

  /** The right to list, read, write and delete objects; the driver asks nothing about the bucket itself. */
  private grantMember(name: string, bucket: gcp.Bucket, email: pulumi.Input<string>): pulumi.CustomResource {
    const { BucketIAMMember } = cloudModule("@pulumi/gcp/storage");
    return new BucketIAMMember(
      `${name}-access`,
      { bucket: bucket.name, role: "roles/storage.objectUser", member: pulumi.interpolate`serviceAccount:${email}` },
      { parent: this },
    );
  }
}

type Access = Pick<GcsStorage, "credentials">;
