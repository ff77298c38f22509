import { isIPv6 } from "net";
import { dockerCommand, dockerFailed, EngineAddress, inspectContainer, printedBy, trialRun } from "./engine";
import { failure } from "../checks/failure";
import { hostPort, isSameAddress, isUnspecified } from "../checks/hosts";

/** An address and a port of the Docker host that a container is to be reached by. */
export interface Publication {
  ip: string;
  external: number;
}

/** To Docker, any port that is free. */
const anyPort = 0;

/** What Docker calls a publication. */
interface Binding {
  HostIp: string;
  HostPort: string;
}

/** The part of `docker inspect` that tells what a container keeps others from. */
interface Holder {
  running: boolean;
  bindings: Record<string, Binding[]> | null;
}

const holder = '{"running":{{json .State.Running}},"bindings":{{json .HostConfig.PortBindings}}}';

/**
 * Lets another container have the addresses that are new to one that is there, which has to go before it can be made with them.
 * An address that the host can't give stops the deployment here; the container stays as it is.
 */
export async function checkAddresses(
  engine: EngineAddress,
  container: string,
  imageId: string,
  wanted: readonly Publication[],
): Promise<void> {
  const there = await inspectContainer<Holder>(engine, container, holder);
  if (there === undefined) {
    return;
  }
  const held = Object.values(there.bindings ?? {})
    .flat()
    .map(({ HostIp, HostPort }) => ({ ip: HostIp, external: Number(HostPort) }));
  const fresh = wanted.filter((each) => !held.some((own) => own.external === each.external && isSameAddress(own.ip, each.ip)));
  const tryAll = async (addresses: readonly Publication[]): Promise<void> => {
    for (const each of addresses) {
      // The container itself has the port on every address: this one is tried on any other.
      const port = there.running && held.some((own) => covers(own, each)) ? anyPort : each.external;
      await tryAddress({ engine, container, imageId }, each, port);
    }
  };
  const isInTheWay = (each: Publication): boolean => there.running && held.some((own) => covers(each, own));
  await tryAll(fresh.filter((each) => !isInTheWay(each)));
  const wider = fresh.filter(isInTheWay);
  if (wider.length > 0) {
    await whileStopped(engine, container, () => tryAll(wider));
  }
}

/** Whether one is the other's port on every address there is of its kind. */
function covers(one: Publication, other: Publication): boolean {
  return one.external === other.external && isUnspecified(one.ip) && isIPv6(one.ip) === isIPv6(other.ip);
}

/** Nobody can have all addresses of a port while another one has it on one of them. */
async function whileStopped(engine: EngineAddress, container: string, attempt: () => Promise<void>): Promise<void> {
  await dockerCommand(engine, "stop", container);
  await attempt().finally(async () => {
    try {
      // Also where it is to go next: something else of the deployment may still keep it.
      await dockerCommand(engine, "start", container);
    } catch (error) {
      throw failure(
        `The container ${container} was stopped to try its new address, and does not start again: ${printedBy(error)}`,
      );
    }
  });
}

/** A container that is there, and the image of the one after it. */
interface Trial {
  engine: EngineAddress;
  container: string;
  imageId: string;
}

async function tryAddress({ engine, container, imageId }: Trial, { ip, external }: Publication, port: number): Promise<void> {
  try {
    await dockerCommand(engine, ...trialRun, "--publish", `${hostPort(ip, port)}:1`, imageId, "version");
  } catch (error) {
    // Another image need not know that word: it is enough that the engine has come to start it.
    if ((error as { code?: unknown }).code === dockerFailed) {
      throw failure(
        `The registry stays as it was: the Docker host can't give it ${hostPort(ip, external)} (port, bindAddress): ` +
          printedBy(error) +
          (await wayToThePort(engine, container, external)),
      );
    }
  }
}

/** What to do where a registry wants the port of its own mirror, or that one the registry's: neither goes before the other. */
async function wayToThePort(engine: EngineAddress, container: string, port: number): Promise<string> {
  const names = await dockerCommand(engine, "ps", "--filter", `publish=${port}`, "--format", "{{.Names}}").catch(() => "");
  const other = names.split("\n").find((name) => name === `${container}-mirror` || container === `${name}-mirror`);
  return other === undefined
    ? ""
    : ` An up can't hand on a port, and ${other} has it: first give that a free one, or take it away, by an up that changes nothing else`;
}
