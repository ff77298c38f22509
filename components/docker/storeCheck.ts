import { setTimeout as sleep } from "timers/promises";
import * as pulumi from "@pulumi/pulumi";
import {
  dockerCommand,
  dockerCommandWith,
  dockerFailed,
  EngineAddress,
  inspectContainer,
  inspectService,
  printedBy,
  trialRun,
} from "./engine";
import { failure } from "../checks/failure";
import { isMounted, Mounted } from "./folderTrial";
import { HostEntry, hostOptions } from "./hostEntries";
import { dataFolder } from "../render/configuration";
import { mountOf, SharedVolume, StoreTask, tryStoreByTask } from "./storeTask";

/** A folder or volume with images, whichever engine has it. */
export interface ServerFolder extends SharedVolume {
  /** The one engine that has it, if that is known. */
  engine?: EngineAddress;
}

/** A configuration that a registry is about to be switched to. */
export interface Preflight {
  engine: EngineAddress;
  imageId: string;
  /** The registry's container or service, which may be running with another configuration. */
  containerName?: string;
  serviceName?: string;
  /** Volume of the engine that has the configuration, and the folder it is mounted on. */
  filesVolume?: string;
  filesFolder?: string;
  configurationPath: string;
  /** Where the server has the images, if that is not a remote store. */
  folder?: ServerFolder;
  /** The images are in a volume that the engine makes for the server, and that is the same with every configuration. */
  ownVolume?: boolean;
  /** The configuration itself, if no volume has it. */
  configuration?: string;
  /** `NAME=value` of the server's environment. */
  environment: readonly string[];
  /** For the server's hosts file. */
  hosts: readonly HostEntry[];
  /** If only a task sees the store as the registry will: what the task shares with the registry. */
  task?: Pick<StoreTask, "files" | "networks" | "constraints">;
  /** Seconds for which a new store may refuse its new credentials, which are not known everywhere in a cloud at once. */
  patience?: number;
}

/** How long a store that was just made may refuse the registry, in seconds: an assigned role in Azure takes up to ten minutes. */
export const newStorePatience = 600;

/** Time between two tries of a new store, in seconds. */
const pause = 5;

/**
 * Lets the server's image try the store before the registry is switched to it, where the registry will run. A store that can't
 * be reached, refuses the credentials or lacks the bucket stops the deployment here; the running registry is left as it is. It is
 * also left alone if the server does not accept its new configuration.
 */
export async function checkStore(flight: Preflight): Promise<void> {
  const running = await whatRuns(flight);
  if (!isOnStore(flight, running)) {
    await awaitStore(flight, running);
  } else if (flight.serviceName === undefined && running !== undefined && !hasConfiguration(flight, running)) {
    // Swarm itself rolls back a service whose tasks do not start.
    await checkConfiguration(flight);
  }
  await tellOfImagesLeft(flight, running);
}

async function awaitStore(flight: Preflight, running: Running | undefined): Promise<void> {
  const { patience = 0 } = flight;
  const tries = Math.floor(patience / pause);
  for (let left = tries; ; left--) {
    try {
      await tryStore(flight);
      return;
    } catch (error) {
      if (left === 0 || (error as { code?: unknown }).code === dockerFailed) {
        const undone = running === undefined ? "made with" : "switched to";
        throw failure(`storage: the registry was not ${undone} this store: ${toldOf(flight, error)}`);
      }
      if (left === tries) {
        await pulumi.log.info(`The new store is not ready; trying for ${patience} seconds at most: ${printedBy(error)}`);
      }
      await sleep(pause * 1000);
    }
  }
}

/** The part of what an engine says of a container or service that tells which store it is on. */
interface Running {
  words: string[] | null;
  mounts: Mounted[] | null;
}

/** What runs under the registry's name; undefined if nothing does. */
function whatRuns({ engine, containerName, serviceName }: Preflight): Promise<Running | undefined> {
  return serviceName === undefined
    ? inspectContainer<Running>(engine, containerName ?? "", said(".Config.Cmd", ".Mounts"))
    : inspectService<Running>(engine, serviceName, said(`${ofTasks}.Args`, `${ofTasks}.Mounts`));
}

/**
 * Whether the registry is on this store already: with this configuration, or on this folder or volume, which no configuration names. If
 * that store has become full or read-only, this is no reason to refuse another change.
 */
function isOnStore(flight: Preflight, running: Running | undefined): boolean {
  const { folder, ownVolume = false } = flight;
  return (
    ownVolume || (folder === undefined ? hasConfiguration(flight, running) : isMounted(folder.source, running?.mounts ?? []))
  );
}

/** Tells of a switch to another store, as far as mounts show one: a user who does not expect it finds a registry without images. */
async function tellOfImagesLeft({ folder, ownVolume = false }: Preflight, running: Running | undefined): Promise<void> {
  const images = running?.mounts?.find(({ Destination, Target }) => (Destination ?? Target) === dataFolder);
  const stays =
    images === undefined ? ownVolume || folder !== undefined : !ownVolume && !isMounted(folder?.source ?? "", [images]);
  if (running !== undefined && stays) {
    const before = images === undefined ? "the store of before" : (images.Name ?? images.Source);
    await pulumi.log.warn(
      `storage: the registry's images stay in ${before}, and the registry goes on without them; ` +
        'to take them along, see "Moving to another store" in docs/storage.md',
    );
  }
}

function hasConfiguration({ configurationPath }: Preflight, running: Running | undefined): boolean {
  return running?.words?.includes(configurationPath) === true;
}

const ofTasks = ".Spec.TaskTemplate.ContainerSpec";

function said(words: string, mounts: string): string {
  return `{"words":{{json ${words}}},"mounts":{{json ${mounts}}}}`;
}

/** What a failed trial printed, with the user's name for the folder. */
function toldOf({ folder }: Preflight, error: unknown): string {
  const printed = printedBy(error);
  return folder === undefined ? printed : printed.replaceAll(folder.target, folder.source);
}

async function tryStore(flight: Preflight): Promise<void> {
  const { configuration, task, serviceName, folder } = flight;
  if (task !== undefined && serviceName !== undefined) {
    await tryStoreByTask({ ...flight, ...task, serviceName, volume: folder });
    return;
  }
  const engine = folder?.engine ?? flight.engine;
  const mounted = folder === undefined ? [] : ["--mount", mountOf({ source: folder.source, target: folder.target })];
  const words = [...trialWords(flight), ...mounted, ...hostOptions("--add-host", flight.hosts)];
  await (configuration === undefined
    ? dockerCommand(engine, ...words, flight.imageId, "check", flight.configurationPath)
    : dockerCommandWith(configuration, engine, ...words, "--interactive", flight.imageId, "check", "-"));
}

function trialWords({ filesVolume, filesFolder, environment }: Preflight): string[] {
  const files = filesVolume === undefined ? [] : ["--volume", `${filesVolume}:${filesFolder}:ro`];
  return [...trialRun, ...files, ...environment.flatMap((each) => ["--env", each])];
}

async function checkConfiguration(flight: Preflight): Promise<void> {
  try {
    await dockerCommand(flight.engine, ...trialWords(flight), flight.imageId, "check", "--file-only", flight.configurationPath);
  } catch (error) {
    const printed = printedBy(error);
    // An `up --target` of something else has written no files and made no image.
    if (printed.includes(`${flight.configurationPath}: no such file`) || printed.includes("unknown flag: --file-only")) {
      await pulumi.log.warn(`The new configuration of ${flight.containerName} is not there yet; it was not tried`);
      return;
    }
    const isUntried = (error as { code?: unknown }).code === dockerFailed;
    const why = isUntried ? "the engine could not try the new configuration" : "its server does not take the new configuration";
    throw failure(`The registry goes on as it was, as ${why}: ${printed}`);
  }
}
