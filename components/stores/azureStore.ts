import type * as azure from "@pulumi/azure-native/storage";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { cloudModule } from "../cloud/cloudSdk";
import { readArguments, throwProblems } from "../checks/inputs";
import { holdsImages, onceMade, staysWithImages } from "../cloud/provisioning";
import { storageProblems } from "../checks/storage";
import { AzureStorage } from "../args/storage";

/** A blob container in Azure for a registry. */
export interface AzureStoreArgs {
  /** The driver's options, as in `storage.azure`; `location` or `resourceGroup` is required. */
  options: AzureStorage;
  /** Tags of all resources that are created. */
  tags?: Record<string, string>;
  /** `true`: destroying the component deletes the images too. Default: false: account and container are protected. */
  lab?: boolean;
}

/** Storage Blob Data Contributor: reads, writes and deletes blobs, and signs URLs to them. The same ID in every tenant. */
const blobDataContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

/** A private blob container in a storage account of its own, and access to it: the account's key, or a managed identity. */
export class AzureStore extends pulumi.ComponentResource {
  /** Name of the storage account. */
  public readonly accountName: pulumi.Output<string>;
  /** Name of the blob container. */
  public readonly container: pulumi.Output<string>;
  /** The driver's options, completed. Secret. */
  public readonly options: pulumi.Output<AzureStorage>;

  constructor(name: string, args: AzureStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state.
    super("container-registry:index:AzureStore", name, {}, opts);
    args = readArguments("AzureStore", args);
    throwProblems(storageProblems({ driver: "azure", provision: true, tags: args.tags, azure: args.options }));
    const { resourceGroup, location, principalId, ...options } = args.options;
    const lab = args.lab ?? false;
    const { tags } = args;
    const { BlobContainer, BlobServiceProperties } = cloudModule("@pulumi/azure-native/storage");

    const resourceGroupName = resourceGroup ?? this.createResourceGroup(name, location, tags, lab);
    const account = this.createAccount(name, resourceGroupName, args);
    const inAccount = { resourceGroupName, accountName: account.name };
    const blobs = new BlobServiceProperties(
      `${name}-blobs`,
      {
        ...inAccount,
        blobServicesName: "default",
        // Versions and deleted blobs would be kept and billed, so that garbage collection would free nothing. Blobs never
        // change, so there is no older content to go back to. The registry never deletes its container: the week
        // is for somebody else's mistake.
        isVersioningEnabled: false,
        deleteRetentionPolicy: { enabled: false },
        containerDeleteRetentionPolicy: { enabled: true, days: 7 },
      },
      staysWithImages(this, lab),
    );
    const container = new BlobContainer(
      `${name}-container`,
      { ...inAccount, containerName: options.container ?? "registry", publicAccess: "None" },
      holdsImages(this, lab),
    );

    this.accountName = onceMade(account.name, [blobs]);
    this.container = container.name;
    const access = principalId === undefined ? this.readAccountKey(inAccount) : this.grantIdentity(name, account, principalId);
    this.options = pulumi.secret(
      pulumi.all([this.accountName, this.container, access]).apply(([accountName, containerName, credentials]) => ({
        ...options,
        ...credentials,
        accountName,
        container: containerName,
      })),
    );
    this.registerOutputs({ accountName: this.accountName, container: this.container, options: this.options });
  }

  private createAccount(
    name: string,
    resourceGroupName: pulumi.Input<string>,
    { options: { accountName, location, principalId }, tags, lab = false }: AzureStoreArgs,
  ): azure.StorageAccount {
    const { StorageAccount } = cloudModule("@pulumi/azure-native/storage");
    return new StorageAccount(
      `${name}-account`,
      {
        resourceGroupName,
        accountName: accountName ?? this.createAccountName(name),
        location,
        tags,
        kind: "StorageV2",
        sku: { name: "Standard_LRS" },
        enableHttpsTrafficOnly: true,
        minimumTlsVersion: "TLS1_2",
        allowBlobPublicAccess: false,
        allowCrossTenantReplication: false,
        // Off, unless it is how the registry logs in.
        allowSharedKeyAccess: principalId === undefined,
      },
      holdsImages(this, lab),
    );
  }

  private createResourceGroup(
    name: string,
    location: string | undefined,
    tags: AzureStoreArgs["tags"],
    lab: boolean,
  ): pulumi.Output<string> {
    const { ResourceGroup } = cloudModule("@pulumi/azure-native/resources");
    // Deleting a group deletes everything in it, so it is kept like the account.
    return new ResourceGroup(`${name}-group`, { location, tags }, holdsImages(this, lab)).name;
  }

  /** The name must be unique in the world, and has no room for the component's. */
  private createAccountName(name: string): pulumi.Output<string> {
    const suffix = new random.RandomString(`${name}-suffix`, { length: 12, special: false, upper: false }, { parent: this });
    return pulumi.interpolate`registry${suffix.result}`;
  }

  private readAccountKey(account: azure.ListStorageAccountKeysOutputArgs): pulumi.Output<Access> {
    const { listStorageAccountKeysOutput } = cloudModule("@pulumi/azure-native/storage");
    // The provider does not call the keys a secret.
    const found = pulumi.secret(listStorageAccountKeysOutput(account, { parent: this }));
    return found.apply(({ keys }) => ({ accountKey: keys[0]?.value, credentials: { type: "shared_key" } }));
  }

  /** Access for a managed identity, to the whole account, which has nothing else in it: Azure gives a key to sign URLs for no less. */
  private grantIdentity(name: string, account: azure.StorageAccount, principalId: string): pulumi.Output<Access> {
    const { RoleAssignment } = cloudModule("@pulumi/azure-native/authorization");
    const assignment = new RoleAssignment(
      `${name}-access`,
      {
        scope: account.id,
        principalId,
        principalType: "ServicePrincipal",
        // The account's own ID begins with /subscriptions/<id>.
        roleDefinitionId: account.id.apply(
          (id) =>
            `${id.split("/").slice(0, 3).join("/")}/providers/Microsoft.Authorization/roleDefinitions/${blobDataContributor}`,
        ),
      },
      { parent: this },
    );
    return onceMade({ credentials: { type: "default_credentials" } }, [assignment]);
  }
}

type Access = Pick<AzureStorage, "accountKey" | "credentials">;
