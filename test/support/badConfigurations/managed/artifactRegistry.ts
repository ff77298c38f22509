import { BadConfiguration } from "../badConfiguration";

export const badArtifactRegistry: BadConfiguration[] = [
  {
    title: "Google without a place",
    config: { target: "artifact-registry" },
    problems: ["artifactRegistry.location: is missing; give a region such as europe-west3, or europe, us or asia"],
  },
  {
    title: "names and identities that Google does not know",
    config: {
      target: "artifact-registry",
      artifactRegistry: {
        location: "Frankfurt",
        project: "P",
        repository: "my_images",
        kmsKey: "key",
        readers: ["allUsers", "ci@example.com"],
        labels: { Team: "a", owner: "Über uns", größe: "übergroß_1" },
      },
    },
    problems: [
      'artifactRegistry.location: "Frankfurt" is not allowed; give a region such as europe-west3, or europe, us or asia',
      'artifactRegistry.project: "P" is not allowed; give a project\'s ID',
      'artifactRegistry.repository: "my_images" is not allowed; give 2 to 63 small letters, digits and hyphens, a letter first',
      'artifactRegistry.kmsKey: "key" is not allowed; give the key\'s name: projects/…/locations/…/keyRings/…/cryptoKeys/…',
      'artifactRegistry.readers[0]: "allUsers" is not allowed; give user:…, group:…, serviceAccount:…, domain:…, principal://… or principalSet://…; not allUsers, to whom it would be open',
      'artifactRegistry.readers[1]: "ci@example.com" is not allowed; give user:…, group:…, serviceAccount:…, domain:…, principal://… or principalSet://…; not allUsers, to whom it would be open',
      'artifactRegistry.labels.Team: "a" is not allowed; use small letters, digits, _ and - (63 in name and value, a letter first)',
      'artifactRegistry.labels.owner: "Über uns" is not allowed; use small letters, digits, _ and - (63 in name and value, a letter first)',
    ],
  },
  {
    title: "a repository whose mirror's would have too long a name",
    config: {
      target: "artifact-registry",
      artifactRegistry: { location: "europe", repository: `i${"m".repeat(56)}` },
      mirror: {},
    },
    problems: [
      "artifactRegistry.repository: has 57 characters, and the mirror's repository has that name and -mirror; give 56 at most",
    ],
  },
  {
    title: "an upstream of Google's with a port that no server has",
    config: {
      target: "artifact-registry",
      artifactRegistry: { location: "europe" },
      mirror: { upstream: "https://registry.example.com:99999" },
    },
    problems: [
      'mirror.upstream: "https://registry.example.com:99999" is not allowed; give a URL such as https://quay.io, without path',
    ],
  },
  {
    title: "rules that Google can't follow",
    config: {
      target: "artifact-registry",
      artifactRegistry: { location: "europe", immutableTags: false },
      garbageCollection: {
        deleteUntagged: true,
        alwaysKeepTags: ["latest"],
        retention: [
          { repositories: ["app"], keepNewest: 5 },
          { repositories: ["team-a/*"], keepTags: ["v*.0"] },
          { keepDays: 30 },
        ],
      },
    },
    problems: [
      'garbageCollection.alwaysKeepTags[0]: "latest" is not possible: Google keeps tags by how they begin; give a pattern such as "latest*"',
      "garbageCollection.deleteUntagged: can't be done while garbageCollection.retentionDryRun is true: Google tries out all of its policies or none",
      'garbageCollection.retention[0].repositories[0]: "app" is not possible: Google selects by how names begin, and this would select "app-2" too; give a prefix such as team-a/*',
      'garbageCollection.retention[1].keepTags[0]: "v*.0" is not possible: Google keeps tags by how they begin; give a pattern such as "v*"',
      "garbageCollection.retention[2]: names repositories of garbageCollection.retention[0] too, and for Google both rules would count; make them distinct",
    ],
  },
  {
    title: "rules for Google that name no tag to keep",
    config: {
      target: "artifact-registry",
      artifactRegistry: { location: "europe", immutableTags: false },
      garbageCollection: { retention: [{ keepTags: [] }], alwaysKeepTags: [] },
    },
    problems: [
      "garbageCollection.retention[0].keepTags: is empty; name tags, or leave it out",
      "garbageCollection.alwaysKeepTags: is empty; name tags, or leave it out",
    ],
  },
  {
    title: "a try for Google without a rule",
    config: {
      target: "artifact-registry",
      artifactRegistry: { location: "europe" },
      garbageCollection: { retentionDryRun: true },
    },
    problems: ["garbageCollection.retentionDryRun: needs garbageCollection.retention; without rules no tag is deleted"],
  },
  {
    title: "more rules than Google takes",
    config: {
      target: "artifact-registry",
      artifactRegistry: { location: "europe", immutableTags: false },
      garbageCollection: {
        retention: [
          { repositories: ["a/*"], keepNewest: 1 },
          { repositories: ["b/*"], keepNewest: 1 },
          { repositories: ["c/*"], keepNewest: 1 },
          { repositories: ["d/*"], keepNewest: 1 },
          { repositories: ["e/*"], keepNewest: 1 },
          { repositories: ["f/*"], keepNewest: 1 },
        ],
      },
    },
    problems: ["garbageCollection.retention: would be more than the 10 policies that Google allows"],
  },
  {
    title: "rules for tags that Google may not delete",
    config: {
      target: "artifact-registry",
      artifactRegistry: { location: "europe" },
      garbageCollection: { retention: [{ keepNewest: 10 }], retentionDryRun: false },
    },
    problems: [
      "artifactRegistry.immutableTags: true, the default, is not allowed with garbageCollection.retention: Google deletes no image that has an immutable tag; set it to false, or remove the rules",
    ],
  },
];
