import { GarbageCollection, Mirror, RetentionRule } from "../args/registry";
import { ArtifactRegistryOptions } from "../args/managed";
import { identityProblems, Login, managedMirrorProblems, referrerTags, scheduleProblems, Upstream } from "./checks";
import { tagRetentionProblems } from "../checks/garbageCollection";
import { Problem, shown } from "../checks/problems";
import { names } from "../checks/repositories";
import { googleTags, tagProblems } from "../checks/storage/tags";
import { lists, texts, when } from "../checks/rules";

/** Everything that a registry in Google's Artifact Registry is made from. */
export interface ArtifactRegistrySettings {
  artifactRegistry: ArtifactRegistryOptions;
  garbageCollection: GarbageCollection;
  mirror?: Mirror;
}

/** https://cloud.google.com/artifact-registry/docs/repositories/remote-overview: any registry over TLS. */
const upstreams: readonly Upstream[] = [{ host: "*", prefix: "", login: Login.Possible }];

/** All that is wrong with the settings of a registry in Google's Artifact Registry. */
export function artifactRegistryProblems({
  artifactRegistry: options,
  garbageCollection,
  mirror,
}: ArtifactRegistrySettings): Problem[] {
  const { repository = "" } = options;
  const member = /^(user|group|serviceAccount|domain|principal|principalSet):\S+$/;
  const memberRule =
    "user:…, group:…, serviceAccount:…, domain:…, principal://… or principalSet://…; not allUsers, to whom it would be open";
  return [
    ...when(
      options.location === undefined,
      "artifactRegistry.location",
      "is missing; give a region such as europe-west3, or europe, us or asia",
    ),
    ...texts(
      "artifactRegistry.",
      { location: options.location },
      /^[a-z]+(-[a-z]+\d+)?$/,
      "a region such as europe-west3, or europe, us or asia",
    ),
    ...texts(
      "artifactRegistry.",
      { project: options.project },
      /^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
      "a project's ID",
    ),
    ...texts(
      "artifactRegistry.",
      { repository: options.repository },
      repositoryId,
      "2 to 63 small letters, digits and hyphens, a letter first",
    ),
    ...when(
      mirror !== undefined && repositoryId.test(repository) && !repositoryId.test(mirrorIdOf(repository)),
      "artifactRegistry.repository",
      `has ${repository.length} characters, and the mirror's repository has that name and -mirror; give 56 at most`,
    ),
    ...texts(
      "artifactRegistry.",
      { kmsKey: options.kmsKey },
      /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/,
      "the key's name: projects/…/locations/…/keyRings/…/cryptoKeys/…",
    ),
    ...lists("artifactRegistry.", { readers: options.readers }, member, memberRule),
    ...lists("artifactRegistry.", { writers: options.writers }, member, memberRule),
    ...identityProblems("artifactRegistry", options.readers, options.writers),
    ...tagProblems("artifactRegistry.labels", options.labels, googleTags),
    ...retentionProblems(garbageCollection),
    ...when(
      (garbageCollection.retention ?? []).length > 0 && options.immutableTags !== false,
      "artifactRegistry.immutableTags",
      "true, the default, is not allowed with garbageCollection.retention: Google deletes no image that has an immutable tag; set it to false, or remove the rules",
    ),
    ...managedMirrorProblems("Google", mirror, upstreams, "Google keeps what it fetched, and looks for newer images by itself"),
  ];
}

const repositoryId = /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** The component's name as the ID of a repository. */
export function repositoryIdOf(name: string): string {
  const id = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 50)
    .replace(/-+$/, "");
  return repositoryId.test(id) ? id : "registry";
}

/** The ID of the mirror's repository, beside the one with this ID. */
export function mirrorIdOf(id: string): string {
  return `${id}-mirror`;
}

/** Google selects tags and repositories by their prefixes. */
const isPrefix = (pattern: string): boolean => /^[^*]*\*$/.test(pattern);

/** All of Google's policies apply at once, so two rules for one repository would combine into a third. */
function retentionProblems(collection: GarbageCollection): Problem[] {
  const key = "garbageCollection";
  const rules = collection.retention ?? [];
  const tags = (at: string, patterns: readonly string[] = []): Problem[] =>
    patterns.flatMap((pattern, index) =>
      when(
        !isPrefix(pattern),
        `${at}[${index}]`,
        `${shown(pattern)} is not possible: Google keeps tags by how they begin; give a pattern such as ${shown(`${pattern.split("*")[0]}*`)}`,
      ),
    );
  return [
    ...scheduleProblems("artifact-registry", "Google collects by itself, once a day or so", collection),
    ...tagRetentionProblems(collection),
    ...tags(`${key}.alwaysKeepTags`, collection.alwaysKeepTags),
    ...when(
      rules.length > 0 && collection.deleteUntagged === true && collection.retentionDryRun !== false,
      `${key}.deleteUntagged`,
      `can't be done while ${key}.retentionDryRun is true: Google tries out all of its policies or none`,
    ),
    ...rules.flatMap((rule, index) => {
      const at = `${key}.retention[${index}]`;
      const patterns = rule.repositories ?? ["*"];
      const earlier = rules.slice(0, index).findIndex((other) => overlap(patterns, other.repositories ?? ["*"]));
      return [
        ...tags(`${at}.keepTags`, rule.keepTags),
        ...patterns.flatMap((pattern, place) =>
          when(
            !isPrefix(pattern),
            `${at}.repositories[${place}]`,
            `${shown(pattern)} is not possible: Google selects by how names begin, and this would select ${shown(`${pattern}-2`)} too; give a prefix such as team-a/*`,
          ),
        ),
        ...when(
          earlier >= 0,
          at,
          `names repositories of ${key}.retention[${earlier}] too, and for Google both rules would count; make them distinct`,
        ),
      ];
    }),
    ...when(
      Object.keys(cleanupPolicies(collection)).length > 10,
      `${key}.retention`,
      "would be more than the 10 policies that Google allows",
    ),
  ];
}

function overlap(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => others.some((other) => names(one, other) || names(other, one)));
}

/** One of Google's cleanup policies; policies that keep win over those that delete. */
export interface CleanupPolicy {
  id: string;
  action: string;
  condition?: {
    tagState?: string;
    tagPrefixes?: string[];
    packageNamePrefixes?: string[];
    newerThan?: string;
    olderThan?: string;
  };
  mostRecentVersions?: { keepCount: number; packageNamePrefixes?: string[] };
}

/** https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview */
export function cleanupPolicies(collection: GarbageCollection): CleanupPolicy[] {
  const always = [...(collection.alwaysKeepTags ?? []), ...((collection.retention ?? []).length === 0 ? [] : [referrerTags])];
  return [
    // The newest untagged manifests are left alone: a push sends an image's manifests first and its tag last.
    ...(collection.deleteUntagged === true
      ? [{ id: "untagged", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: `${daySeconds}s` } }]
      : []),
    ...(collection.retention ?? []).flatMap((rule, index) => policiesOf(`rule-${index + 1}`, rule)),
    ...(always.length === 0
      ? []
      : [{ id: "always", action: "KEEP", condition: { tagState: "TAGGED", ...limited("tagPrefixes", always) } }]),
  ];
}

const daySeconds = 24 * 60 * 60;

function policiesOf(id: string, { repositories, keepNewest, keepDays, keepTags }: RetentionRule): CleanupPolicy[] {
  const selected = limited("packageNamePrefixes", repositories ?? ["*"]);
  return [
    { id: `${id}-delete`, action: "DELETE", condition: { tagState: "TAGGED", ...selected } },
    ...(keepNewest === undefined
      ? []
      : [{ id: `${id}-newest`, action: "KEEP", mostRecentVersions: { keepCount: keepNewest, ...selected } }]),
    ...(keepDays === undefined
      ? []
      : [
          {
            id: `${id}-days`,
            action: "KEEP",
            condition: { tagState: "TAGGED", newerThan: `${keepDays * daySeconds}s`, ...selected },
          },
        ]),
    ...(keepTags === undefined
      ? []
      : [
          {
            id: `${id}-tags`,
            action: "KEEP",
            condition: { tagState: "TAGGED", ...limited("tagPrefixes", keepTags), ...selected },
          },
        ]),
  ];
}

/** The prefixes that patterns stand for; `*` sets no limit. */
function limited(key: "tagPrefixes" | "packageNamePrefixes", patterns: readonly string[]): Partial<Record<typeof key, string[]>> {
  return patterns.includes("*") ? {} : { [key]: patterns.map((pattern) => pattern.slice(0, -1)) };
}
