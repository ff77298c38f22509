import { Resources } from "../args/registry";
import { isHostName, isIpAddress } from "./hosts";
import { Problem, shown } from "./problems";
import { when, wholeNumbers } from "./rules";

/** What the engine accepts as the name of a container or volume. */
export const dockerName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** The engine's objects are named after the component. */
export function nameProblems(name: string): Problem[] {
  return when(
    !dockerName.test(name),
    "name",
    `${shown(name)} is not allowed as a component's name; use two or more letters, digits and _.-, a letter or digit first`,
  );
}

/** What is wrong with how a container runs. */
export function containerProblems(hosts: Record<string, string>, { memory, processes }: Required<Resources>): Problem[] {
  return [...hostsProblems(hosts), ...wholeNumbers("resources.", { memory, processes }, 64, 1 << 20)];
}

function hostsProblems(hosts: Record<string, string>): Problem[] {
  return Object.entries(hosts).flatMap(([host, ip]) => [
    ...when(!isHostName(host), `hosts.${host}`, "has a name that is not allowed; give a DNS name"),
    ...when(
      !isIpAddress(ip) && ip !== "host-gateway",
      `hosts.${host}`,
      `${shown(ip)} is not allowed; give an IP address, or host-gateway for the Docker host`,
    ),
  ]);
}
