import { Provider } from "@pulumi/aws/provider";
import { S3Store, S3StoreArgs } from "../../components";
import { registryPolicy } from "../../components/stores/s3Policies";
import { asked, clouds } from "../support/clouds";
import { mocked, valueOf } from "../support/mocks";

const make = (args: S3StoreArgs) => mocked(() => new S3Store("registry-dev-store", args), clouds);

describe("a bucket in S3 with nothing but a region given", () => {
  it("is made with a user and a key", async () => {
    const { resources } = await make({ options: { region: "eu-central-1" } });
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "AccessKey registry-dev-store-key": {
          "user": "registry-dev-store-user-1234567",
        },
        "Bucket registry-dev-store": {
          "$protect": true,
          "$retainOnDelete": true,
          "forceDestroy": false,
          "region": "eu-central-1",
        },
        "BucketLifecycleConfiguration registry-dev-store-lifecycle": {
          "$retainOnDelete": true,
          "bucket": "registry-dev-store-1234567",
          "region": "eu-central-1",
          "rules": [
            {
              "abortIncompleteMultipartUpload": {
                "daysAfterInitiation": 7,
              },
              "filter": {},
              "id": "abort-incomplete-uploads",
              "status": "Enabled",
            },
          ],
        },
        "BucketOwnershipControls registry-dev-store-ownership": {
          "$retainOnDelete": true,
          "bucket": "registry-dev-store-1234567",
          "region": "eu-central-1",
          "rule": {
            "objectOwnership": "BucketOwnerEnforced",
          },
        },
        "BucketPolicy registry-dev-store-tls-only": {
          "$retainOnDelete": true,
          "bucket": "registry-dev-store-1234567",
          "policy": {
            "Statement": [
              {
                "Action": "s3:*",
                "Condition": {
                  "Bool": {
                    "aws:SecureTransport": "false",
                  },
                },
                "Effect": "Deny",
                "Principal": "*",
                "Resource": [
                  "arn:aws:s3:::registry-dev-store-1234567",
                  "arn:aws:s3:::registry-dev-store-1234567/*",
                ],
                "Sid": "TlsOnly",
              },
            ],
            "Version": "2012-10-17",
          },
          "region": "eu-central-1",
        },
        "BucketPublicAccessBlock registry-dev-store-public-access": {
          "$retainOnDelete": true,
          "blockPublicAcls": true,
          "blockPublicPolicy": true,
          "bucket": "registry-dev-store-1234567",
          "ignorePublicAcls": true,
          "region": "eu-central-1",
          "restrictPublicBuckets": true,
        },
        "BucketServerSideEncryptionConfiguration registry-dev-store-encryption": {
          "$retainOnDelete": true,
          "bucket": "registry-dev-store-1234567",
          "region": "eu-central-1",
          "rules": [
            {
              "applyServerSideEncryptionByDefault": {
                "sseAlgorithm": "AES256",
              },
            },
          ],
        },
        "User registry-dev-store-user": {
          "forceDestroy": true,
        },
        "UserPolicy registry-dev-store-access": {
          "policy": {
            "Statement": [
              {
                "Action": [
                  "s3:ListBucket",
                  "s3:GetBucketLocation",
                  "s3:ListBucketMultipartUploads",
                ],
                "Effect": "Allow",
                "Resource": "arn:aws:s3:::registry-dev-store-1234567",
                "Sid": "Bucket",
              },
              {
                "Action": [
                  "s3:PutObject",
                  "s3:PutObjectAcl",
                  "s3:GetObject",
                  "s3:DeleteObject",
                  "s3:ListMultipartUploadParts",
                  "s3:AbortMultipartUpload",
                ],
                "Effect": "Allow",
                "Resource": "arn:aws:s3:::registry-dev-store-1234567/*",
                "Sid": "Objects",
              },
            ],
            "Version": "2012-10-17",
          },
          "user": "registry-dev-store-user-1234567",
        },
      }
    `);
  });

  it("is in the completed options, with the key as a secret", async () => {
    const { result } = await make({ options: { region: "eu-central-1", chunkSize: 10485760 } });
    expect(await valueOf(result.options)).toEqual({
      secret: true,
      value: {
        region: "eu-central-1",
        chunkSize: 10485760,
        bucket: "registry-dev-store-1234567",
        accessKey: "registry-dev-store-key-id",
        secretKey: "the-secret-key",
        objectAcl: "bucket-owner-full-control",
      },
    });
    expect(await valueOf(result.bucket)).toEqual({ secret: false, value: "registry-dev-store-1234567" });
  });
});

describe("a bucket in S3 with all options", () => {
  const keyId = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
  const args: S3StoreArgs = {
    options: { region: "eu-central-1", bucket: "images", rootDirectory: "/team-a/", encrypt: true, keyId, role: "registry-host" },
    tags: { team: "a" },
    lab: true,
  };

  it("is made for the role, and may be deleted", async () => {
    const { resources } = await make(args);
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "Bucket registry-dev-store": {
          "bucket": "images",
          "forceDestroy": true,
          "region": "eu-central-1",
          "tags": {
            "team": "a",
          },
        },
        "BucketLifecycleConfiguration registry-dev-store-lifecycle": {
          "bucket": "images",
          "region": "eu-central-1",
          "rules": [
            {
              "abortIncompleteMultipartUpload": {
                "daysAfterInitiation": 7,
              },
              "filter": {},
              "id": "abort-incomplete-uploads",
              "status": "Enabled",
            },
          ],
        },
        "BucketOwnershipControls registry-dev-store-ownership": {
          "bucket": "images",
          "region": "eu-central-1",
          "rule": {
            "objectOwnership": "BucketOwnerEnforced",
          },
        },
        "BucketPolicy registry-dev-store-tls-only": {
          "bucket": "images",
          "policy": {
            "Statement": [
              {
                "Action": "s3:*",
                "Condition": {
                  "Bool": {
                    "aws:SecureTransport": "false",
                  },
                },
                "Effect": "Deny",
                "Principal": "*",
                "Resource": [
                  "arn:aws:s3:::images",
                  "arn:aws:s3:::images/*",
                ],
                "Sid": "TlsOnly",
              },
            ],
            "Version": "2012-10-17",
          },
          "region": "eu-central-1",
        },
        "BucketPublicAccessBlock registry-dev-store-public-access": {
          "blockPublicAcls": true,
          "blockPublicPolicy": true,
          "bucket": "images",
          "ignorePublicAcls": true,
          "region": "eu-central-1",
          "restrictPublicBuckets": true,
        },
        "BucketServerSideEncryptionConfiguration registry-dev-store-encryption": {
          "bucket": "images",
          "region": "eu-central-1",
          "rules": [
            {
              "applyServerSideEncryptionByDefault": {
                "kmsMasterKeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "sseAlgorithm": "aws:kms",
              },
              "bucketKeyEnabled": true,
            },
          ],
        },
        "RolePolicy registry-dev-store-access": {
          "policy": {
            "Statement": [
              {
                "Action": [
                  "s3:ListBucket",
                  "s3:GetBucketLocation",
                  "s3:ListBucketMultipartUploads",
                ],
                "Effect": "Allow",
                "Resource": "arn:aws:s3:::images",
                "Sid": "Bucket",
              },
              {
                "Action": [
                  "s3:PutObject",
                  "s3:PutObjectAcl",
                  "s3:GetObject",
                  "s3:DeleteObject",
                  "s3:ListMultipartUploadParts",
                  "s3:AbortMultipartUpload",
                ],
                "Effect": "Allow",
                "Resource": "arn:aws:s3:::images/team-a/*",
                "Sid": "Objects",
              },
              {
                "Action": [
                  "kms:GenerateDataKey",
                  "kms:Decrypt",
                ],
                "Effect": "Allow",
                "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "Sid": "Key",
              },
            ],
            "Version": "2012-10-17",
          },
          "role": "registry-host",
        },
      }
    `);
  });

  it("needs no key", async () => {
    const { value } = await valueOf((await make(args)).result.options);
    expect(value).toEqual({
      region: "eu-central-1",
      bucket: "images",
      rootDirectory: "/team-a/",
      encrypt: true,
      keyId,
      objectAcl: "bucket-owner-full-control",
    });
  });
});

it("gives the registry no right in other folders and buckets, with or without slashes around the folder", () => {
  const resources = (rootDirectory?: string): unknown =>
    registryPolicy({ bucketArn: "arn:aws:s3:::images", rootDirectory }).Statement.map(
      (each) => (each as { Resource: string }).Resource,
    );
  expect(resources()).toEqual(["arn:aws:s3:::images", "arn:aws:s3:::images/*"]);
  expect(resources("/")).toEqual(["arn:aws:s3:::images", "arn:aws:s3:::images/*"]);
  expect(resources("a/b")).toEqual(["arn:aws:s3:::images", "arn:aws:s3:::images/a/b/*"]);
  expect(resources("/a/b/")).toEqual(["arn:aws:s3:::images", "arn:aws:s3:::images/a/b/*"]);
});

it("names the bucket after the component within S3's rules", async () => {
  const { resources } = await mocked(() => new S3Store("Team_A.Registry-store", { options: { region: "eu-central-1" } }), clouds);
  expect(resources.find(({ type }) => type.endsWith(":Bucket"))?.name).toBe("team-a-registry-store");
});

it("is refused where nothing of its name could be a bucket's", async () => {
  const { resources } = await mocked(() => new S3Store("реестр 2", { options: { region: "eu-central-1" } }), clouds);
  expect(resources.find(({ type }) => type.endsWith(":Bucket"))?.name).toBe("2");
  const made = mocked(() => new S3Store("реестр", { options: { region: "eu-central-1" } }), clouds);
  await expect(made).rejects.toThrow('name: "реестр" is not allowed as a component\'s name; use two or more letters');
});

it("gives the user's provider to every child, and says whose child it is", async () => {
  const { resources } = await mocked(() => {
    const provider = new Provider("theirs", { region: "us-east-1" });
    return new S3Store("store", { options: { region: "eu-central-1" } }, { provider });
  }, clouds);
  const children = resources.filter(({ name }) => name !== "theirs");
  expect(children).toHaveLength(9);
  for (const { provider, parent } of children) {
    expect(provider).toContain("pulumi:providers:aws::theirs::");
    expect(parent).toContain("container-registry:index:S3Store::store");
  }
});

it("keeps its options out of state", async () => {
  const { components } = await make({ options: { region: "eu-central-1" } });
  expect(components.map(({ type, inputs }) => ({ type, inputs }))).toEqual([
    { type: "container-registry:index:S3Store", inputs: {} },
  ]);
});

it("refuses wrong options before it makes anything", async () => {
  await expect(make({ options: { bucket: "B", accessKey: "AKIA" } })).rejects.toThrow(
    /storage\.s3\.accessKey: is filled by storage\.provision[^]*storage\.s3\.bucket: "B" is not allowed[^]*storage\.s3\.region: is missing/,
  );
});
