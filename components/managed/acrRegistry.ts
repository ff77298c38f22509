import type * as containerregistry from "@pulumi/azure-native/containerregistry";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { GarbageCollection, Mirror } from "../args/registry";
import { AcrOptions, AcrSku } from "../args/managed";
import { acrMirrorPrefix, acrProblems, AcrSettings, acrToken, acrTokenUser, principalOf, secretName, vaultOf } from "./acrChecks";
import { cloudModule } from "../cloud/cloudSdk";
import { upstreamHost } from "./checks";
import { nameOfApi } from "../checks/dockerHub";
import { readArguments, throwProblems } from "../checks/inputs";
import { holdsImages, onceMade } from "../cloud/provisioning";
import { managedOutputs } from "./outputs";

/** A registry in Azure. */
export interface AcrRegistryArgs {
  /** Where it is and who may use it; `location` or `resourceGroup` is required. */
  acr?: AcrOptions;
  /** `deleteUntagged`, with `Premium`; Azure has no rules for tags. Default: nothing is deleted. */
  garbageCollection?: GarbageCollection;
  /** A pull-through cache of another registry. Default: none. */
  mirror?: Mirror;
  /** Destroying the component deletes the images too. Default: `false`, the registry is protected. */
  lab?: boolean;
}

/** The same IDs in every tenant: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const roles = {
  pull: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
  push: "8311e382-0749-4cb8-b61a-304f252e45ec",
  readSecrets: "4633458b-17de-408a-b874-0445c86b69e6",
};

/** A registry in Azure Container Registry: private, without the shared admin user. */
export class AcrRegistry extends pulumi.ComponentResource {
  /** URL of the registry. */
  public readonly endpoint: pulumi.Output<string>;
  /** What goes before an image name: `registry1234.azurecr.io`. */
  public readonly repositoryPrefix: pulumi.Output<string>;
  /** User name for token logins, always 00000000-0000-0000-0000-000000000000. */
  public readonly username: pulumi.Output<string>;
  /** A token of the identity that Pulumi uses; another one after each `up`, valid for 3 hours. Secret. */
  public readonly password: pulumi.Output<string>;
  /** The token by the user's name. Secret. */
  public readonly credentials: pulumi.Output<Record<string, string>>;
  /** Empty: clients trust Microsoft's certificate. */
  public readonly caCertificate: pulumi.Output<string>;
  /** Shell command that logs Docker in with the Azure CLI. */
  public readonly loginCommand: pulumi.Output<string>;
  /** Says that nothing needs to be installed. */
  public readonly trustCommand: pulumi.Output<string>;
  /** `{}`: client engines need nothing. */
  public readonly daemonConfig: pulumi.Output<string>;
  /** Name of the service. */
  public readonly version: pulumi.Output<string>;
  /** What goes before the full name of an image of the mirror's upstream (`library/alpine`); empty without a mirror. */
  public readonly mirrorRepositoryPrefix: pulumi.Output<string>;

  constructor(name: string, args: AcrRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, the login at the mirror's upstream among them.
    super("container-registry:index:AcrRegistry", name, {}, opts);
    args = readArguments("AcrRegistry", args);
    const settings = { acr: args.acr ?? {}, garbageCollection: args.garbageCollection ?? {}, mirror: args.mirror };
    throwProblems(acrProblems(settings));
    const { acr } = settings;

    const registry = this.createRegistry(name, settings, args.lab ?? false);
    const granted = [
      ...(acr.readers ?? []).map((each) =>
        this.createGrant(`${name}-reader-${each}`, registry.id, principalOf(each), roles.pull),
      ),
      ...(acr.writers ?? []).map((each) =>
        this.createGrant(`${name}-writer-${each}`, registry.id, principalOf(each), roles.push),
      ),
    ];
    const inRegistry = { resourceGroupName: this.groupOf(registry), registryName: registry.name };
    const mirror = args.mirror === undefined ? [] : [this.createMirror(name, args.mirror, settings, inRegistry)];

    const { getClientConfigOutput, getClientTokenOutput } = cloudModule("@pulumi/azure-native/authorization");
    const { tenantId } = getClientConfigOutput({ parent: this });
    const { token } = pulumi.secret(getClientTokenOutput({}, { parent: this }));
    const host = onceMade(registry.loginServer, [...granted, ...mirror]);
    const prefix = acrMirrorPrefix(settings);
    const outputs = managedOutputs({
      host,
      username: acrTokenUser,
      password: pulumi.all([host, tenantId, token]).apply(([server, tenant, given]) => acrToken(server, tenant, given)),
      loginCommand: registry.name.apply((registryName) => `az acr login --name ${registryName}`),
      version: "Azure Container Registry",
      mirrorRepositoryPrefix: prefix === undefined ? undefined : pulumi.interpolate`${host}/${prefix}`,
    });
    this.endpoint = outputs.endpoint;
    this.repositoryPrefix = outputs.repositoryPrefix;
    this.username = outputs.username;
    this.password = outputs.password;
    this.credentials = outputs.credentials;
    this.caCertificate = outputs.caCertificate;
    this.loginCommand = outputs.loginCommand;
    this.trustCommand = outputs.trustCommand;
    this.daemonConfig = outputs.daemonConfig;
    this.version = outputs.version;
    this.mirrorRepositoryPrefix = outputs.mirrorRepositoryPrefix;
    this.registerOutputs(outputs);
  }

  private createRegistry(name: string, { acr, garbageCollection }: AcrSettings, lab: boolean): containerregistry.Registry {
    const { Registry } = cloudModule("@pulumi/azure-native/containerregistry");
    return new Registry(
      `${name}-registry`,
      {
        registryName: acr.name ?? this.createName(name),
        resourceGroupName: acr.resourceGroup ?? this.createResourceGroup(name, acr, lab),
        location: acr.location,
        sku: { name: acr.sku ?? AcrSku.Standard },
        adminUserEnabled: false,
        anonymousPullEnabled: false,
        zoneRedundancy: acr.zoneRedundancy === true ? "Enabled" : "Disabled",
        // Azure refuses the policy in another tier, even if it is off.
        policies:
          acr.sku === AcrSku.Premium
            ? {
                retentionPolicy: {
                  status: garbageCollection.deleteUntagged === true ? "enabled" : "disabled",
                  days: acr.untaggedDays ?? 7,
                },
              }
            : undefined,
        tags: acr.tags,
      },
      holdsImages(this, lab),
    );
  }

  private createResourceGroup(name: string, { location, tags }: AcrOptions, lab: boolean): pulumi.Output<string> {
    const { ResourceGroup } = cloudModule("@pulumi/azure-native/resources");
    // Deleting a group deletes everything in it, so it is kept like the registry.
    return new ResourceGroup(`${name}-group`, { location, tags }, holdsImages(this, lab)).name;
  }

  /** No other registry in Azure may have the name, which has no hyphens. */
  private createName(name: string): pulumi.Output<string> {
    const suffix = new random.RandomString(`${name}-suffix`, { length: 12, special: false, upper: false }, { parent: this });
    return pulumi.interpolate`registry${suffix.result}`;
  }

  /** A registry's ID begins with /subscriptions/<id>/resourceGroups/<name>. */
  private groupOf(registry: containerregistry.Registry): pulumi.Output<string> {
    return registry.id.apply((id) => id.split("/")[4] ?? "");
  }

  private createGrant(name: string, scope: pulumi.Input<string>, principal: Principal, role: string): pulumi.CustomResource {
    const { RoleAssignment } = cloudModule("@pulumi/azure-native/authorization");
    return new RoleAssignment(
      name,
      {
        ...principal,
        scope,
        roleDefinitionId: pulumi
          .output(scope)
          .apply((id) => `${id.split("/").slice(0, 3).join("/")}/providers/Microsoft.Authorization/roleDefinitions/${role}`),
      },
      { parent: this },
    );
  }

  private createMirror(name: string, mirror: Mirror, settings: AcrSettings, inRegistry: InRegistry): pulumi.CustomResource {
    const { CacheRule } = cloudModule("@pulumi/azure-native/containerregistry");
    const host = nameOfApi(upstreamHost(mirror));
    return new CacheRule(
      `${name}-mirror`,
      {
        ...inRegistry,
        cacheRuleName: "mirror",
        sourceRepository: `${host}/*`,
        targetRepository: `${acrMirrorPrefix(settings)}/*`,
        credentialSetResourceId:
          settings.acr.mirrorVault === undefined
            ? undefined
            : this.createUpstreamLogin(name, mirror, settings.acr.mirrorVault, host, inRegistry),
      },
      { parent: this },
    );
  }

  /** Azure reads a login from a key vault, with an identity of its own that may read it. */
  private createUpstreamLogin(
    name: string,
    { username, password }: Mirror,
    vault: string,
    loginServer: string,
    inRegistry: InRegistry,
  ): pulumi.Output<string> {
    const { CredentialSet } = cloudModule("@pulumi/azure-native/containerregistry");
    const { Secret } = cloudModule("@pulumi/azure-native/keyvault");
    const kept = (part: string, value: pulumi.Input<string>): pulumi.Output<string> => {
      const properties = { value: pulumi.secret(value) };
      const made = new Secret(
        `${name}-upstream-${part}`,
        { ...vaultOf(vault), secretName: secretName(`${name}-upstream-${part}`), properties },
        { parent: this },
      );
      return made.properties.apply(({ secretUri }) => secretUri);
    };
    const credentials = new CredentialSet(
      `${name}-upstream-login`,
      {
        ...inRegistry,
        credentialSetName: "mirror",
        loginServer,
        identity: { type: "SystemAssigned" },
        authCredentials: [
          {
            name: "Credential1",
            usernameSecretIdentifier: kept("username", username ?? ""),
            passwordSecretIdentifier: kept("password", password ?? ""),
          },
        ],
      },
      { parent: this },
    );
    const principalId = credentials.identity.apply((identity) => identity?.principalId ?? "");
    const access = this.createGrant(
      `${name}-upstream-access`,
      vault,
      { principalId, principalType: "ServicePrincipal" },
      roles.readSecrets,
    );
    return onceMade(credentials.id, [access]);
  }
}

interface Principal {
  principalId: pulumi.Input<string>;
  principalType: string;
}

interface InRegistry {
  resourceGroupName: pulumi.Output<string>;
  registryName: pulumi.Output<string>;
}
