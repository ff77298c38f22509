import { BadConfiguration } from "../badConfiguration";

export const badAcr: BadConfiguration[] = [
  {
    title: "Azure without a place",
    config: { target: "acr" },
    problems: ["acr.location: is missing; a resource group is made there, unless acr.resourceGroup names one"],
  },
  {
    title: "names and identities that Azure does not know",
    config: {
      target: "acr",
      acr: {
        name: "my-registry",
        resourceGroup: "/subscriptions/1",
        location: "West Europe",
        sku: "Free",
        readers: ["11111111-2222-3333-4444-555555555555"],
      },
    },
    problems: [
      'acr.name: "my-registry" is not allowed; give 5 to 50 letters and digits',
      'acr.resourceGroup: "/subscriptions/1" is not allowed; give the name of a resource group, not its ID',
      'acr.location: "West Europe" is not allowed; give a region as Azure\'s command line names it, such as westeurope',
      'acr.sku: "Free" is not allowed; choose Basic, Standard, Premium',
      'acr.readers[0]: "11111111-2222-3333-4444-555555555555" is not allowed; give user:<object ID>, group:<object ID> or servicePrincipal:<object ID>, which is a managed identity too',
    ],
  },
  {
    title: "what only Premium has",
    config: { target: "acr", acr: { location: "westeurope", zoneRedundancy: true }, garbageCollection: { deleteUntagged: true } },
    problems: [
      "acr.zoneRedundancy: needs acr.sku Premium, and that is Standard",
      "garbageCollection.deleteUntagged: needs acr.sku Premium, and that is Standard",
    ],
  },
  {
    title: "rules for tags in Azure",
    config: {
      target: "acr",
      acr: { location: "westeurope", untaggedDays: 366 },
      garbageCollection: { schedule: "@daily", retention: [{ keepNewest: 5 }], alwaysKeepTags: ["v*"], retentionDryRun: false },
    },
    problems: [
      "acr.untaggedDays: needs garbageCollection.deleteUntagged true",
      "acr.untaggedDays: 366 is not allowed; give a whole number from 0 to 365",
      "garbageCollection.schedule: has no meaning for target acr: Azure collects by itself",
      "garbageCollection.retention: is not supported by Azure, which deletes untagged manifests only; delete tags with az acr run and acr purge",
      "garbageCollection.alwaysKeepTags: has no meaning for target acr: Azure knows no rules for tags",
      "garbageCollection.retentionDryRun: has no meaning for target acr: Azure knows no rules for tags",
    ],
  },
  {
    title: "a login at the upstream and no vault",
    config: { target: "acr", acr: { location: "westeurope" }, mirror: { username: "us", password: "MARKER" } },
    problems: ["acr.mirrorVault: is missing; Azure reads the login at the upstream from a key vault"],
  },
  {
    title: "a vault and no login at the upstream",
    config: {
      target: "acr",
      acr: { location: "westeurope", mirrorVault: "logins", mirrorPrefix: "hub" },
      mirror: { upstream: "https://mcr.microsoft.com" },
    },
    problems: [
      "acr.mirrorVault: needs mirror.username and mirror.password, which are put there",
      'acr.mirrorVault: "logins" is not allowed; give the vault\'s resource ID: /subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/<name>',
    ],
  },
  {
    title: "a tag that Azure does not take, and an upstream with a port that no server has",
    config: {
      target: "acr",
      acr: { location: "westeurope", tags: { "team/a": "b" } },
      mirror: { upstream: "https://mcr.microsoft.com:99999" },
    },
    problems: [
      'acr.tags.team/a: "b" is not allowed; use 512 letters in the name without <>%&\\?/, 256 in the value',
      'mirror.upstream: "https://mcr.microsoft.com:99999" is not allowed; give a URL such as https://quay.io, without path',
    ],
  },
  {
    title: "an upstream that Azure does not know",
    config: { target: "acr", acr: { location: "westeurope" }, mirror: { upstream: "https://registry.gitlab.com" } },
    problems: [
      "mirror.upstream: Azure can't fetch from registry.gitlab.com; it can from registry-1.docker.io, mcr.microsoft.com, public.ecr.aws, ghcr.io, quay.io, registry.k8s.io",
    ],
  },
];
