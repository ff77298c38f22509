import { Storage } from "../../components";
import { storageProblems } from "../../components/checks/storage";

const problemsOf = (storage: Storage): string[] => storageProblems(storage).map(({ key, message }) => `${key}: ${message}`);

const s3 = (options: Storage["s3"]): Storage => ({ driver: "s3", provision: true, s3: { region: "eu-central-1", ...options } });
const azure = (options: Storage["azure"]): Storage => ({
  driver: "azure",
  provision: true,
  azure: { location: "westeurope", ...options },
});
const gcs = (options: Storage["gcs"]): Storage => ({ driver: "gcs", provision: true, gcs: { location: "EU", ...options } });

const keyId = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

it.each<[string, Storage]>([
  ["a region", s3({})],
  ["a bucket's name, a folder and a role", s3({ bucket: "images", rootDirectory: "/team-a", role: "registry-host" })],
  ["a KMS key", s3({ encrypt: true, keyId })],
  ["a KMS key in China", s3({ encrypt: true, keyId: keyId.replace("arn:aws:", "arn:aws-cn:") })],
  ["tags in AWS", { ...s3({}), tags: { "Cost Centre": "42/a" } }],
  ["a location in Azure", azure({})],
  ["an existing resource group", { driver: "azure", provision: true, azure: { resourceGroup: "rg-(team.a)_1" } }],
  ["a managed identity", azure({ principalId: "11111111-2222-3333-4444-555555555555" })],
  ["names in Azure", azure({ accountName: "images123", container: "team-a", realm: "core.chinacloudapi.cn" })],
  ["a location in Google Cloud", gcs({})],
  ["an existing service account", gcs({ bucket: "images", serviceAccount: "host@project.iam.gserviceaccount.com" })],
  ["labels in Google Cloud", { ...gcs({}), tags: { team: "a_1" } }],
  ["provision false", { driver: "s3", provision: false, s3: { bucket: "images", region: "eu-central-1" } }],
])("accepts %s", (_, storage) => {
  expect(problemsOf(storage)).toEqual([]);
});

it.each<[string, Storage, string[]]>([
  [
    "a driver that keeps images on the host",
    { provision: true },
    ['storage.provision: true is not allowed with storage.driver "filesystem"; its volume or folder is made without it'],
  ],
  [
    "Swift",
    { driver: "swift", provision: true, swift: { authUrl: "https://a/v3", username: "u", password: "p", container: "c" } },
    [
      "storage.provision: true is not allowed with storage.driver \"swift\"; OpenStack's users and their rights are its operator's to make; make container and user first and name them here",
    ],
  ],
  [
    "OSS, and still wants what the driver needs",
    { driver: "oss", provision: true, oss: { region: "cn-hangzhou" } },
    [
      'storage.provision: true is not allowed with storage.driver "oss"; the package makes stores in AWS, Azure and Google Cloud only; make bucket and RAM user first and name them here',
      'storage.oss.bucket: is missing; storage.driver "oss" needs it',
    ],
  ],
  [
    "what provisioning fills, in S3",
    s3({ accessKey: "AKIA", secretKey: "not-shown", objectAcl: "private" }),
    [
      "storage.s3.accessKey: is filled by storage.provision; remove one of them",
      "storage.s3.secretKey: is filled by storage.provision; remove one of them",
      "storage.s3.objectAcl: is filled by storage.provision; remove one of them",
    ],
  ],
  [
    "another store than AWS",
    s3({ regionEndpoint: "https://minio.example.com" }),
    ["storage.s3.regionEndpoint: is for stores that are not AWS; storage.provision makes the bucket in AWS"],
  ],
  [
    "what its bucket can't do",
    s3({ secure: false, accelerate: true, storageClass: "OUTPOSTS" }),
    [
      "storage.s3.secure: false is not allowed with storage.provision; its bucket refuses requests without TLS",
      "storage.s3.accelerate: true is not allowed with storage.provision; its bucket has no Transfer Acceleration",
      'storage.s3.storageClass: "OUTPOSTS" is not allowed with storage.provision; it needs another kind of bucket',
    ],
  ],
  [
    "what would widen its policies",
    s3({ rootDirectory: "a/*", role: "arn:aws:iam::111122223333:role/host", encrypt: true, keyId: "alias/*" }),
    [
      'storage.s3.rootDirectory: "a/*" is not allowed; give letters, digits and /_-.!\'() with storage.provision',
      'storage.s3.role: "arn:aws:iam::111122223333:role/host" is not allowed; give the name of an IAM role, not its ARN',
      'storage.s3.keyId: "alias/*" is not allowed; give the key\'s ARN with storage.provision: arn:aws:kms:<region>:<account>:key/<id>',
    ],
  ],
  ["empty names", s3({ bucket: "" }), ["storage.s3.bucket: is empty; leave it out or give a name"]],
  ["S3 without a region", { driver: "s3", provision: true }, ['storage.s3.region: is missing; storage.driver "s3" needs it']],
  [
    "what provisioning fills, in Azure",
    azure({ accountKey: "not-shown", credentials: { secret: "not-shown" }, serviceUrl: "https://blob.example.com" }),
    [
      "storage.azure.accountKey: is filled by storage.provision; remove one of them",
      "storage.azure.credentials: is filled by storage.provision; remove one of them",
      "storage.azure.serviceUrl: is filled by storage.provision; remove one of them",
    ],
  ],
  [
    "Azure without a place",
    { driver: "azure", provision: true },
    [
      "storage.azure.location: is missing; storage.provision makes a resource group there, unless storage.azure.resourceGroup names one",
    ],
  ],
  [
    "names that Azure refuses",
    azure({ accountName: "My-Images", location: "West Europe", principalId: "host" }),
    [
      'storage.azure.accountName: "My-Images" is not allowed; give 3 to 24 small letters and digits',
      'storage.azure.location: "West Europe" is not allowed; give a region as Azure\'s command line names it, such as westeurope',
      'storage.azure.principalId: "host" is not allowed; give the object ID (a UUID) of a managed identity',
    ],
  ],
  [
    "what provisioning fills, in Google Cloud",
    gcs({ credentials: JSON.stringify({ type: "service_account", client_email: "e", private_key: "not-shown" }) }),
    ["storage.gcs.credentials: is filled by storage.provision; remove one of them"],
  ],
  [
    "Google Cloud without a location",
    { driver: "gcs", provision: true },
    ['storage.gcs.location: is missing; storage.driver "gcs" needs it'],
  ],
  [
    "labels that Google Cloud refuses",
    { ...gcs({}), tags: { Team: "a", team: "A" } },
    [
      'storage.tags.Team: "a" is not allowed; use small letters, digits, _ and - (63 in name and value, a letter first)',
      'storage.tags.team: "A" is not allowed; use small letters, digits, _ and - (63 in name and value, a letter first)',
    ],
  ],
  [
    "tags that AWS keeps to itself",
    { ...s3({}), tags: { "aws:team": "a" } },
    [
      'storage.tags.aws:team: "a" is not allowed; use letters, digits, spaces and _.:/=+-@ (128 in the name, 256 in the value, no "aws:" first)',
    ],
  ],
  [
    "options of provisioning without it",
    { driver: "s3", s3: { bucket: "images", region: "eu-central-1", role: "host" }, tags: { team: "a" } },
    ["storage.tags: needs storage.provision true; tags are for what it makes", "storage.s3.role: needs storage.provision true"],
  ],
  [
    "options of provisioning without it, in Google Cloud",
    { driver: "gcs", gcs: { bucket: "images", location: "EU", serviceAccount: "a@b.c" } },
    ["storage.gcs.location: needs storage.provision true", "storage.gcs.serviceAccount: needs storage.provision true"],
  ],
])("refuses %s", (_, storage, problems) => {
  expect(problemsOf(storage)).toEqual(problems);
});
