import { dockerCommand, EngineAddress, inspectContainer, printedBy, trialRun } from "./engine";
import { failure } from "../checks/failure";
import { ownerName } from "../render/names";
import { mountOf } from "./storeTask";

/** A folder of the host or a volume that others made. */
export interface Folder {
  hostPath?: string;
  volumeName?: string;
}

/**
 * The part of an engine's description of a mount that tells what is mounted, and where: at the `Destination` in a container, or at the
 * `Target` in a service. To Swarm the source of a volume is its name.
 */
export interface Mounted {
  Name?: string;
  Source?: string;
  Destination?: string;
  Target?: string;
}

/** The part of `docker inspect` that tells what a container has handed over. */
interface Owner {
  State: { Status: string; ExitCode: number };
  Mounts: Mounted[];
}

/** Where the folder is tried. The server's own place is a folder in the image, so a file could not be mounted there. */
const place = "/to-hand-over";

/** Whether a folder of the host or a volume is among what is mounted. */
export function isMounted(source: string, mounts: readonly Mounted[]): boolean {
  return mounts.some(({ Name, Source }) => source === Name || source === Source);
}

/** Whether a container has handed over what it mounts. */
function isDone(owner: Owner | undefined): owner is Owner {
  return owner?.State.Status === "exited" && owner.State.ExitCode === 0;
}

/**
 * Lets the server's image try what is about to be handed over to its user. If it is not a folder, or has other people's files
 * in it, the deployment stops here, before any of it is handed over.
 */
export async function checkFolder(
  engine: EngineAddress,
  server: string,
  imageId: string,
  { hostPath, volumeName }: Folder,
): Promise<void> {
  const source = hostPath ?? volumeName ?? "";
  const owner = await inspectContainer<Owner>(engine, ownerName(server), "{{json .}}");
  if (isDone(owner) && isMounted(source, owner.Mounts)) {
    return;
  }
  // A folder that the registry already uses may be on a disk that is not mounted: Docker must not make another in its place.
  const running = hostPath && (await inspectContainer<Pick<Owner, "Mounts">>(engine, server, '{"Mounts":{{json .Mounts}}}'));
  const mount =
    running && isMounted(source, running.Mounts)
      ? ["--mount", mountOf({ source, target: place })]
      : ["--volume", `${source}:${place}`];
  try {
    await dockerCommand(
      engine,
      ...[...trialRun, "--user", "0:0", "--cap-add", "CHOWN", "--cap-add", "DAC_OVERRIDE", "--network", "none", ...mount],
      ...[imageId, "prepare", "--dry-run", place],
    );
  } catch (error) {
    const key = hostPath === undefined ? "storage.filesystem" : "storage.filesystem.hostPath";
    throw failure(`${key}: nothing was handed over to the registry: ${printedBy(error).replaceAll(place, source)}`);
  }
}

/**
 * Makes a container that could not hand over what it mounts try again. In Pulumi's state it has failed for good: none of its inputs
 * changes when somebody repairs the cause.
 */
export async function handOverAgain(engine: EngineAddress, container: string): Promise<void> {
  if (isDone(await inspectContainer<Owner>(engine, container, "{{json .}}"))) {
    return;
  }
  try {
    await dockerCommand(engine, "start", "--attach", container);
  } catch (error) {
    const printed = printedBy(error);
    const way = /No such container/i.test(printed) ? "pulumi up --refresh" : "correct that, and run pulumi up again";
    throw failure(`storage.filesystem: the folder or volume could not be given to the registry's user: ${printed}; ${way}`);
  }
}
