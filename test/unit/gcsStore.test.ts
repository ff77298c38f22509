import { Provider } from "@pulumi/gcp/provider";
import { GcsStore, GcsStoreArgs } from "../../components";
import { asked, clouds, googleKey } from "../support/clouds";
import { mocked, valueOf } from "../support/mocks";

const make = (args: GcsStoreArgs) => mocked(() => new GcsStore("store", args), clouds);

describe("a bucket in Google Cloud with nothing but a location given", () => {
  it("is made with a service account and a key", async () => {
    const { resources } = await make({ options: { location: "europe-west3" } });
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "Account store-account": {
          "accountId": "registry-abc123def456",
          "displayName": "Container registry store",
        },
        "Bucket store": {
          "$protect": true,
          "$retainOnDelete": true,
          "forceDestroy": false,
          "lifecycleRules": [
            {
              "action": {
                "type": "AbortIncompleteMultipartUpload",
              },
              "condition": {
                "age": 7,
              },
            },
          ],
          "location": "EUROPE-WEST3",
          "publicAccessPrevention": "enforced",
          "softDeletePolicy": {
            "retentionDurationSeconds": 0,
          },
          "uniformBucketLevelAccess": true,
          "versioning": {
            "enabled": false,
          },
        },
        "BucketIAMMember store-access": {
          "bucket": "store-1234567",
          "member": "serviceAccount:registry-abc123def456@project.iam.gserviceaccount.com",
          "role": "roles/storage.objectUser",
        },
        "Key store-key": {
          "serviceAccountId": "projects/project/serviceAccounts/registry-abc123def456@project.iam.gserviceaccount.com",
        },
        "RandomString store-suffix": {
          "length": 12,
          "special": false,
          "upper": false,
        },
      }
    `);
  });

  it("is in the completed options, with the key decoded and secret", async () => {
    const { result } = await make({ options: { location: "europe-west3", maxConcurrency: 30 } });
    expect(await valueOf(result.options)).toEqual({
      secret: true,
      value: { maxConcurrency: 30, bucket: "store-1234567", credentials: googleKey },
    });
    expect(await valueOf(result.bucket)).toEqual({ secret: false, value: "store-1234567" });
  });
});

describe("a bucket in Google Cloud with all options", () => {
  const args: GcsStoreArgs = {
    options: {
      location: "EU",
      bucket: "images",
      rootDirectory: "/a",
      serviceAccount: "registry-host@project.iam.gserviceaccount.com",
    },
    tags: { team: "a" },
    lab: true,
  };

  it("is made for the service account, and may be deleted", async () => {
    const { resources } = await make(args);
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "Bucket store": {
          "forceDestroy": true,
          "labels": {
            "team": "a",
          },
          "lifecycleRules": [
            {
              "action": {
                "type": "AbortIncompleteMultipartUpload",
              },
              "condition": {
                "age": 7,
              },
            },
          ],
          "location": "EU",
          "name": "images",
          "publicAccessPrevention": "enforced",
          "softDeletePolicy": {
            "retentionDurationSeconds": 0,
          },
          "uniformBucketLevelAccess": true,
          "versioning": {
            "enabled": false,
          },
        },
        "BucketIAMMember store-access": {
          "bucket": "images",
          "member": "serviceAccount:registry-host@project.iam.gserviceaccount.com",
          "role": "roles/storage.objectUser",
        },
      }
    `);
  });

  it("needs no key", async () => {
    const { value } = await valueOf((await make(args)).result.options);
    expect(value).toEqual({ bucket: "images", rootDirectory: "/a" });
  });
});

it("gives the user's provider to every child, and says whose child it is", async () => {
  const { resources } = await mocked(() => {
    const provider = new Provider("theirs", { project: "project" });
    return new GcsStore("store", { options: { location: "EU" } }, { provider });
  }, clouds);
  const children = resources.filter(({ type }) => type.startsWith("gcp:"));
  expect(children).toHaveLength(4);
  for (const { provider, parent } of children) {
    expect(provider).toContain("pulumi:providers:gcp::theirs::");
    expect(parent).toContain("container-registry:index:GcsStore::store");
  }
});

it("keeps its options out of state", async () => {
  const { components } = await make({ options: { location: "EU" } });
  expect(components.map(({ type, inputs }) => ({ type, inputs }))).toEqual([
    { type: "container-registry:index:GcsStore", inputs: {} },
  ]);
});

it("refuses wrong options before it makes anything", async () => {
  await expect(make({ options: { serviceAccount: "host", credentials: "{}" } })).rejects.toThrow(
    /storage\.gcs\.credentials: is filled by[^]*storage\.gcs\.location: is missing[^]*storage\.gcs\.serviceAccount: "host" is not/,
  );
});

it.each([
  ["google", "cloud"],
  ["registry-Google-store", "registry-cloud-store"],
  ["my-g00gle-store", "my-cloud-store"],
  ["googol-store", "cloudol-store"],
  ["goog-google", "cloud-cloud"],
  ["gogoogleogle", "gocloudogle"],
  ["mygoog-store", "mygoog-store"],
])("is made with a name that Google takes, for %s", async (name, stem) => {
  const { resources } = await mocked(() => new GcsStore(name, { options: { location: "EU" } }), clouds);
  expect(resources.find(({ type }) => type === "gcp:storage/bucket:Bucket")?.name).toBe(stem);
});

it("keeps its own name in Pulumi where the bucket is given another", async () => {
  const store = (): GcsStore => new GcsStore("google-store", { options: { location: "EU", bucket: "acme-images" } });
  const { resources } = await mocked(store, clouds);
  expect(resources.find(({ type }) => type === "gcp:storage/bucket:Bucket")?.name).toBe("google-store");
});

it("is refused where nothing of its name could be a bucket's", async () => {
  const made = mocked(() => new GcsStore("реестр", { options: { location: "EU" } }), clouds);
  await expect(made).rejects.toThrow('name: "реестр" is not allowed as a component\'s name; use two or more letters');
});
