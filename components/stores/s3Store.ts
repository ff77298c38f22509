import type * as s3 from "@pulumi/aws/s3";
import * as pulumi from "@pulumi/pulumi";
import { cloudModule } from "../cloud/cloudSdk";
import { readArguments, throwProblems } from "../checks/inputs";
import { bucketStem, holdsImages, onceMade, staysWithImages, stemProblems } from "../cloud/provisioning";
import { registryPolicy, tlsOnlyPolicy } from "./s3Policies";
import { storageProblems } from "../checks/storage";
import { S3Storage } from "../args/storage";

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
export class S3Store extends pulumi.ComponentResource {
  /** Name of the bucket. */
  public readonly bucket: pulumi.Output<string>;
  /** The driver's options, completed. Secret. */
  public readonly options: pulumi.Output<S3Storage>;

  constructor(name: string, args: S3StoreArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state.
    super("container-registry:index:S3Store", name, {}, opts);
    args = readArguments("S3Store", args);
    throwProblems([
      ...stemProblems(name),
      ...storageProblems({ driver: "s3", provision: true, tags: args.tags, s3: args.options }),
    ]);
    const { role, ...options } = args.options;
    const lab = args.lab ?? false;

    const { Bucket } = cloudModule("@pulumi/aws/s3");
    // Versioning stays off, as it is in a new bucket: every deleted blob would be kept and billed for ever, and garbage
    // collection would free nothing. Blobs never change, so there is no older content to go back to.
    const bucket = new Bucket(
      bucketStem(name),
      { bucket: options.bucket, region: options.region, forceDestroy: lab, tags: args.tags },
      holdsImages(this, lab),
    );
    this.bucket = onceMade(bucket.bucket, this.secureBucket(name, bucket, options, lab));

    const policy = bucket.arn.apply((bucketArn) => JSON.stringify(registryPolicy({ ...options, bucketArn })));
    const key = role === undefined ? this.createUser(name, policy, args.tags) : this.grantRole(name, policy, role);
    this.options = pulumi.secret(
      pulumi.all([this.bucket, key]).apply(([made, keys]) => ({
        ...options,
        ...keys,
        bucket: made,
        // The only ACL that a bucket without ACLs accepts; the driver always sends one.
        objectAcl: "bucket-owner-full-control",
      })),
    );
    this.registerOutputs({ bucket: this.bucket, options: this.options });
  }

  /** Everything that keeps the bucket private and small. */
  private secureBucket(name: string, bucket: s3.Bucket, options: S3Storage, lab: boolean): pulumi.CustomResource[] {
    const aws = cloudModule("@pulumi/aws/s3");
    const common = { bucket: bucket.bucket, region: options.region };
    const stays = staysWithImages(this, lab);
    const publicAccess = new aws.BucketPublicAccessBlock(
      `${name}-public-access`,
      { ...common, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
      stays,
    );
    return [
      publicAccess,
      new aws.BucketOwnershipControls(
        `${name}-ownership`,
        { ...common, rule: { objectOwnership: "BucketOwnerEnforced" } },
        stays,
      ),
      new aws.BucketPolicy(
        `${name}-tls-only`,
        { ...common, policy: bucket.arn.apply((arn) => JSON.stringify(tlsOnlyPolicy(arn))) },
        // S3 refuses two simultaneous changes to the access to a bucket.
        { ...stays, dependsOn: [publicAccess] },
      ),
      new aws.BucketServerSideEncryptionConfiguration(
        `${name}-encryption`,
        {
          ...common,
          rules: [
            options.keyId === undefined
              ? { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
              : {
                  applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: options.keyId },
                  // One request to KMS for many objects instead of one for each, which KMS would bill.
                  bucketKeyEnabled: true,
                },
          ],
        },
        stays,
      ),
      new aws.BucketLifecycleConfiguration(
        `${name}-lifecycle`,
        {
          ...common,
          // The parts of an interrupted push are in no listing, but are billed.
          rules: [
            {
              id: "abort-incomplete-uploads",
              status: "Enabled",
              filter: {},
              abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
            },
          ],
        },
        stays,
      ),
    ];
  }

  /** A user of its own, with a key. */
  private createUser(name: string, policy: pulumi.Output<string>, tags: S3StoreArgs["tags"]): pulumi.Output<Keys> {
    const { AccessKey, User, UserPolicy } = cloudModule("@pulumi/aws/iam");
    // A key that somebody added to the user by hand must not keep it alive.
    const user = new User(`${name}-user`, { forceDestroy: true, tags }, { parent: this });
    const allowed = new UserPolicy(`${name}-access`, { user: user.name, policy }, { parent: this });
    const key = new AccessKey(`${name}-key`, { user: user.name }, { parent: this });
    return onceMade(pulumi.all({ accessKey: key.id, secretKey: key.secret }), [allowed]);
  }

  /** A role that the machine or task has already; it needs no key. */
  private grantRole(name: string, policy: pulumi.Output<string>, role: string): pulumi.Output<Keys> {
    const { RolePolicy } = cloudModule("@pulumi/aws/iam");
    return onceMade({}, [new RolePolicy(`${name}-access`, { role, policy }, { parent: this })]);
  }
}

type Keys = Pick<S3Storage, "accessKey" | "secretKey">;
