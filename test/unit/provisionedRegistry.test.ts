import { Provider } from "@pulumi/aws/provider";
import * as yaml from "js-yaml";
import { SingleNodeRegistry, SingleNodeRegistryArgs, Storage, TlsMode } from "../../components";
import { clouds, googleKey } from "../support/clouds";
import { Answers, mocked, MockedRun } from "../support/mocks";

// What is asked of the engine beside the provider.
jest.mock("../../components/docker/volumeOwner", () => ({
  ...jest.requireActual<object>("../../components/docker/volumeOwner"),
  checkOwner: () => Promise.resolve(true),
  checkPresence: () => Promise.resolve(),
}));

const answers: Answers = {
  ...clouds,
  resources: {
    ...clouds.resources,
    "random:index/randomPassword:RandomPassword": () => ({ result: "password", bcryptHash: "hash" }),
    "docker:index/remoteImage:RemoteImage": () => ({ imageId: "sha256:1" }),
  },
};

/** No more than the store has to do with: a foreign image, no TLS, no users. */
const plainRegistry: SingleNodeRegistryArgs = {
  image: `registry@sha256:${"0".repeat(64)}`,
  tls: { mode: TlsMode.Off },
  users: [],
};

function deploy(storage: Storage, lab?: boolean): Promise<MockedRun<SingleNodeRegistry>> {
  return mocked(() => new SingleNodeRegistry("registry", { ...plainRegistry, storage, lab }), answers);
}

/** The storage section of the configuration file; it must come as a secret. */
function written({ resources }: MockedRun<unknown>): Record<string, unknown> {
  const { uploads } = resources.find(({ name }) => name === "registry-files-writer")?.inputs as {
    uploads: { file: string; content: { secret: string } }[];
  };
  const configuration = uploads.find(({ file }) => file.endsWith(".yml"))?.content.secret ?? "";
  return (yaml.load(configuration) as { storage: Record<string, unknown> }).storage;
}

describe("a registry with provision", () => {
  it("is configured with the bucket and the key in S3", async () => {
    const run = await deploy({ driver: "s3", provision: true, s3: { region: "eu-central-1", chunkSize: 10485760 } });
    expect(written(run)).toMatchObject({
      s3: {
        bucket: "registry-store-1234567",
        region: "eu-central-1",
        accesskey: "registry-store-key-id",
        secretkey: "the-secret-key",
        objectacl: "bucket-owner-full-control",
        chunksize: 10485760,
        forcepathstyle: false,
        secure: true,
      },
      redirect: { disable: false },
    });
  });

  it("has no key in S3 with a role, and nothing in its configuration that the engine does not know", async () => {
    const run = await deploy({
      driver: "s3",
      provision: true,
      s3: { region: "eu-central-1", role: "host" },
      tags: { team: "a" },
    });
    expect(Object.keys(written(run).s3 as object).sort()).toEqual(["bucket", "forcepathstyle", "objectacl", "region", "secure"]);
  });

  it("is configured with the container and the key in Azure", async () => {
    const run = await deploy({ driver: "azure", provision: true, azure: { location: "westeurope" } });
    expect(written(run).azure).toEqual({
      accountname: "registryabc123def456",
      accountkey: "dGhlLWFjY291bnQta2V5",
      container: "registry",
      credentials: { type: "shared_key" },
    });
  });

  it("has no key in Azure with a managed identity", async () => {
    const principalId = "11111111-2222-3333-4444-555555555555";
    const run = await deploy({ driver: "azure", provision: true, azure: { location: "westeurope", principalId } });
    expect(written(run).azure).toEqual({
      accountname: "registryabc123def456",
      container: "registry",
      credentials: { type: "default_credentials" },
    });
  });

  it("is configured with the bucket and the key in Google Cloud", async () => {
    const run = await deploy({ driver: "gcs", provision: true, redirect: false, gcs: { location: "EU" } });
    expect(written(run)).toMatchObject({
      gcs: { bucket: "registry-store-1234567", credentials: JSON.parse(googleKey) as object },
      redirect: { disable: true },
    });
  });

  it("has no key in Google Cloud with a service account", async () => {
    const serviceAccount = "host@project.iam.gserviceaccount.com";
    const run = await deploy({ driver: "gcs", provision: true, gcs: { location: "EU", serviceAccount } });
    expect(written(run).gcs).toEqual({ bucket: "registry-store-1234567" });
  });

  it.each<[string, Storage]>([
    ["S3", { driver: "s3", provision: true, s3: { region: "eu-central-1" } }],
    ["Azure", { driver: "azure", provision: true, azure: { location: "westeurope" } }],
    ["Google Cloud", { driver: "gcs", provision: true, gcs: { location: "EU" } }],
  ])("protects and keeps what holds images in %s, unless it is a lab", async (_, storage) => {
    const holders = /:(Bucket|StorageAccount|BlobContainer|ResourceGroup)$/;
    const kept = async (lab?: boolean): Promise<(boolean | undefined)[][]> =>
      (await deploy(storage, lab)).resources
        .filter(({ type }) => holders.test(type))
        .map(({ protect, retainOnDelete }) => [protect, retainOnDelete]);
    expect(new Set((await kept()).flat())).toEqual(new Set([true]));
    expect(new Set((await kept(true)).flat())).toEqual(new Set([undefined]));
  });

  it("has its user's own locks on every part, also in a lab, but containers and files give way to others of their name", async () => {
    const locks = { protect: true, retainOnDelete: true };
    const storage = { driver: "s3", provision: true, s3: { region: "eu-central-1" } };
    const { resources } = await mocked(
      () => new SingleNodeRegistry("registry", { ...plainRegistry, storage, lab: true }, locks),
      answers,
    );
    const open = resources.filter(({ protect, retainOnDelete }) => protect !== true || retainOnDelete === false);
    expect(open.map(({ name }) => name)).toEqual(["registry", "registry-files", "registry-files-writer"]);
  });

  it("is the parent of its store and hands the user's provider on", async () => {
    const { components, resources } = await mocked(() => {
      const aws = new Provider("theirs", { region: "us-east-1" });
      const storage = { driver: "s3", provision: true, s3: { region: "eu-central-1" } };
      return new SingleNodeRegistry("registry", { ...plainRegistry, storage }, { providers: { aws } });
    }, answers);
    const store = components.find(({ name }) => name === "registry-store");
    expect(store?.parent).toContain("container-registry:index:SingleNodeRegistry::registry");
    const children = resources.filter(({ type }) => type.startsWith("aws:"));
    expect(children).toHaveLength(9);
    expect(children.filter(({ provider }) => !provider.includes("pulumi:providers:aws::theirs::"))).toEqual([]);
  });

  it("has no key or bucket in the clear anywhere", async () => {
    const secrets = ["the-secret-key", "registry-store-key-id", "dGhlLWFjY291bnQta2V5", "the-private-key"];
    for (const storage of [
      { driver: "s3", provision: true, s3: { region: "eu-central-1" } },
      { driver: "azure", provision: true, azure: { location: "westeurope" } },
      { driver: "gcs", provision: true, gcs: { location: "EU" } },
    ]) {
      const { resources, components } = await deploy(storage);
      const clear = JSON.stringify([resources, components].flat(), (_, value: unknown) =>
        typeof value === "object" && value !== null && "secret" in value ? "[secret]" : value,
      );
      expect(secrets.filter((secret) => clear.includes(secret))).toEqual([]);
    }
  });
});
