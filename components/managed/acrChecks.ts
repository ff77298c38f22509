import { GarbageCollection, Mirror } from "../args/registry";
import { AcrOptions, AcrSku } from "../args/managed";
import {
  identityProblems,
  Login,
  managedMirrorProblems,
  mirrorPrefixProblems,
  scheduleProblems,
  Upstream,
  upstreamOf,
} from "./checks";
import { hubApi } from "../checks/dockerHub";
import { azureLocation, resourceGroup } from "../checks/storage/azure";
import { azureTags, tagProblems } from "../checks/storage/tags";
import { Problem } from "../checks/problems";
import { lists, oneOf, texts, when, wholeNumbers } from "../checks/rules";

/** Everything that a registry in Azure is made from. */
export interface AcrSettings {
  acr: AcrOptions;
  garbageCollection: GarbageCollection;
  mirror?: Mirror;
}

/** https://learn.microsoft.com/azure/container-registry/artifact-cache-overview */
const acrUpstreams: readonly Upstream[] = [
  { host: hubApi, prefix: "docker-hub", login: Login.Needed },
  { host: "mcr.microsoft.com", prefix: "microsoft", login: Login.None },
  { host: "public.ecr.aws", prefix: "ecr-public", login: Login.None },
  { host: "ghcr.io", prefix: "github", login: Login.Possible },
  { host: "quay.io", prefix: "quay", login: Login.Possible },
  { host: "registry.k8s.io", prefix: "kubernetes", login: Login.None },
];

/** First part of the names of images that come through the mirror. */
export function acrMirrorPrefix({ acr, mirror }: AcrSettings): string | undefined {
  return mirror === undefined ? undefined : (acr.mirrorPrefix ?? upstreamOf(mirror, acrUpstreams)?.prefix);
}

const vaultId = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/Microsoft\.KeyVault\/vaults\/([^/]+)$/i;

/** Resource group and name of a key vault, from its resource ID. */
export function vaultOf(id: string): { resourceGroupName: string; vaultName: string } {
  const [, resourceGroupName = "", vaultName = ""] = vaultId.exec(id) ?? [];
  return { resourceGroupName, vaultName };
}

/**
 * The name of a secret in a key vault, which may have letters, digits and hyphens. Other characters become their numbers,
 * because stacks that share a vault may be called `a_b` and `a-b`.
 */
export function secretName(name: string): string {
  return name.replace(/[^0-9a-zA-Z-]/gu, (each) => `-${each.codePointAt(0)?.toString(16)}`);
}

const principal = /^(user|group|servicePrincipal):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The identity that `group:<object ID>` names; Azure needs to know its kind too. */
export function principalOf(text: string): { principalId: string; principalType: string } {
  const [, kind = "", principalId = ""] = principal.exec(text) ?? [];
  return { principalId, principalType: `${kind.charAt(0).toUpperCase()}${kind.slice(1)}` };
}

/** All that is wrong with the settings of a registry in Azure. */
export function acrProblems(settings: AcrSettings): Problem[] {
  const { acr, garbageCollection, mirror } = settings;
  const principalRule = "user:<object ID>, group:<object ID> or servicePrincipal:<object ID>, which is a managed identity too";
  const sku = acr.sku ?? AcrSku.Standard;
  const premium = sku === AcrSku.Premium;
  const needsPremium = `needs acr.sku Premium, and that is ${sku}`;
  return [
    ...texts("acr.", { name: acr.name }, /^[a-zA-Z0-9]{5,50}$/, "5 to 50 letters and digits"),
    ...texts("acr.", { resourceGroup: acr.resourceGroup }, resourceGroup.allowed, resourceGroup.remedy),
    ...texts("acr.", { location: acr.location }, azureLocation.allowed, azureLocation.remedy),
    ...when(
      acr.location === undefined && acr.resourceGroup === undefined,
      "acr.location",
      "is missing; a resource group is made there, unless acr.resourceGroup names one",
    ),
    ...oneOf("acr.", { sku }, Object.values(AcrSku)),
    ...when(acr.zoneRedundancy === true && !premium, "acr.zoneRedundancy", needsPremium),
    ...when(
      acr.untaggedDays !== undefined && garbageCollection.deleteUntagged !== true,
      "acr.untaggedDays",
      "needs garbageCollection.deleteUntagged true",
    ),
    ...wholeNumbers("acr.", { untaggedDays: acr.untaggedDays }, 0, 365),
    ...lists("acr.", { readers: acr.readers }, principal, principalRule),
    ...lists("acr.", { writers: acr.writers }, principal, principalRule),
    ...identityProblems("acr", acr.readers, acr.writers),
    ...tagProblems("acr.tags", acr.tags, azureTags),
    ...scheduleProblems("acr", "Azure collects by itself", garbageCollection),
    ...when(garbageCollection.deleteUntagged === true && !premium, "garbageCollection.deleteUntagged", needsPremium),
    ...when(
      garbageCollection.retention !== undefined,
      "garbageCollection.retention",
      "is not supported by Azure, which deletes untagged manifests only; delete tags with az acr run and acr purge",
    ),
    ...(["alwaysKeepTags", "retentionDryRun"] as const).flatMap((key) =>
      when(
        garbageCollection[key] !== undefined,
        `garbageCollection.${key}`,
        "has no meaning for target acr: Azure knows no rules for tags",
      ),
    ),
    ...managedMirrorProblems(
      "Azure",
      mirror,
      acrUpstreams,
      "Azure keeps what it fetched, and asks the upstream for a tag's digest at every pull",
    ),
    ...vaultProblems(acr, mirror),
  ];
}

function vaultProblems(acr: AcrOptions, mirror: Mirror | undefined): Problem[] {
  const needed = mirror?.username !== undefined;
  return [
    ...mirrorPrefixProblems("acr.", acr, mirror),
    ...when(
      needed && acr.mirrorVault === undefined,
      "acr.mirrorVault",
      "is missing; Azure reads the login at the upstream from a key vault",
    ),
    ...when(
      !needed && acr.mirrorVault !== undefined,
      "acr.mirrorVault",
      "needs mirror.username and mirror.password, which are put there",
    ),
    ...texts(
      "acr.",
      { mirrorVault: acr.mirrorVault },
      vaultId,
      "the vault's resource ID: /subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/<name>",
    ),
  ];
}

/** The user name for a login with a token of Microsoft Entra. */
export const acrTokenUser = "00000000-0000-0000-0000-000000000000";

/**
 * Exchanges a token for Azure's management API for one for docker login, as `az acr login` does. The new one is valid for three hours.
 * https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
 */
export async function acrToken(loginServer: string, tenant: string, accessToken: string): Promise<string> {
  const answer = await fetch(`https://${loginServer}/oauth2/exchange`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "access_token", service: loginServer, tenant, access_token: accessToken }),
    signal: AbortSignal.timeout(60_000),
  });
  if (!answer.ok) {
    // Without the body of the response: it may repeat what was sent.
    throw new Error(`${loginServer} gives no token for the login that Pulumi uses: ${answer.status} ${answer.statusText}`);
  }
  return ((await answer.json()) as { refresh_token: string }).refresh_token;
}
