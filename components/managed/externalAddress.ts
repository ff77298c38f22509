import { isIPv6 } from "net";
import { ExternalOptions } from "../args/managed";
import { caProblems } from "../checks/certificates";
import { hostnameProblems } from "../checks/address";
import { apiHost } from "../checks/dockerHub";
import { hostPort, imageHost, isLoopback } from "../checks/hosts";
import { knownNow } from "../checks/inputs";
import { Problem } from "../checks/problems";
import { repositoryName } from "../checks/repositories";
import { inOneLine, texts, when, wholeNumbers } from "../checks/rules";

/** Everything that is known of a registry that exists already. */
export interface ExternalSettings {
  external: ExternalOptions;
  allowInsecure: boolean;
}

/** Where a registry is, in the ways that clients write it. */
export interface Address {
  /** What Docker logs in to. */
  registry: string;
  endpoint: string;
  repositoryPrefix: string;
}

export function externalAddress({ hostname = "", port, path, insecure = false }: ExternalOptions): Address {
  const standard = insecure ? 80 : 443;
  const bare = isIPv6(hostname) ? `[${hostname}]` : hostname;
  const registry = imageHost((port ?? standard) === standard ? bare : hostPort(hostname, port ?? standard), standard);
  return {
    registry,
    endpoint: `${insecure ? "http" : "https"}://${apiHost(registry)}`,
    repositoryPrefix: path === undefined ? registry : `${registry}/${path}`,
  };
}

/** All that is wrong with the settings of a registry that exists already. */
export function externalProblems({ external, allowInsecure }: ExternalSettings): Problem[] {
  const { hostname, port, path, username, password, caCertificate, insecure } = external;
  return [
    ...(hostname === undefined
      ? [{ key: "external.hostname", message: "is missing; give the registry's name, such as docker.io or harbor.example.com" }]
      : hostnameProblems("external.hostname", hostname)),
    ...wholeNumbers("external.", { port }, 1, 65535),
    ...texts("external.", { path }, repositoryName, "the first part of repositories' names, such as my-team or group/project"),
    ...texts("external.", { username }, /^[^\s:\p{Cc}]+$/u, "a name without spaces and colons"),
    ...when(
      username !== undefined && password === undefined,
      "external.password",
      "is missing; a login is both external.username and external.password",
    ),
    ...when(
      username === undefined && password !== undefined,
      "external.username",
      "is missing; a login is both external.username and external.password",
    ),
    ...when(
      knownNow(password) === "",
      "external.password",
      "is empty; leave it and external.username out to use the registry without a login",
    ),
    ...inOneLine("external.", { password }),
    ...caProblems("external.caCertificate", caCertificate, "the registry"),
    ...when(
      insecure === true && caCertificate !== undefined,
      "external.caCertificate",
      "has no meaning with external.insecure true: plain HTTP has no certificate",
    ),
    ...when(
      insecure === true && hostname !== undefined && !isLoopback(hostname) && !allowInsecure,
      "external.insecure",
      `true is accepted on loopback addresses only, and ${hostname} is not one; use TLS, or set allowInsecure to true if you accept the risk`,
    ),
  ];
}
