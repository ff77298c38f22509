import { GarbageCollection, Mirror, RetentionRule } from "../args/registry";
import { plain } from "../checks/inputs";
import { completeMirror } from "../checks/mirror";
import { mostDays, unlimited, wholeNumbers } from "../checks/numbers";
import { Problem, shown } from "../checks/problems";
import { repositoriesProblems } from "../checks/repositories";

/** What the registries of the clouds have in common: what is asked of them in the words of the self-hosted ones. */

/** Notes a problem for each text of a list that the pattern does not allow. */
export function listProblems(key: string, values: readonly string[] | undefined, allowed: RegExp, remedy: string): Problem[] {
  return (values ?? []).flatMap((value, index) =>
    allowed.test(value) ? [] : [{ key: `${key}[${index}]`, message: `${shown(value)} is not allowed; give ${remedy}` }],
  );
}

/** Notes a problem for each of these texts that is given and not as the pattern says. */
export function textProblems(
  prefix: string,
  values: Record<string, string | undefined>,
  allowed: RegExp,
  remedy: string,
): Problem[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined || allowed.test(value)
      ? []
      : [{ key: `${prefix}${key}`, message: `${shown(value)} is not allowed; give ${remedy}` }],
  );
}

/** Identities that are in both lists would get two grants for the same. */
export function identityProblems(prefix: string, readers: readonly string[] = [], writers: readonly string[] = []): Problem[] {
  return [
    ...repeated(`${prefix}.readers`, readers),
    ...repeated(`${prefix}.writers`, writers),
    ...readers.flatMap((reader, index) =>
      writers.includes(reader)
        ? [{ key: `${prefix}.readers[${index}]`, message: `is in ${prefix}.writers too, who may pull as well; remove it here` }]
        : [],
    ),
  ];
}

export function repeated(key: string, values: readonly string[] = []): Problem[] {
  return values.flatMap((value, index) =>
    values.indexOf(value) < index ? [{ key: `${key}[${index}]`, message: `${shown(value)} is in the list already` }] : [],
  );
}

/** Letters, digits and `._-`, with `*` for any letters. */
const tagPattern = /^[\w*][\w.*-]{0,127}$/;

/**
 * The tags by which clients without the Referrers API find signatures and attestations of an image
 * (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema): no rule about an image's own tags means them.
 */
export const referrerTags = "sha256-*";

/** What is wrong with rules in any cloud. `collects` says when the cloud collects, which nobody can choose. */
export function collectionProblems(target: string, collects: string, collection: GarbageCollection): Problem[] {
  const key = "garbageCollection";
  const rules = collection.retention ?? [];
  return [
    ...(["schedule", "timeZone"] as const)
      .filter((each) => collection[each] !== undefined)
      .map((each) => ({ key: `${key}.${each}`, message: `has no meaning for target ${target}: ${collects}` })),
    ...(collection.alwaysKeepTags !== undefined && rules.length === 0
      ? [{ key: `${key}.alwaysKeepTags`, message: `needs ${key}.retention; without a rule no tag is deleted` }]
      : []),
    ...listProblems(
      `${key}.alwaysKeepTags`,
      collection.alwaysKeepTags,
      tagPattern,
      "a tag such as latest, or a pattern such as v*",
    ),
    ...rules.flatMap((rule, index) => ruleProblems(`${key}.retention[${index}]`, rule)),
  ];
}

function ruleProblems(key: string, rule: RetentionRule): Problem[] {
  const { keepNewest, keepDays, keepTags } = rule;
  return [
    ...wholeNumbers(`${key}.`, { keepNewest }, 1, unlimited),
    ...wholeNumbers(`${key}.`, { keepDays }, 1, mostDays),
    ...(keepNewest === undefined && keepDays === undefined && keepTags === undefined
      ? [{ key, message: "would keep nothing; give keepNewest, keepDays or keepTags" }]
      : []),
    ...repositoriesProblems(`${key}.repositories`, rule.repositories),
    ...listProblems(`${key}.keepTags`, keepTags, tagPattern, "a tag such as latest, or a pattern such as v*"),
  ];
}

/** The host of the mirror's upstream. */
export function upstreamHost(mirror: Mirror): string {
  const { host } = new URL(completeMirror(mirror).upstream);
  return host === "docker.io" || host === "index.docker.io" ? "registry-1.docker.io" : host;
}

/** An upstream that a cloud can fetch from. */
export interface Upstream {
  /** A name, or `*` and how a name ends. */
  host: string;
  /** First part of the names of what comes from there. */
  prefix: string;
  login: Login;
}

/** Whether a cloud logs in at an upstream. */
export const Login = { Needed: "needed", Possible: "possible", None: "none" } as const;
export type Login = (typeof Login)[keyof typeof Login];

/** The upstream that is asked for, if the cloud knows it. */
export function upstreamOf(mirror: Mirror, upstreams: readonly Upstream[]): Upstream | undefined {
  if (!isUrl(completeMirror(mirror).upstream)) {
    return undefined;
  }
  const host = upstreamHost(mirror);
  return upstreams.find((each) => each.host === host || (each.host.startsWith("*") && host.endsWith(each.host.slice(1))));
}

function isUrl(upstream: string): boolean {
  return /^https:\/\/[a-z0-9.-]+(:\d+)?\/?$/.test(upstream);
}

/** What is wrong with a mirror in any cloud. */
export function hostedMirrorProblems(
  cloud: string,
  mirror: Mirror | undefined,
  upstreams: readonly Upstream[],
  keeps: string,
): Problem[] {
  if (mirror === undefined) {
    return [];
  }
  const { username, password, ttl } = mirror;
  const { upstream } = completeMirror(mirror);
  const problems = (["port", "caCertificates"] as const)
    .filter((key) => mirror[key] !== undefined)
    .map((key) => ({ key: `mirror.${key}`, message: `has no meaning for a mirror that ${cloud} runs` }));
  const known = upstreamOf(mirror, upstreams);
  if (!isUrl(upstream)) {
    problems.push({
      key: "mirror.upstream",
      message: `${shown(upstream)} is not allowed; give a URL such as https://quay.io, without path`,
    });
  } else if (known === undefined) {
    problems.push({
      key: "mirror.upstream",
      message: `${cloud} can't fetch from ${upstreamHost(mirror)}; it can from ${upstreams.map((each) => each.host).join(", ")}`,
    });
  }
  if (ttl !== undefined) {
    problems.push({ key: "mirror.ttl", message: `can't be chosen: ${keeps}` });
  }
  if (username === undefined && password === undefined && known?.login === Login.Needed) {
    problems.push({
      key: "mirror.username",
      message: `is missing; ${cloud} fetches from ${upstreamHost(mirror)} with a login only`,
    });
  } else if (username !== undefined && known?.login === Login.None) {
    problems.push({
      key: "mirror.username",
      message: `is not used: ${cloud} fetches from ${upstreamHost(mirror)} without a login`,
    });
  } else if ((username === undefined) !== (password === undefined)) {
    const [missing, given] = username === undefined ? ["username", "password"] : ["password", "username"];
    problems.push({ key: `mirror.${missing}`, message: `is missing; it belongs to mirror.${given}` });
  } else if (username === "" || plain(password) === "") {
    const empty = username === "" ? "username" : "password";
    problems.push({ key: `mirror.${empty}`, message: "is empty; leave both out to ask the upstream without a login" });
  }
  return problems;
}
