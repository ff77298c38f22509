import { GarbageCollection, Mirror } from "../args/registry";
import { apiHost } from "../checks/dockerHub";
import { completeMirror, loginProblems } from "../checks/mirror";
import { Problem, shown } from "../checks/problems";
import { canParse, distinct, texts, when } from "../checks/rules";

/** What the checks of the clouds' registries have in common: the arguments that they share with the self-hosted ones. */

/** Identities in both lists would get two grants for the same right. */
export function identityProblems(prefix: string, readers: readonly string[] = [], writers: readonly string[] = []): Problem[] {
  return [
    ...distinct(`${prefix}.`, { readers, writers }),
    ...readers.flatMap((reader, index) =>
      when(
        writers.includes(reader),
        `${prefix}.readers[${index}]`,
        `is in ${prefix}.writers too, who may pull as well; remove it here`,
      ),
    ),
  ];
}

/**
 * The tags by which clients without the Referrers API find signatures and attestations of an image
 * (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema): rules about an image's own tags do not apply to them.
 */
export const referrerTags = "sha256-*";

/** What is wrong with a schedule for collections, which nobody can choose in a cloud. `collects` says when the cloud collects. */
export function scheduleProblems(target: string, collects: string, collection: GarbageCollection): Problem[] {
  return (["schedule", "timeZone"] as const)
    .filter((each) => collection[each] !== undefined)
    .map((each) => ({ key: `garbageCollection.${each}`, message: `has no meaning for target ${target}: ${collects}` }));
}

/** The host of the mirror's upstream. */
export function upstreamHost(mirror: Mirror): string {
  return apiHost(new URL(completeMirror(mirror).upstream).host);
}

/** An upstream that a cloud can fetch from. */
export interface Upstream {
  /** A name, or `*` and the end of a name. */
  host: string;
  /** First part of the names of images that come from there. */
  prefix: string;
  login: Login;
}

/** Whether a cloud logs in at an upstream. */
export const Login = { Needed: "needed", Possible: "possible", None: "none" } as const;
export type Login = (typeof Login)[keyof typeof Login];

/** The requested upstream, if the cloud knows it. */
export function upstreamOf(mirror: Mirror, upstreams: readonly Upstream[]): Upstream | undefined {
  if (!isCloudUpstream(completeMirror(mirror).upstream)) {
    return undefined;
  }
  const host = upstreamHost(mirror);
  return upstreams.find((each) => each.host === host || (each.host.startsWith("*") && host.endsWith(each.host.slice(1))));
}

/** Whether it is the URL of a server that a cloud could fetch from: clouds accept no plain HTTP. */
function isCloudUpstream(upstream: string): boolean {
  return /^https:\/\/[a-z0-9.-]{1,253}(:\d+)?\/?$/i.test(upstream) && canParse(upstream);
}

/** What is wrong with the first part of the names of images that come through the mirror. */
export function mirrorPrefixProblems(
  prefix: string,
  { mirrorPrefix }: { mirrorPrefix?: string },
  mirror: Mirror | undefined,
): Problem[] {
  return [
    ...when(mirrorPrefix !== undefined && mirror === undefined, `${prefix}mirrorPrefix`, "needs mirror"),
    ...texts(prefix, { mirrorPrefix }, /^[a-z0-9]+([._/-][a-z0-9]+)*$/, "the first part of a repository's name"),
  ];
}

/** The keys of `mirror` that are passed on to a cloud, or that have a problem of their own. */
const managedKeys: readonly string[] = ["upstream", "username", "password", "ttl"] satisfies (keyof Mirror)[];

/** What is wrong with a mirror in any cloud. */
export function managedMirrorProblems(
  cloud: string,
  mirror: Mirror | undefined,
  upstreams: readonly Upstream[],
  keeps: string,
): Problem[] {
  if (mirror === undefined) {
    return [];
  }
  const { ttl } = mirror;
  const { upstream } = completeMirror(mirror);
  const known = upstreamOf(mirror, upstreams);
  const hosts = upstreams.map(({ host }) => host).join(", ");
  return [
    ...Object.entries(mirror).flatMap(([key, value]) =>
      when(value !== undefined && !managedKeys.includes(key), `mirror.${key}`, `has no meaning for a mirror that ${cloud} runs`),
    ),
    ...(isCloudUpstream(upstream)
      ? when(known === undefined, "mirror.upstream", `${cloud} can't fetch from ${upstreamHost(mirror)}; it can from ${hosts}`)
      : [
          {
            key: "mirror.upstream",
            message: `${shown(upstream)} is not allowed; give a URL such as https://quay.io, without path`,
          },
        ]),
    ...when(ttl !== undefined, "mirror.ttl", `can't be chosen: ${keeps}`),
    ...upstreamLoginProblems(cloud, mirror, known?.login),
  ];
}

function upstreamLoginProblems(cloud: string, mirror: Mirror, login: Login | undefined): Problem[] {
  const { username, password } = mirror;
  const key = "mirror.username";
  if (login === Login.Needed && username === undefined && password === undefined) {
    return [{ key, message: `is missing; ${cloud} fetches from ${upstreamHost(mirror)} with a login only` }];
  }
  return login === Login.None && username !== undefined
    ? [{ key, message: `is not used: ${cloud} fetches from ${upstreamHost(mirror)} without a login` }]
    : loginProblems(mirror);
}
