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
import { HostEntry, hostOptions } from "./hostEntries";
import { StoreTask, tryStoreByTask } from "./storeTask";

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
  /** The configuration itself, where no volume has it. */
  configuration?: string;
  /** `NAME=value` of the server's environment. */
  environment: readonly string[];
  /** For the server's hosts file. */
  hosts: readonly HostEntry[];
  /** Where only a task sees the store as the registry will: the task's files and networks. */
  task?: Pick<StoreTask, "files" | "networks">;
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
        throw failure(`storage: the registry was not switched to this store: ${printedBy(error)}`);
      }
      if (left === tries) {
        await pulumi.log.info(`The new store is not ready; trying for ${patience} seconds at most: ${printedBy(error)}`);
      }
      await sleep(pause * 1000);
    }
  }
}

/** Whether the registry runs with this configuration already. */
async function runsWith({ engine, containerName, serviceName, configurationPath }: Preflight): Promise<boolean> {
  const words =
    serviceName === undefined
      ? await inspectContainer<string[]>(engine, containerName ?? "", "{{json .Config.Cmd}}")
      : await inspectService<string[]>(engine, serviceName, "{{json .Spec.TaskTemplate.ContainerSpec.Args}}");
  return words?.includes(configurationPath) === true;
}

async function tryStore(flight: Preflight): Promise<void> {
  const { engine, configuration, task, serviceName } = flight;
  if (task !== undefined && serviceName !== undefined) {
    await tryStoreByTask({ ...flight, ...task, serviceName });
    return;
  }
  const words = [
    ...trialRun,
    ...(flight.filesVolume === undefined ? [] : ["--volume", `${flight.filesVolume}:${flight.filesFolder}:ro`]),
    ...flight.environment.flatMap((each) => ["--env", each]),
    ...hostOptions("--add-host", flight.hosts),
  ];
  await (configuration === undefined
    ? dockerCommand(engine, ...words, flight.imageId, "check", flight.configurationPath)
    : dockerCommandWith(configuration, engine, ...words, "--interactive", flight.imageId, "check", "-"));
}
