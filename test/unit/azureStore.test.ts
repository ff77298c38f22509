import { Provider } from "@pulumi/azure-native/provider";
import { AzureStore, AzureStoreArgs } from "../../components";
import { asked, clouds } from "../support/clouds";
import { mocked, valueOf } from "../support/mocks";

const make = (args: AzureStoreArgs) => mocked(() => new AzureStore("store", args), clouds);

describe("a container in Azure with nothing but a location given", () => {
  it("is made in an account and a resource group of its own", async () => {
    const { resources, calls } = await make({ options: { location: "westeurope" } });
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "BlobContainer store-container": {
          "$protect": true,
          "$retainOnDelete": true,
          "accountName": "registryabc123def456",
          "containerName": "registry",
          "publicAccess": "None",
          "resourceGroupName": "store-group1234abcd",
        },
        "BlobServiceProperties store-blobs": {
          "$retainOnDelete": true,
          "accountName": "registryabc123def456",
          "blobServicesName": "default",
          "containerDeleteRetentionPolicy": {
            "days": 7,
            "enabled": true,
          },
          "deleteRetentionPolicy": {
            "enabled": false,
          },
          "isVersioningEnabled": false,
          "resourceGroupName": "store-group1234abcd",
        },
        "RandomString store-suffix": {
          "length": 12,
          "special": false,
          "upper": false,
        },
        "ResourceGroup store-group": {
          "$protect": true,
          "$retainOnDelete": true,
          "location": "westeurope",
        },
        "StorageAccount store-account": {
          "$protect": true,
          "$retainOnDelete": true,
          "accountName": "registryabc123def456",
          "allowBlobPublicAccess": false,
          "allowCrossTenantReplication": false,
          "allowSharedKeyAccess": true,
          "enableHttpsTrafficOnly": true,
          "kind": "StorageV2",
          "location": "westeurope",
          "minimumTlsVersion": "TLS1_2",
          "resourceGroupName": "store-group1234abcd",
          "sku": {
            "name": "Standard_LRS",
          },
        },
      }
    `);
    expect(calls.map(({ token, inputs }) => ({ token, inputs }))).toEqual([
      {
        token: "azure-native:storage:listStorageAccountKeys",
        inputs: { accountName: "registryabc123def456", resourceGroupName: "store-group1234abcd" },
      },
    ]);
  });

  it("is in the completed options, with the account's key as a secret", async () => {
    const { result } = await make({ options: { location: "westeurope", maxRetries: 3 } });
    expect(await valueOf(result.options)).toEqual({
      secret: true,
      value: {
        maxRetries: 3,
        accountName: "registryabc123def456",
        accountKey: "dGhlLWFjY291bnQta2V5",
        container: "registry",
        credentials: { type: "shared_key" },
      },
    });
    expect(await valueOf(result.accountName)).toEqual({ secret: false, value: "registryabc123def456" });
    expect(await valueOf(result.container)).toEqual({ secret: false, value: "registry" });
  });
});

describe("a container in Azure with all options", () => {
  const args: AzureStoreArgs = {
    options: {
      resourceGroup: "theirs",
      location: "westeurope",
      accountName: "images",
      container: "team-a",
      rootDirectory: "/a",
      principalId: "11111111-2222-3333-4444-555555555555",
    },
    tags: { team: "a" },
    lab: true,
  };

  it("is made for the managed identity, and may be deleted", async () => {
    const { resources, calls } = await make(args);
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "BlobContainer store-container": {
          "accountName": "images",
          "containerName": "team-a",
          "publicAccess": "None",
          "resourceGroupName": "theirs",
        },
        "BlobServiceProperties store-blobs": {
          "accountName": "images",
          "blobServicesName": "default",
          "containerDeleteRetentionPolicy": {
            "days": 7,
            "enabled": true,
          },
          "deleteRetentionPolicy": {
            "enabled": false,
          },
          "isVersioningEnabled": false,
          "resourceGroupName": "theirs",
        },
        "RoleAssignment store-access": {
          "principalId": "11111111-2222-3333-4444-555555555555",
          "principalType": "ServicePrincipal",
          "roleDefinitionId": "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Authorization/roleDefinitions/ba92f5b4-2d11-453d-a403-e96b0029c9fe",
          "scope": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/theirs/providers/Microsoft.Storage/storageAccounts/images",
        },
        "StorageAccount store-account": {
          "accountName": "images",
          "allowBlobPublicAccess": false,
          "allowCrossTenantReplication": false,
          "allowSharedKeyAccess": false,
          "enableHttpsTrafficOnly": true,
          "kind": "StorageV2",
          "location": "westeurope",
          "minimumTlsVersion": "TLS1_2",
          "resourceGroupName": "theirs",
          "sku": {
            "name": "Standard_LRS",
          },
          "tags": {
            "team": "a",
          },
        },
      }
    `);
    expect(calls).toEqual([]);
  });

  it("needs no key", async () => {
    const { value } = await valueOf((await make(args)).result.options);
    expect(value).toEqual({
      accountName: "images",
      container: "team-a",
      rootDirectory: "/a",
      credentials: { type: "default_credentials" },
    });
  });
});

it("gives the user's provider to every child and call, and says whose child it is", async () => {
  for (const options of [
    { location: "westeurope" },
    { location: "westeurope", principalId: "11111111-2222-3333-4444-555555555555" },
  ]) {
    const { resources, calls } = await mocked(() => {
      const provider = new Provider("theirs");
      return new AzureStore("store", { options }, { provider });
    }, clouds);
    const children = resources.filter(({ type }) => type.startsWith("azure-native:"));
    expect(children.length).toBeGreaterThanOrEqual(4);
    for (const { provider } of [...children, ...calls]) {
      expect(provider).toContain("pulumi:providers:azure-native::theirs::");
    }
    for (const { parent } of children) {
      expect(parent).toContain("container-registry:index:AzureStore::store");
    }
  }
});

it("keeps its options out of state", async () => {
  const { components } = await make({ options: { location: "westeurope" } });
  expect(components.map(({ type, inputs }) => ({ type, inputs }))).toEqual([
    { type: "container-registry:index:AzureStore", inputs: {} },
  ]);
});

it("refuses wrong options before it makes anything", async () => {
  await expect(make({ options: { accountName: "Images", serviceUrl: "https://example.com" } })).rejects.toThrow(
    /storage\.azure\.serviceUrl: is filled by[^]*storage\.azure\.accountName: "Images" is not[^]*storage\.azure\.location: is missing/,
  );
});
