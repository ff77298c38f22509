import { Mirror } from "../args/registry";
import { caProblems } from "./certificates";
import { hubApi } from "./dockerHub";
import { knownNow } from "./inputs";
import { metricsPort, metricsProblems, mirrorMetricsPort, TakenPort } from "./address";
import { Problem, shown } from "./problems";
import { durations, inOneLine, isUrl, texts, together, when, wholeNumbers } from "./rules";

/** A mirror with its defaults filled in. */
export type CompleteMirror = Mirror & Required<Pick<Mirror, "upstream" | "port" | "ttl">>;

export function completeMirror(mirror: Mirror): CompleteMirror {
  return {
    ...mirror,
    upstream: mirror.upstream ?? `https://${hubApi}`,
    port: mirror.port ?? 5001,
    ttl: mirror.ttl ?? "168h",
  };
}

/** The message to users who ask for a login at a mirror. */
export const noLogins =
  "is not possible: Docker sends no credentials to a mirror (https://github.com/moby/moby/issues/30880). " +
  "Let bindAddress and a firewall decide who may use it";

const at = "mirror.";
const withoutPath = /^https?:\/\/[^/?#]+\/?$/;
/** As Go writes a duration; a number without a unit would be nanoseconds. */
const duration = /^(?=.*[1-9])(\d+(\.\d+)?[hms])+$/;
const size = /^[1-9]\d{0,5}[MGT]B$/;

export function mirrorProblems(mirror: Mirror, allowInsecure: boolean): Problem[] {
  const { upstream, port, ttl, maxSize, password, caCertificates } = completeMirror(mirror);
  return [
    ...when(
      !isUrl(upstream) || !withoutPath.test(upstream),
      `${at}upstream`,
      `${shown(upstream)} is not allowed; give the URL of a registry with http:// or https://, without user and path`,
    ),
    ...wholeNumbers(at, { port }, 1, 65535),
    ...durations(at, { ttl }, duration, "a time with its unit, h, m or s, such as 168h"),
    ...texts(at, { maxSize }, size, "a whole number with its unit, MB, GB or TB, such as 20GB"),
    ...loginProblems(mirror),
    ...when(
      // To loopback too: that is the mirror's own container, where there is no upstream.
      password !== undefined && upstream.startsWith("http:") && !allowInsecure,
      `${at}upstream`,
      `${shown(upstream)} would be sent the password in clear; use https://, or set allowInsecure to true`,
    ),
    ...caProblems(`${at}caCertificates`, caCertificates, "the upstream"),
    ...metricsProblems(`${at}metrics.`, mirror.metrics),
  ];
}

/** The ports that a mirror takes. */
export function mirrorPorts(mirror: Mirror): TakenPort[] {
  return [
    { key: `${at}port`, port: completeMirror(mirror).port, is: "the mirror's port" },
    ...metricsPort(`${at}metrics.port`, mirror.metrics, mirrorMetricsPort, "the port of the mirror's metrics"),
  ];
}

/** What is wrong with the login at the upstream. */
export function loginProblems({ username, password }: Mirror): Problem[] {
  const empty = username === "" ? "username" : knownNow(password) === "" ? "password" : undefined;
  return [
    ...together(at, { username, password }),
    ...inOneLine(at, { username, password }),
    ...when(empty !== undefined, `${at}${empty}`, "is empty; leave both out to ask the upstream without a login"),
  ];
}
