import { isIPv6 } from "net";
import { ExternalOptions } from "../args/managed";
import { certificatesIn } from "../checks/certificates";
import { hostnameProblems } from "../checks/registry";
import { hostPort, isLoopback } from "../checks/hosts";
import { textProblems } from "./checks";
import { plain } from "../checks/inputs";
import { wholeNumbers } from "../checks/numbers";
import { Problem } from "../checks/problems";
import { repositoryName } from "../checks/repositories";

/** Everything that is said of a registry that exists already. */
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
  // A first part without a dot or port would be a user of Docker Hub.
  const named = hostname.includes(".") || hostname.includes(":") || hostname === "localhost";
  const bare = isIPv6(hostname) ? `[${hostname}]` : hostname;
  const registry = named && (port ?? standard) === standard ? bare : hostPort(hostname, port ?? standard);
  // Docker Hub's API is elsewhere than its images' names say.
  const api = registry === "docker.io" ? "registry-1.docker.io" : registry;
  return {
    registry,
    endpoint: `${insecure ? "http" : "https"}://${api}`,
    repositoryPrefix: path === undefined ? registry : `${registry}/${path}`,
  };
}

/** All that is wrong with what is said of a registry that exists already. */
export function externalProblems({ external, allowInsecure }: ExternalSettings): Problem[] {
  const { hostname, port, path, username, password, caCertificate, insecure } = external;
  const given = plain(password);
  return [
    ...(hostname === undefined
      ? [{ key: "external.hostname", message: "is missing; give the registry's name, such as docker.io or harbor.example.com" }]
      : hostnameProblems("external.hostname", hostname)),
    ...wholeNumbers("external.", { port }, 1, 65535),
    ...textProblems(
      "external.",
      { path },
      repositoryName,
      "the first part of repositories' names, such as my-team or group/project",
    ),
    ...textProblems("external.", { username }, /^[^\s:\p{Cc}]+$/u, "a name without spaces and colons"),
    ...(username !== undefined && password === undefined
      ? [{ key: "external.password", message: "is missing; a login is both external.username and external.password" }]
      : []),
    ...(username === undefined && password !== undefined
      ? [{ key: "external.username", message: "is missing; a login is both external.username and external.password" }]
      : []),
    ...(given === ""
      ? [
          {
            key: "external.password",
            message: "is empty; leave it and external.username out to use the registry without a login",
          },
        ]
      : []),
    ...(given !== undefined && /[\0\r\n]/.test(given)
      ? [{ key: "external.password", message: "has a line break or a zero byte; no client can send that" }]
      : []),
    ...(caCertificate !== undefined && certificatesIn(caCertificate).length === 0
      ? [
          {
            key: "external.caCertificate",
            message: "has no PEM certificate; give the CA of the registry, `-----BEGIN CERTIFICATE-----` first",
          },
        ]
      : []),
    ...(insecure === true && caCertificate !== undefined
      ? [{ key: "external.caCertificate", message: "has no meaning with external.insecure true: plain HTTP has no certificate" }]
      : []),
    ...(insecure === true && hostname !== undefined && !isLoopback(hostname) && !allowInsecure
      ? [
          {
            key: "external.insecure",
            message: `true is accepted on loopback addresses only, and ${hostname} is not one; use TLS, or set allowInsecure to true if you accept the risk`,
          },
        ]
      : []),
  ];
}
