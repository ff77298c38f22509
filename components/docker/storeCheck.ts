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
import { mountOf, SharedVolume, StoreTask, tryStoreByTask } from "./storeTask";

/** A folder or volume with images, whichever engine has it. */
export interface ServerFolder extends SharedVolume {
  /** The one engine that has it, where that is known. */
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
  /** What the server has the images in, where that is no remote store. */
  folder?: ServerFolder;
  /** The configuration itself, where no volume has it. */
  configuration?: string;
  /** `NAME=value` of the server's environment. */
  environment: readonly string[];
  /** For the server's hosts file. */
  hosts: readonly HostEntry[];
  /** Where only a task sees the store as the registry will: what the task has of the registry's. */
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
 * be reached, refuses the credentials or lacks the bucket stops the deployment here; the running registry is left as it is.
 */
export async function checkStore(flight: Preflight): Promise<void> {
  if (await runsWith(flight)) {
    return;
  }
  const { patience = 0 } = flight;
  const tries = Math.floor(patience / pause);
  for (let left = tries; ; left--) {
    try {
      await tryStore(flight);
      return;
    } catch (error) {
      if (left === 0 || (error as { code?: unknown }).code === dockerFailed) {
        throw failure(`storage: the registry was not switched to this store: ${toldOf(flight, error)}`);
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

/**
 * Whether the registry is on this store already: with this configuration, or on this folder or volume, which no configuration names. One
 * that is full meanwhile, or can only be read, is no reason to keep another change from it.
 */
async function runsWith({ engine, containerName, serviceName, configurationPath, folder }: Preflight): Promise<boolean> {
  const running =
    serviceName === undefined
      ? await inspectContainer<Running>(engine, containerName ?? "", said(".Config.Cmd", ".Mounts"))
      : await inspectService<Running>(engine, serviceName, said(`${ofTasks}.Args`, `${ofTasks}.Mounts`));
  return folder === undefined
    ? running?.words?.includes(configurationPath) === true
    : isMounted(folder.source, running?.mounts ?? []);
}

const ofTasks = ".Spec.TaskTemplate.ContainerSpec";

function said(words: string, mounts: string): string {
  return `{"words":{{json ${words}}},"mounts":{{json ${mounts}}}}`;
}

/** What a try ended with, with the user's name for the folder. */
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
  const words = [
    ...trialRun,
    ...(flight.filesVolume === undefined ? [] : ["--volume", `${flight.filesVolume}:${flight.filesFolder}:ro`]),
    ...(folder === undefined ? [] : ["--mount", mountOf({ source: folder.source, target: folder.target })]),
    ...flight.environment.flatMap((each) => ["--env", each]),
    ...hostOptions("--add-host", flight.hosts),
  ];
  const engine = folder?.engine ?? flight.engine;
  await (configuration === undefined
    ? dockerCommand(engine, ...words, flight.imageId, "check", flight.configurationPath)
    : dockerCommandWith(configuration, engine, ...words, "--interactive", flight.imageId, "check", "-"));
}
