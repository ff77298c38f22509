import { Answers, MadeResource } from "./mocks";

/** The service account key that Google's mock makes. */
export const googleKey = JSON.stringify({
  type: "service_account",
  client_email: "registry-abc123def456@project.iam.gserviceaccount.com",
  private_key: "the-private-key",
});

const subscription = "/subscriptions/00000000-0000-0000-0000-000000000000";

const projectOf = (inputs: Record<string, unknown>): string => (typeof inputs.project === "string" ? inputs.project : "project");

/** What the clouds and the random provider answer to the requests of the stores and registries. */
export const clouds: Answers = {
  resources: {
    "aws:s3/bucket:Bucket": (name, inputs) => {
      const bucket = typeof inputs.bucket === "string" ? inputs.bucket : `${name}-1234567`;
      return { bucket, arn: `arn:aws:s3:::${bucket}` };
    },
    "aws:iam/user:User": (name) => ({ name: `${name}-1234567` }),
    "aws:iam/accessKey:AccessKey": () => ({ secret: "the-secret-key" }),
    "azure-native:resources:ResourceGroup": (name) => ({ name: `${name}1234abcd` }),
    "azure-native:storage:StorageAccount": (_, inputs) => ({ name: inputs.accountName }),
    "azure-native:storage:BlobContainer": (_, inputs) => ({ name: inputs.containerName }),
    "gcp:storage/bucket:Bucket": (name, inputs) => ({ name: inputs.name ?? `${name}-1234567` }),
    "gcp:serviceaccount/account:Account": (_, inputs) => ({
      name: `projects/project/serviceAccounts/${String(inputs.accountId)}@project.iam.gserviceaccount.com`,
      email: `${String(inputs.accountId)}@project.iam.gserviceaccount.com`,
    }),
    "gcp:serviceaccount/key:Key": () => ({ privateKey: Buffer.from(googleKey).toString("base64") }),
    "random:index/randomString:RandomString": () => ({ result: "abc123def456" }),
    "aws:iam/role:Role": (name) => ({ name: `${name}-1234567`, arn: `arn:aws:iam::123456789012:role/${name}-1234567` }),
    "aws:secretsmanager/secret:Secret": (_, inputs) => ({
      arn: `arn:aws:secretsmanager:secret:${String(inputs.namePrefix)}1234567`,
    }),
    "azure-native:containerregistry:Registry": (_, inputs) => ({
      name: inputs.registryName,
      loginServer: `${String(inputs.registryName)}.azurecr.io`,
    }),
    "azure-native:containerregistry:CredentialSet": (_, inputs) => ({
      identity: { ...(inputs.identity as object), principalId: "of-the-set" },
    }),
    "azure-native:keyvault:Secret": (_, inputs) => ({
      properties: { secretUri: `https://${String(inputs.vaultName)}.vault.azure.net/secrets/${String(inputs.secretName)}` },
    }),
    "gcp:artifactregistry/repository:Repository": (_, inputs) => ({
      project: projectOf(inputs),
      registryUri: `${String(inputs.location)}-docker.pkg.dev/${projectOf(inputs)}/${String(inputs.repositoryId)}`,
    }),
    "gcp:projects/serviceIdentity:ServiceIdentity": () => ({
      member: "serviceAccount:service-1@gcp-sa-artifactregistry.iam.gserviceaccount.com",
    }),
    "gcp:secretmanager/secretVersion:SecretVersion": (_, inputs) => ({ name: `${String(inputs.secret)}/versions/1` }),
  },
  functions: {
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": {
      proxyEndpoint: "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com",
      region: "eu-central-1",
      userName: "AWS",
      password: "the-amazon-token",
    },
    "azure-native:authorization:getClientConfig": { tenantId: "the-tenant" },
    "azure-native:authorization:getClientToken": { token: "the-azure-token" },
    "gcp:organizations/getClientConfig:getClientConfig": { accessToken: "the-google-token" },
    "azure-native:storage:listStorageAccountKeys": {
      keys: [{ keyName: "key1", value: "dGhlLWFjY291bnQta2V5" }, { keyName: "key2" }],
    },
  },
  ids: {
    "azure-native:containerregistry:Registry": (_, inputs) =>
      `${subscription}/resourceGroups/${String(inputs.resourceGroupName)}/providers/Microsoft.ContainerRegistry/registries/${String(inputs.registryName)}`,
    "azure-native:storage:StorageAccount": (_, inputs) =>
      `${subscription}/resourceGroups/${String(inputs.resourceGroupName)}/providers/Microsoft.Storage/storageAccounts/${String(inputs.accountName)}`,
  },
};

/** Inputs that are JSON. */
const policies = ["policy", "lifecyclePolicy", "repositoryPolicy", "assumeRolePolicy"];

/** Resources for a snapshot: what was asked for, under type and name, with policies as objects. */
export function asked(resources: readonly MadeResource[]): Record<string, unknown> {
  return Object.fromEntries(
    resources.map(({ type, name, inputs, protect, retainOnDelete, deleteBeforeReplace, deletedWith }) => [
      `${type.split(":").at(-1)} ${name}`,
      {
        ...Object.fromEntries(
          Object.entries(inputs).map(([key, value]) => [
            key,
            policies.includes(key) ? (JSON.parse(String(value)) as unknown) : value,
          ]),
        ),
        // A resource without these options is deleted with the stack.
        ...(protect ? { $protect: true } : {}),
        ...(retainOnDelete ? { $retainOnDelete: true } : {}),
        ...(deleteBeforeReplace ? { $deleteBeforeReplace: true } : {}),
        ...(deletedWith === "" ? {} : { $deletedWith: deletedWith }),
      },
    ]),
  );
}
