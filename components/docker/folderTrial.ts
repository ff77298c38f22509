import { dockerCommand, EngineAddress, inspectContainer, printedBy, trialRun } from "./engine";
import { failure } from "../checks/failure";
import { mountOf } from "./storeTask";

/** A folder of the host or a volume that others made. */
export interface Folder {
  hostPath?: string;
  volumeName?: string;
}

/**
 * The part of what an engine says of a mount that tells what is mounted, and where: to a container's `Destination`, or to a service's
 * `Target`. To Swarm the source of a volume is its name.
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

/** Where it is tried. Onto the server's own place, a folder in the image, no file could be mounted. */
const place = "/to-hand-over";

/** Whether a folder of the host or a volume is among what is mounted. */
export function isMounted(source: string, mounts: readonly Mounted[]): boolean {
  return mounts.some(({ Name, Source }) => source === Name || source === Source);
}

/**
 * Lets the server's image try what a container is about to hand over to its user. What is no folder, or has other people's files in
 * it, stops the deployment here, before anything of it was handed over.
 */
export async function checkFolder(
  engine: EngineAddress,
  container: string,
  imageId: string,
  { hostPath, volumeName }: Folder,
): Promise<void> {
  const source = hostPath ?? volumeName ?? "";
  const owner = await inspectContainer<Owner>(engine, container, "{{json .}}");
  const isDone = owner?.State.Status === "exited" && owner.State.ExitCode === 0;
  if (isDone && isMounted(source, owner.Mounts)) {
    return;
  }
  // One that the registry has already may be on a disk that is not mounted: Docker is not to make another in its place.
  const registry = container.replace(/-data-owner$/, "");
  const running = hostPath && (await inspectContainer<Pick<Owner, "Mounts">>(engine, registry, '{"Mounts":{{json .Mounts}}}'));
  const mount =
    running && isMounted(source, running.Mounts)
      ? ["--mount", `${mountOf({ source, target: place })},readonly`]
      : ["--volume", `${source}:${place}:ro`];
  try {
    await dockerCommand(
      engine,
      ...[...trialRun, "--user", "0:0", "--cap-add", "DAC_OVERRIDE", "--network", "none", ...mount],
      ...[imageId, "prepare", "--dry-run", place],
    );
  } catch (error) {
    const key = hostPath === undefined ? "storage.filesystem" : "storage.filesystem.hostPath";
    throw failure(`${key}: nothing was handed over to the registry: ${printedBy(error).replaceAll(place, source)}`);
  }
}
