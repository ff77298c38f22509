import { isIPv6 } from "net";
import { dockerCommand, dockerFailed, EngineAddress, inspectContainer, printedBy, trialRun } from "./engine";
import { failure } from "../checks/failure";
import { hostPort, isSameAddress, isUnspecified } from "../checks/hosts";
import { mirrorName } from "../render/names";

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

/** The part of `docker inspect` that tells which addresses a container was made with, and which of them it has. */
interface Holder {
  running: boolean;
  /** It waits for its next start. To Docker it is running, but it has no address meanwhile. */
  restarting?: boolean;
  bindings?: Record<string, Binding[]> | null;
  published?: Record<string, Binding[] | null> | null;
}

const holder =
  '{"running":{{json .State.Running}},"restarting":{{json .State.Restarting}},"bindings":{{json .HostConfig.PortBindings}},"published":{{json .NetworkSettings.Ports}}}';

/** The image of a container that is about to be made. */
interface TriedImage {
  id: string;
  /** Whether it is the bundled server's. */
  bundled: boolean;
}

/**
 * Lets another container try the addresses that are new to an existing one, which has to go before its successor can be made with
 * them. An address that the host can't give stops the deployment here; the existing container stays as it is.
 */
export async function checkAddresses(
  engine: EngineAddress,
  container: string,
  image: TriedImage,
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
      await tryAddress({ engine, container, image }, each, port);
    }
  };
  const isInTheWay = (each: Publication): boolean => there.running && held.some((own) => covers(each, own));
  await tryAll(fresh.filter((each) => !isInTheWay(each)));
  const wider = fresh.filter(isInTheWay);
  if (wider.length > 0) {
    await whileStopped(engine, container, () => tryAll(wider));
  }
}

/** Whether one is the same port as the other, on every address of that kind. */
function covers(one: Publication, other: Publication): boolean {
  return one.external === other.external && isUnspecified(one.ip) && isIPv6(one.ip) === isIPv6(other.ip);
}

/** No container can have all addresses of a port while another one has the port on one of them. */
async function whileStopped(engine: EngineAddress, container: string, attempt: () => Promise<void>): Promise<void> {
  await dockerCommand(engine, "stop", container);
  await attempt().finally(async () => {
    try {
      // Even if it is to be replaced next: something else in the deployment may still prevent that.
      await dockerCommand(engine, "start", container);
    } catch (error) {
      throw failure(
        `The container ${container} was stopped to try its new address, and does not start again: ${printedBy(error)}`,
      );
    }
  });
}

/** An existing container, and the image of its successor. */
interface Trial {
  engine: EngineAddress;
  container: string;
  image: TriedImage;
}

async function tryAddress({ engine, container, image }: Trial, { ip, external }: Publication, port: number): Promise<void> {
  const refused = (why: string): Error =>
    failure(`The registry stays as it was: the Docker host can't give it ${hostPort(ip, external)} (port, bindAddress): ${why}`);
  // With this command the bundled server waits for a certificate that never comes; another image runs its own command.
  const words = [image.id, ...(image.bundled ? ["check-certificate"] : [])];
  // The trial is found by its label, because a name may be somebody else's.
  const label = `container-registry.trial-of=${container}`;
  const options = ["--detach", "--interactive", "--label", label, "--publish", `${hostPort(ip, port)}:1`];
  // An `up` that was interrupted has left its trial behind, which still has the port.
  const left = await dockerCommand(engine, "ps", "--all", "--quiet", "--filter", `label=${label}`);
  await remove(engine, ...left.split("\n").filter((id) => id !== ""));
  let trial: string;
  try {
    trial = await dockerCommand(engine, ...trialRun, ...options, ...words);
  } catch (error) {
    // It is enough that the engine got as far as starting it.
    if ((error as { code?: unknown }).code === dockerFailed) {
      throw refused(printedBy(error) + (await wayToThePort(engine, container, external)));
    }
    return;
  }
  try {
    if ((await unpublished(engine, trial)).length > 0) {
      throw refused(withoutIt);
    }
  } finally {
    await remove(engine, trial);
  }
}

async function remove(engine: EngineAddress, ...trials: string[]): Promise<void> {
  for (const trial of trials) {
    await dockerCommand(engine, "rm", "--force", "--volumes", trial).catch((error: unknown) => {
      // The engine itself removes a container that has ended.
      if (!/No such container|already in progress/i.test(printedBy(error))) {
        throw failure(`The container ${trial} could not be removed: ${printedBy(error)}`);
      }
    });
  }
}

/** Docker itself does not report a lost address. */
const withoutIt =
  'Docker starts the container without it. With "userland-proxy": false an IPv6 address takes a default bridge with IPv6: ' +
  'set "ipv6": true and a "fixed-cidr-v6" in the engine\'s daemon.json, let it have its proxy, or choose an IPv4 address';

/** The addresses that a running container was made with but does not have. */
async function unpublished(engine: EngineAddress, container: string): Promise<Binding[]> {
  const { running, restarting, bindings, published } = (await inspectContainer<Holder>(engine, container, holder)) ?? {
    running: false,
  };
  return running && !restarting
    ? Object.entries(bindings ?? {}).flatMap(([port, wanted]) => ((published?.[port] ?? []).length > 0 ? [] : wanted))
    : [];
}

/** Stops the deployment if a container runs without an address that it was made with. */
export async function checkPublished(engine: EngineAddress, container: string): Promise<void> {
  const [lost] = await unpublished(engine, container);
  if (lost !== undefined) {
    const address = hostPort(lost.HostIp, Number(lost.HostPort));
    throw failure(`Nobody reaches the container ${container} at ${address} (port, bindAddress): ${withoutIt}`);
  }
}

/** What to do if a registry wants the port of its own mirror, or the mirror the registry's: neither is removed before the other is made. */
async function wayToThePort(engine: EngineAddress, container: string, port: number): Promise<string> {
  const names = await dockerCommand(engine, "ps", "--filter", `publish=${port}`, "--format", "{{.Names}}").catch(() => "");
  const other = names.split("\n").find((name) => name === mirrorName(container) || container === mirrorName(name));
  return other === undefined
    ? ""
    : ` An up can't hand on a port, and ${other} has it: first give that a free one, or take it away, by an up that changes nothing else`;
}
