import { hostPort, isDnsName, isIpAddress, isLoopback, isUnspecified } from "./hosts";
import { Problem, shown } from "./problems";
import { when, wholeNumbers } from "./rules";

/** Where clients reach the registry. */
export interface AddressSettings {
  hostname: string;
  port: number;
  bindAddress: string;
  allowInsecure: boolean;
}

/** A name or address that clients could use. */
export function hostnameProblems(key: string, hostname: string): Problem[] {
  return when(
    (!isDnsName(hostname) && !isIpAddress(hostname)) || isUnspecified(hostname),
    key,
    `${shown(hostname)} is not allowed; give the DNS name or IP address that clients use, without scheme, port or path`,
  );
}

export function addressProblems({ hostname, port, bindAddress }: AddressSettings): Problem[] {
  return [
    ...hostnameProblems("hostname", hostname),
    ...wholeNumbers("", { port }, 1, 65535),
    ...when(
      !isIpAddress(bindAddress),
      "bindAddress",
      `${shown(bindAddress)} is not allowed; give an IP address of the Docker host, 127.0.0.1, or 0.0.0.0 for all`,
    ),
  ];
}

/** Plain HTTP or no users: on loopback only, where nobody else can listen in, or by an explicit word. */
export function openProblems(key: string, what: string, remedy: string, address: AddressSettings): Problem[] {
  const open = [address.hostname, address.bindAddress].find((host) => !isLoopback(host));
  return open === undefined
    ? []
    : when(
        !address.allowInsecure,
        key,
        `${what} is accepted on loopback addresses only, and ${hostPort(open, address.port)} is not one; ` +
          `${remedy}, use 127.0.0.1 and localhost, or set allowInsecure to true if you accept the risk`,
      );
}
