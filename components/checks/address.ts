import { Metrics } from "../args/registry";
import {
  hostPort,
  isDnsName,
  isIpAddress,
  isLocalhost,
  isLoopback,
  isNetwork,
  isSameAddress,
  isSentInClear,
  isUnspecified,
} from "./hosts";
import { Problem, shown } from "./problems";
import { canParse, distinct, when, wholeNumbers } from "./rules";

/** Where clients reach the registry. */
export interface AddressSettings {
  hostname: string;
  port: number;
  bindAddress: string;
  /** Whether the registry is on a Swarm, which publishes the port on every address: `bindAddress` is not the user's choice. */
  onSwarm?: boolean;
  allowInsecure: boolean;
  /** The URL of a reverse proxy that clients come through instead. */
  externalUrl?: string;
}

/** A name or address that clients could use. */
export function hostnameProblems(key: string, hostname: string): Problem[] {
  return when(
    (!isDnsName(hostname) && !isIpAddress(hostname)) || isUnspecified(hostname),
    key,
    `${shown(hostname)} is not allowed; give the DNS name or IP address that clients use, without scheme, port or path`,
  );
}

/** Whether a name stands for all names of a domain, which is possible only in a certificate. */
export function isWildcard(name: string): boolean {
  return name.startsWith("*.") && isDnsName(name.slice(2));
}

/** Further names and addresses in a certificate, where one may stand for all names of a domain. */
export function alternativeNamesProblems(names: readonly string[]): Problem[] {
  return names.flatMap((name, index) =>
    when(
      !isDnsName(name) && !isWildcard(name) && !isIpAddress(name),
      `alternativeNames[${index}]`,
      `${shown(name)} is not allowed; give a DNS name, *. and one, or an IP address`,
    ),
  );
}

/** A URL of a server, without a path: image names could not contain one. */
const serverUrl = /^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?\/?$/i;

function externalUrlProblems({ externalUrl, allowInsecure }: AddressSettings): Problem[] {
  const key = "externalUrl";
  if (externalUrl === undefined || externalUrl === "") {
    return when(externalUrl === "", key, "is empty; leave it out or give a URL");
  }
  const host = serverUrl.exec(externalUrl)?.[1]?.replace(/^\[|\]$/g, "");
  return host === undefined || !canParse(externalUrl)
    ? [
        {
          key,
          message: `${shown(externalUrl)} is not allowed; give the URL that clients use, as https://registry.example.com, without user and path`,
        },
      ]
    : [
        ...hostnameProblems(key, host),
        ...when(
          isSentInClear(externalUrl) && !allowInsecure,
          key,
          `${shown(externalUrl)} would have clients send passwords in clear; use https://, or set allowInsecure to true if you accept the risk`,
        ),
      ];
}

function bindAddressProblems(key: string, bindAddress: string): Problem[] {
  return when(
    !isIpAddress(bindAddress),
    key,
    `${shown(bindAddress)} is not allowed; give an IP address of the Docker host, 127.0.0.1, or 0.0.0.0 for all`,
  );
}

/** A loopback name leads to loopback addresses only; a proxy between clients and another address has a URL of its own. */
function reachProblems({ hostname, bindAddress, externalUrl }: AddressSettings): Problem[] {
  const reached = isLocalhost(hostname) ? ["127.0.0.1", "::1"] : [hostname];
  return when(
    isLoopback(hostname) &&
      externalUrl === undefined &&
      isIpAddress(bindAddress) &&
      !isUnspecified(bindAddress) &&
      !reached.some((each) => isSameAddress(each, bindAddress)),
    "hostname",
    `${shown(hostname)} does not lead to bindAddress ${bindAddress}; give ${bindAddress} or a name of it`,
  );
}

export function addressProblems(address: AddressSettings): Problem[] {
  const { hostname, port, bindAddress } = address;
  return [
    ...hostnameProblems("hostname", hostname),
    ...wholeNumbers("", { port }, 1, 65535),
    ...bindAddressProblems("bindAddress", bindAddress),
    ...externalUrlProblems(address),
    ...reachProblems(address),
  ];
}

/** What is wrong with the proxies that may say who their clients are. */
export function trustedProxiesProblems(trustedProxies: readonly string[], image: string): Problem[] {
  return [
    ...when(
      trustedProxies.length > 0 && image !== "bundled",
      "trustedProxies",
      "is a feature of the bundled server; the stock registry has no limits by address. Use image bundled",
    ),
    ...trustedProxies.flatMap((proxy, index) =>
      when(
        !isNetwork(proxy),
        `trustedProxies[${index}]`,
        `${shown(proxy)} is not allowed; give the IP address of a proxy, or a range as 10.0.0.0/8`,
      ),
    ),
    ...distinct("", { trustedProxies }),
  ];
}

/** Plain HTTP or no users: on loopback only, where nobody else can listen in, or if it is explicitly allowed. */
export function openProblems(key: string, what: string, remedy: string, address: AddressSettings): Problem[] {
  const { hostname, port, bindAddress, onSwarm = false, allowInsecure } = address;
  const open = [hostname, bindAddress].find((host) => !isLoopback(host));
  if (open === undefined) {
    return [];
  }
  const [why, remedies] = onSwarm
    ? ["a Swarm publishes the port on every address of its nodes", remedy]
    : [`${hostPort(open, port)} is not one`, `${remedy}, use 127.0.0.1 and localhost`];
  return when(
    !allowInsecure,
    key,
    `${what} is accepted on loopback addresses only, and ${why}; ${remedies}, or set allowInsecure to true if you accept the risk`,
  );
}

/** Port of a registry's metrics, unless another one is given. */
export const registryMetricsPort = 5002;
/** The same of a mirror. */
export const mirrorMetricsPort = 5003;

export function completeMetrics({ port, bindAddress = "127.0.0.1" }: Metrics, usualPort: number): Required<Metrics> {
  return { port: port ?? usualPort, bindAddress };
}

export function metricsProblems(at: string, metrics: Metrics | undefined): Problem[] {
  if (metrics === undefined) {
    return [];
  }
  const { port, bindAddress } = completeMetrics(metrics, registryMetricsPort);
  return [...wholeNumbers(at, { port }, 1, 65535), ...bindAddressProblems(`${at}bindAddress`, bindAddress)];
}

/** A port of the Docker host, and what uses it. */
export interface TakenPort {
  key: string;
  port: number;
  is: string;
}

/** The ports of a registry's metrics, or of its mirror's. */
export function metricsPort(key: string, metrics: Metrics | undefined, usualPort: number, is: string): TakenPort[] {
  return metrics === undefined ? [] : [{ key, port: completeMetrics(metrics, usualPort).port, is }];
}

/** No port may be used twice. */
export function samePortProblems(ports: readonly TakenPort[]): Problem[] {
  return ports.flatMap(({ key, port }, index) => {
    const before = ports.slice(0, index).find((each) => each.port === port);
    return when(before !== undefined, key, `${port} is ${before?.is}; choose another one`);
  });
}
