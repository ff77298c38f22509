import { Mirror } from "../args/registry";
import { certificatesIn } from "./certificates";
import { plain } from "./inputs";
import { wholeNumbers } from "./numbers";
import { Problem, shown } from "./problems";

/** A mirror with its defaults filled in. */
export type CompleteMirror = Mirror & Required<Pick<Mirror, "upstream" | "port" | "ttl">>;

export function completeMirror(mirror: Mirror): CompleteMirror {
  return {
    ...mirror,
    upstream: mirror.upstream ?? "https://registry-1.docker.io",
    port: mirror.port ?? 5001,
    ttl: mirror.ttl ?? "168h",
  };
}

/** Docker Hub has more names than one. */
export function isOfDockerHub({ upstream }: CompleteMirror): boolean {
  return /^https?:\/\/([^/]+\.)?docker\.io(:\d+)?\/?$/i.test(upstream);
}

/** Said to those who ask for a login at a mirror. */
export const noLogins =
  "is not possible: Docker sends no credentials to a mirror (https://github.com/moby/moby/issues/30880). " +
  "Let bindAddress and a firewall decide who may use it";

const url = /^https?:\/\/[^\s/?#@]+\/?$/;
/** As Go writes a duration; a number without a unit would be nanoseconds. */
const duration = /^(?=.*[1-9])(\d+(\.\d+)?[hms])+$/;

export function mirrorProblems(mirror: Mirror, allowInsecure: boolean): Problem[] {
  const problems: Problem[] = [];
  const add = (key: string, message: string): void => void problems.push({ key: `mirror.${key}`, message });
  const { upstream, port, ttl } = completeMirror(mirror);
  const password = plain(mirror.password);
  if (!url.test(upstream)) {
    add(
      "upstream",
      `${shown(upstream)} is not allowed; give the URL of a registry with http:// or https://, without user and path`,
    );
  }
  problems.push(...wholeNumbers("mirror.", { port }, 1, 65535));
  if (!duration.test(ttl)) {
    add("ttl", `${shown(ttl)} is not allowed; give a time with its unit, h, m or s, such as 168h`);
  }
  if ((mirror.username === undefined) !== (mirror.password === undefined)) {
    const [missing, given] = mirror.username === undefined ? ["username", "password"] : ["password", "username"];
    add(missing, `is missing; it belongs to mirror.${given}`);
  }
  if (mirror.username === "" || password === "") {
    add(mirror.username === "" ? "username" : "password", "is empty; leave both out to ask the upstream without a login");
  }
  if (mirror.password !== undefined && upstream.startsWith("http:") && !allowInsecure) {
    add("upstream", `${shown(upstream)} would be sent the password in clear; use https://, or set allowInsecure to true`);
  }
  if (mirror.caCertificates !== undefined && certificatesIn(mirror.caCertificates).length === 0) {
    add("caCertificates", "has no PEM certificate; give the CA of the upstream, `-----BEGIN CERTIFICATE-----` first");
  }
  return problems;
}
