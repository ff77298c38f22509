import { Provider } from "@pulumi/azure-native/provider";
import { AcrRegistry, AcrRegistryArgs, AcrSku } from "../../components";
import { acrToken } from "../../components/managed/acrChecks";
import { asked, clouds } from "../support/clouds";
import { mocked, valueOf } from "../support/mocks";

let answer: jest.SpiedFunction<typeof fetch>;

beforeEach(() => {
  answer = jest
    .spyOn(globalThis, "fetch")
    .mockImplementation(() => Promise.resolve(Response.json({ refresh_token: "the-registry-token" })));
});

afterEach(() => {
  answer.mockRestore();
});

const make = (args: AcrRegistryArgs) => mocked(() => new AcrRegistry("registry", args), clouds);

/** Everything that can be asked for. */
const full: AcrRegistryArgs = {
  acr: {
    name: "images",
    resourceGroup: "team",
    location: "westeurope",
    sku: AcrSku.Premium,
    zoneRedundancy: true,
    untaggedDays: 3,
    readers: ["group:11111111-2222-3333-4444-555555555555"],
    writers: ["servicePrincipal:22222222-2222-3333-4444-555555555555"],
    mirrorPrefix: "hub",
    mirrorVault: "/subscriptions/1/resourceGroups/vaults/providers/Microsoft.KeyVault/vaults/logins",
    tags: { team: "a" },
  },
  garbageCollection: { deleteUntagged: true },
  mirror: { username: "us", password: "the-upstream-password" },
  lab: true,
};

describe("a registry in Azure", () => {
  it("is made without an admin user, in a resource group of its own, with nothing but a location given", async () => {
    const { resources } = await make({ acr: { location: "westeurope" } });
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "RandomString registry-suffix": {
          "length": 12,
          "special": false,
          "upper": false,
        },
        "Registry registry-registry": {
          "$protect": true,
          "$retainOnDelete": true,
          "adminUserEnabled": false,
          "anonymousPullEnabled": false,
          "location": "westeurope",
          "networkRuleBypassOptions": "AzureServices",
          "publicNetworkAccess": "Enabled",
          "registryName": "registryabc123def456",
          "resourceGroupName": "registry-group1234abcd",
          "sku": {
            "name": "Standard",
          },
          "zoneRedundancy": "Disabled",
        },
        "ResourceGroup registry-group": {
          "$protect": true,
          "$retainOnDelete": true,
          "location": "westeurope",
        },
      }
    `);
  });

  it("has everything that can be asked for", async () => {
    const { resources } = await make(full);
    expect(asked(resources)).toMatchInlineSnapshot(`
      {
        "CacheRule registry-mirror": {
          "cacheRuleName": "mirror",
          "credentialSetResourceId": "registry-upstream-login-id",
          "registryName": "images",
          "resourceGroupName": "team",
          "sourceRepository": "docker.io/*",
          "targetRepository": "hub/*",
        },
        "CredentialSet registry-upstream-login": {
          "authCredentials": [
            {
              "name": "Credential1",
              "passwordSecretIdentifier": "https://logins.vault.azure.net/secrets/registry-upstream-password",
              "usernameSecretIdentifier": "https://logins.vault.azure.net/secrets/registry-upstream-username",
            },
          ],
          "credentialSetName": "mirror",
          "identity": {
            "type": "SystemAssigned",
          },
          "loginServer": "docker.io",
          "registryName": "images",
          "resourceGroupName": "team",
        },
        "Registry registry-registry": {
          "adminUserEnabled": false,
          "anonymousPullEnabled": false,
          "location": "westeurope",
          "networkRuleBypassOptions": "AzureServices",
          "policies": {
            "retentionPolicy": {
              "days": 3,
              "status": "enabled",
            },
          },
          "publicNetworkAccess": "Enabled",
          "registryName": "images",
          "resourceGroupName": "team",
          "sku": {
            "name": "Premium",
          },
          "tags": {
            "team": "a",
          },
          "zoneRedundancy": "Enabled",
        },
        "RoleAssignment registry-reader-group:11111111-2222-3333-4444-555555555555": {
          "principalId": "11111111-2222-3333-4444-555555555555",
          "principalType": "Group",
          "roleDefinitionId": "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d",
          "scope": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/team/providers/Microsoft.ContainerRegistry/registries/images",
        },
        "RoleAssignment registry-upstream-access": {
          "principalId": "of-the-set",
          "principalType": "ServicePrincipal",
          "roleDefinitionId": "/subscriptions/1/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6",
          "scope": "/subscriptions/1/resourceGroups/vaults/providers/Microsoft.KeyVault/vaults/logins",
        },
        "RoleAssignment registry-writer-servicePrincipal:22222222-2222-3333-4444-555555555555": {
          "principalId": "22222222-2222-3333-4444-555555555555",
          "principalType": "ServicePrincipal",
          "roleDefinitionId": "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Authorization/roleDefinitions/8311e382-0749-4cb8-b61a-304f252e45ec",
          "scope": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/team/providers/Microsoft.ContainerRegistry/registries/images",
        },
        "Secret registry-upstream-password": {
          "properties": {
            "value": {
              "secret": "the-upstream-password",
            },
          },
          "resourceGroupName": "vaults",
          "secretName": "registry-upstream-password",
          "vaultName": "logins",
        },
        "Secret registry-upstream-username": {
          "properties": {
            "value": {
              "secret": "us",
            },
          },
          "resourceGroupName": "vaults",
          "secretName": "registry-upstream-username",
          "vaultName": "logins",
        },
      }
    `);
  });

  it("tells where to push and how to log in", async () => {
    const { result } = await make(full);
    expect(await valueOf(result.repositoryPrefix)).toEqual({ value: "images.azurecr.io", secret: false });
    expect((await valueOf(result.endpoint)).value).toBe("https://images.azurecr.io");
    expect((await valueOf(result.mirrorRepositoryPrefix)).value).toBe("images.azurecr.io/hub");
    expect((await valueOf(result.loginCommand)).value).toBe("az acr login --name images");
    expect(await valueOf(result.password)).toEqual({ value: "the-registry-token", secret: true });
    expect(await valueOf(result.credentials)).toEqual({
      value: { "00000000-0000-0000-0000-000000000000": "the-registry-token" },
      secret: true,
    });
  });

  it("gives the user's provider to every child and call", async () => {
    const { resources, calls } = await mocked(() => {
      const provider = new Provider("theirs", { location: "eastus" });
      return new AcrRegistry("registry", full, { provider });
    }, clouds);
    const children = resources.filter(({ name }) => name !== "theirs");
    expect(children).toHaveLength(8);
    expect(calls).toHaveLength(2);
    for (const { provider } of [...children, ...calls]) {
      expect(provider).toContain("pulumi:providers:azure-native::theirs::");
    }
  });

  it("has no secret in clear in state", async () => {
    const { resources, components } = await make(full);
    expect(components.map(({ inputs }) => inputs)).toEqual([{}]);
    const kept = resources.filter(({ type }) => type === "azure-native:keyvault:Secret").map(({ inputs }) => inputs.properties);
    expect(kept).toEqual([{ value: { secret: "the-upstream-password" } }, { value: { secret: "us" } }]);
  });

  it("names the login at the upstream as key vaults have it, whatever the component's name", async () => {
    const secretsOf = async (name: string): Promise<unknown[]> => {
      const { resources } = await mocked(() => new AcrRegistry(name, full), clouds);
      return resources.filter(({ type }) => type === "azure-native:keyvault:Secret").map(({ inputs }) => inputs.secretName);
    };
    const [underscored, dotted] = [await secretsOf("team_a.v1"), await secretsOf("team.a.v1")];
    expect(underscored).toEqual(["team-5fa-2ev1-upstream-password", "team-5fa-2ev1-upstream-username"]);
    expect(new Set([...underscored, ...dotted]).size).toBe(4);
    for (const secret of [...underscored, ...dotted]) {
      expect(secret).toMatch(/^[0-9a-zA-Z-]{1,127}$/);
    }
  });

  it("refuses wrong arguments before it makes anything", async () => {
    await expect(make({})).rejects.toThrow(/acr\.location: is missing/);
  });
});

describe("a token for docker login", () => {
  it("is traded for one of Azure's management, at the registry", async () => {
    expect(await acrToken("images.azurecr.io", "the-tenant", "the-azure-token")).toBe("the-registry-token");
    const [[url, request] = []] = answer.mock.calls;
    expect(url).toBe("https://images.azurecr.io/oauth2/exchange");
    expect(request?.method).toBe("POST");
    expect(Object.fromEntries(request?.body as URLSearchParams)).toEqual({
      grant_type: "access_token",
      service: "images.azurecr.io",
      tenant: "the-tenant",
      access_token: "the-azure-token",
    });
  });

  it("is not had by whoever may not use the registry, and the error has no token", async () => {
    answer.mockResolvedValue(new Response("the-azure-token is not welcome", { status: 401, statusText: "Unauthorized" }));
    await expect(acrToken("images.azurecr.io", "the-tenant", "the-azure-token")).rejects.toThrow(
      /^images\.azurecr\.io gives no token for the login that Pulumi uses: 401 Unauthorized$/,
    );
  });
});
