import { dockerCommand, dockerFailed, EngineAddress, inspectContainer, printedBy, trialRun } from "./engine";
import { failure } from "../checks/failure";
import { hostPort, isUnspecified } from "../checks/hosts";

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

/**
 * Lets another container have the addresses that are new to one that is there, which has to go before it can be made with them.
 * An address that the host can't give stops the deployment here; the container is left as it is.
 */
export async function checkAddresses(
  engine: EngineAddress,
  container: string,
  imageId: string,
  wanted: readonly Publication[],
): Promise<void> {
  const bindings = await inspectContainer<Record<string, Binding[]> | null>(
    engine,
    container,
    "{{json .HostConfig.PortBindings}}",
  );
  if (bindings === undefined) {
    return;
  }
  const held = Object.values(bindings ?? {}).flat();
  for (const { ip, external } of wanted) {
    const onPort = held.filter(({ HostPort }) => HostPort === String(external));
    if (onPort.length === 0) {
      await tryAddress(engine, imageId, { ip, external }, external);
    } else if (!onPort.some(({ HostIp }) => HostIp === ip) && !isUnspecified(ip)) {
      // The container itself has the port: the address is tried on any other one.
      await tryAddress(engine, imageId, { ip, external }, anyPort);
    }
  }
}

async function tryAddress(engine: EngineAddress, imageId: string, { ip, external }: Publication, port: number): Promise<void> {
  try {
    await dockerCommand(engine, ...trialRun, "--publish", `${hostPort(ip, port)}:1`, imageId, "version");
  } catch (error) {
    // Another image need not know that word: it is enough that the engine has come to start it.
    if ((error as { code?: unknown }).code === dockerFailed) {
      throw failure(
        `The registry was left as it was: the Docker host can't give it ${hostPort(ip, external)} (port, bindAddress): ${printedBy(error)}`,
      );
    }
  }
}
