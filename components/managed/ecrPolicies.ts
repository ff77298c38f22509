import { GarbageCollection, ImageBuild, Mirror, RetentionRule } from "../args/registry";
import { EcrOptions } from "../args/managed";
import {
  identityProblems,
  Login,
  managedMirrorProblems,
  mirrorPrefixProblems,
  referrerTags,
  scheduleProblems,
  Upstream,
  upstreamOf,
} from "./checks";
import { hubApi } from "../checks/dockerHub";
import { tagRetentionProblems } from "../checks/garbageCollection";
import { Problem, shown } from "../checks/problems";
import { names, repositoryOrPrefix } from "../checks/repositories";
import { awsRegion, kmsKeyArn } from "../checks/storage/s3";
import { awsTags, tagProblems } from "../checks/storage/tags";
import { distinct, lists, texts, when } from "../checks/rules";

/** Everything that a registry in ECR is made from. */
export interface EcrSettings {
  ecr: EcrOptions;
  garbageCollection: GarbageCollection;
  mirror?: Mirror;
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html */
const ecrUpstreams: readonly Upstream[] = [
  { host: hubApi, prefix: "docker-hub", login: Login.Needed },
  { host: "public.ecr.aws", prefix: "ecr-public", login: Login.None },
  { host: "registry.k8s.io", prefix: "kubernetes", login: Login.None },
  { host: "quay.io", prefix: "quay", login: Login.None },
  { host: "ghcr.io", prefix: "github", login: Login.Needed },
  { host: "registry.gitlab.com", prefix: "gitlab", login: Login.Needed },
  { host: "cgr.dev", prefix: "chainguard", login: Login.Needed },
  { host: "*.azurecr.io", prefix: "azure", login: Login.Needed },
];

/** First part of the names of images that come through the mirror. */
export function ecrMirrorPrefix({ ecr, mirror }: EcrSettings): string | undefined {
  return mirror === undefined ? undefined : (ecr.mirrorPrefix ?? upstreamOf(mirror, ecrUpstreams)?.prefix);
}

/** Images for repositories that the registry does not have. */
export function unknownRepositoryProblems(images: readonly ImageBuild[], repositories: readonly string[] = []): Problem[] {
  return images.flatMap(({ name }, index) =>
    when(
      !repositories.some((pattern) => names(pattern, name)),
      `builds[${index}].name`,
      `${shown(name)} is not in ecr.repositories; add it there`,
    ),
  );
}

/** All that is wrong with the settings of a registry in ECR. */
export function ecrProblems(settings: EcrSettings): Problem[] {
  const { ecr, garbageCollection, mirror } = settings;
  const arn = /^arn:aws[a-z-]*:iam::\d{12}:(root|(user|role)\/[\w+=,.@/-]+)$/;
  const arnRule = "the ARN of an account (…:root), user or role: arn:aws:iam::<account>:role/<name>";
  const prefix = ecrMirrorPrefix(settings);
  return [
    ...texts("ecr.", { region: ecr.region }, awsRegion, "an AWS region such as eu-central-1"),
    ...when(
      ecr.repositories === undefined || ecr.repositories.length === 0,
      "ecr.repositories",
      "is missing; Amazon takes pushes to known repositories only: team-a/app, or team-a/* for all below",
    ),
    ...lists(
      "ecr.",
      { repositories: ecr.repositories },
      ecrName,
      "2 to 256 characters, such as team-a/app, or a prefix such as team-a/*",
    ),
    ...distinct("ecr.", { repositories: ecr.repositories }),
    ...when(
      ecr.mutableTags !== undefined && ecr.immutableTags === false,
      "ecr.mutableTags",
      "are exceptions of ecr.immutableTags, which is false; remove one of them",
    ),
    ...lists(
      "ecr.",
      { mutableTags: ecr.mutableTags },
      /^(?!.*\*.*\*.*\*)[\w.*-]{1,128}$/,
      "a tag such as latest, or a pattern with two * at most",
    ),
    ...when((ecr.mutableTags?.length ?? 0) > 5, "ecr.mutableTags", "has more than the 5 exceptions that Amazon allows"),
    ...texts("ecr.", { kmsKey: ecr.kmsKey }, kmsKeyArn, "the key's ARN: arn:aws:kms:<region>:<account>:key/<id>"),
    ...lists("ecr.", { readers: ecr.readers }, arn, arnRule),
    ...lists("ecr.", { writers: ecr.writers }, arn, arnRule),
    ...identityProblems("ecr", ecr.readers, ecr.writers),
    ...mirrorPrefixProblems("ecr.", ecr, mirror),
    ...texts("ecr.", { mirrorPrefix: ecr.mirrorPrefix }, /^.{2,30}$/, "2 to 30 characters"),
    ...tagProblems("ecr.tags", ecr.tags, awsTags),
    ...when(
      prefix !== undefined && (ecr.repositories ?? []).some((each) => names(`${prefix}/*`, each) || each === prefix),
      "ecr.repositories",
      `has names below ${shown(prefix)}, where the mirror keeps its images; choose another ecr.mirrorPrefix`,
    ),
    ...retentionProblems(ecr.repositories ?? [], garbageCollection),
    ...managedMirrorProblems(
      "Amazon",
      mirror,
      ecrUpstreams,
      "Amazon keeps what it fetched, and looks for newer images once a day",
    ),
  ];
}

/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html: one separator at a time. */
const ecrName = new RegExp(`^(?=.{2,256}$)(?!.*(--|__))${repositoryOrPrefix.source.slice(1)}`);

/** Amazon's rules say what is deleted, ours what is kept: not every rule of ours can be translated into Amazon's. */
function retentionProblems(repositories: readonly string[], collection: GarbageCollection): Problem[] {
  const key = "garbageCollection";
  const rules = collection.retention ?? [];
  const always = collection.alwaysKeepTags ?? [];
  return [
    ...scheduleProblems("ecr", "Amazon collects by itself, within a day", collection),
    ...tagRetentionProblems(collection),
    ...when(
      rules.length > 0 && collection.retentionDryRun !== false,
      `${key}.retentionDryRun`,
      "must be false for target ecr: Amazon applies rules at once; try them in its console first",
    ),
    ...rules.flatMap((rule, index) => {
      const at = `${key}.retention[${index}]`;
      const patterns = [...always, ...(rule.keepTags ?? [])];
      return [
        ...when(
          rule.keepNewest !== undefined && rule.keepDays !== undefined,
          `${at}.keepDays`,
          `can't be combined with ${at}.keepNewest for target ecr: Amazon deletes what either names; give one of them`,
        ),
        ...when(
          rule.keepTags !== undefined && rule.keepNewest === undefined && rule.keepDays === undefined,
          `${at}.keepTags`,
          `needs keepNewest or keepDays beside it for target ecr: Amazon deletes by number or by age`,
        ),
        ...when(patterns.length > 48, `${at}.keepTags`, "and alwaysKeepTags have more than the 48 patterns that Amazon allows"),
        ...patterns
          .filter((pattern) => pattern.split("*").length > 5)
          .map((pattern) => ({
            key: at,
            message: `keeps tags by ${shown(pattern)}, and Amazon allows four * in a pattern`,
          })),
        ...(rule.repositories ?? []).flatMap((pattern, place) => partly(`${at}.repositories[${place}]`, pattern, repositories)),
      ];
    }),
  ];
}

/** A rule for only some of the repositories below a prefix has nothing that it could be attached to. */
function partly(key: string, pattern: string, repositories: readonly string[]): Problem[] {
  if (repositories.some((repository) => names(pattern, repository))) {
    return [];
  }
  const wider = repositories.find((repository) => repository.endsWith("/*") && names(repository, pattern));
  return [
    {
      key,
      message:
        wider === undefined
          ? `${shown(pattern)} names none of ecr.repositories`
          : `${shown(pattern)} names a part of ${shown(wider)} in ecr.repositories; list it there too`,
    },
  ];
}

/** More images than Amazon allows in a repository: a rule with this number never deletes, and protects what it matches. */
const never = 100_000;

/**
 * The lifecycle policy of a repository, or of all below a prefix; undefined when it needs none. An image that matches a rule can't be
 * deleted by a later one, so the tags to keep come first, each in a rule of its own: an image has to match all patterns of one rule.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
 */
export function lifecyclePolicy(repository: string, collection: GarbageCollection): string | undefined {
  const rule = collection.retention?.find(({ repositories }) => repositories?.some((each) => names(each, repository)) ?? true);
  const selections = [
    ...(collection.deleteUntagged === true ? [{ tagStatus: "untagged", ...byAge(1) }] : []),
    ...(rule === undefined ? [] : expired(rule, collection.alwaysKeepTags ?? [])),
  ];
  const rules = selections.map((selection, index) => ({ rulePriority: index + 1, selection, action: { type: "expire" } }));
  return rules.length === 0 ? undefined : JSON.stringify({ rules });
}

const byAge = (days: number): object => ({ countType: "sinceImagePushed", countUnit: "days", countNumber: days });
const byNumber = (images: number): object => ({ countType: "imageCountMoreThan", countNumber: images });

function expired({ keepNewest, keepDays, keepTags }: RetentionRule, alwaysKeepTags: readonly string[]): object[] {
  const shielded = [...new Set([referrerTags, ...alwaysKeepTags, ...(keepTags ?? [])])];
  if (shielded.includes("*")) {
    return [];
  }
  const count = keepNewest === undefined ? byAge(keepDays ?? 1) : byNumber(keepNewest);
  return [
    ...shielded.map((pattern) => ({ tagStatus: "tagged", tagPatternList: [pattern], ...byNumber(never) })),
    { tagStatus: "tagged", tagPatternList: ["*"], ...count },
  ];
}

const pull = [
  ...["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
  ...["ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListImages"],
];
const push = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"];

/** The policy of those who may use a repository besides those in its account whom IAM allows; undefined if nobody is named. */
export function repositoryPolicy({ readers = [], writers = [] }: EcrOptions): string | undefined {
  const statement = (sid: string, principals: readonly string[], actions: readonly string[]): object[] =>
    principals.length === 0 ? [] : [{ Sid: sid, Effect: "Allow", Principal: { AWS: principals }, Action: actions }];
  const statements = [...statement("Pull", readers, pull), ...statement("PushAndPull", writers, [...pull, ...push])];
  return statements.length === 0 ? undefined : JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

/** Lets ECR make repositories with tags or under a key of KMS: https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates-iam.html */
export function creationPolicy(kmsKey: string | undefined): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"], Resource: "*" },
      ...(kmsKey === undefined
        ? []
        : [{ Effect: "Allow", Action: ["kms:CreateGrant", "kms:RetireGrant", "kms:DescribeKey"], Resource: kmsKey }]),
    ],
  });
}

/** Only ECR may assume the role. */
export const creationTrust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ecr.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
