import { setTimeout as sleep } from "timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { dockerCommand, EngineAddress, printedBy } from "./engine";
import { failure } from "../checks/failure";
import { HostEntry, hostOptions } from "./hostEntries";

/** A file for the task, from a secret of the Swarm. */
export interface TaskFile {
  secretName: string;
  fileName: string;
  fileUid: string;
}

/** A volume that each node makes for itself when the first task comes, and its place in the task. */
export interface SharedVolume {
  source: string;
  target: string;
  driver?: string;
  options?: Record<string, string>;
}

/** The task that tries a store if only a task of the Swarm sees it as the registry will. */
export interface StoreTask {
  engine: EngineAddress;
  imageId: string;
  /** The registry's service. */
  serviceName: string;
  configurationPath: string;
  files: readonly TaskFile[];
  /** Overlay networks that lead to the store. */
  networks: readonly string[];
  /** The store itself, if it is a volume. */
  volume?: SharedVolume;
  /** Where the registry's own tasks may run, if that matters to the store. */
  constraints: readonly string[];
  environment: readonly string[];
  hosts: readonly HostEntry[];
}

/** Seconds for a task to start and for the store to answer it. */
const patience = 90;

/**
 * Makes a task on the manager's node try the store, with the registry's own files and networks; throws with what it said. If that node
 * can't have the task, it warns of that, and nothing is tried.
 */
export async function tryStoreByTask(task: StoreTask): Promise<void> {
  const { engine } = task;
  const [node, availability] = (
    await dockerCommand(engine, "node", "inspect", "--format", "{{.ID}} {{.Spec.Availability}}", "self")
  ).split(" ");
  if (availability !== "active") {
    // Another node need not have the image yet.
    await tellUntried(`the manager's node takes no tasks (${availability})`);
    return;
  }
  const name = `${task.serviceName}-check`;
  await remove(engine, name);
  try {
    await dockerCommand(
      engine,
      ...["service", "create", "--detach", "--quiet", "--name", name, "--mode", "replicated-job", "--restart-condition", "none"],
      ...[`node.id==${node}`, ...task.constraints].flatMap((each) => ["--constraint", each]),
      ...["--no-resolve-image", "--read-only", "--cap-drop", "ALL"],
      ...task.files.flatMap((file) => [
        "--secret",
        `source=${file.secretName},target=${file.fileName},uid=${file.fileUid},gid=${file.fileUid},mode=0400`,
      ]),
      ...(task.volume === undefined ? [] : ["--mount", mountOf(task.volume)]),
      ...task.networks.flatMap((each) => ["--network", each]),
      ...task.environment.flatMap((each) => ["--env", each]),
      ...hostOptions("--host", task.hosts),
      ...[task.imageId, "check", task.configurationPath],
    );
    await untilDone(engine, name, task.volume);
  } finally {
    await remove(engine, name);
  }
}

function tellUntried(why: string): Promise<void> {
  return pulumi.log.warn(`storage: the store was not tried before the registry is switched to it: ${why}`);
}

/** A volume, or a folder that has to exist, in the form of an option of the docker command: one line of CSV. */
export function mountOf({ source, target, driver, options = {} }: SharedVolume): string {
  const type = source.startsWith("/") ? "bind" : "volume";
  return [
    ...[`type=${type}`, `source=${source}`, `target=${target}`, ...(driver === undefined ? [] : [`volume-driver=${driver}`])],
    ...Object.entries(options).map(([option, value]) => `volume-opt=${option}=${value}`),
  ]
    .map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",");
}

async function untilDone(engine: EngineAddress, name: string, volume?: SharedVolume): Promise<void> {
  const format = ["--no-trunc", "--format", "{{.CurrentState}}\t{{.Error}}"];
  const end = Date.now() + patience * 1000;
  for (;;) {
    const [state = "", error = ""] = (await dockerCommand(engine, "service", "ps", ...format, name)).split("\t");
    // The manager is not one of the registry's nodes, and need not have what the volume requires.
    if (volume !== undefined && state.startsWith("Pending") && error.includes("no suitable node")) {
      return tellUntried(`the manager's node can have no task with that volume: ${error}`);
    }
    if (state.startsWith("Complete")) {
      return;
    }
    if (state.startsWith("Failed")) {
      throw failure(await dockerCommand(engine, "service", "logs", "--raw", name));
    }
    if (state.startsWith("Rejected") || Date.now() > end) {
      throw failure(`the task that tries it is ${state}: ${error}`);
    }
    await sleep(200);
  }
}

/** An interrupted check leaves its service behind; and Swarm keeps the containers of a job that has ended, whatever becomes of it. */
async function remove(engine: EngineAddress, name: string): Promise<void> {
  await dockerCommand(engine, "service", "rm", name).catch((error: unknown) => {
    if (!/not found/i.test(printedBy(error))) {
      throw error;
    }
  });
  const ofService = ["--filter", `label=com.docker.swarm.service.name=${name}`];
  const containers = (await dockerCommand(engine, "ps", "--all", "--quiet", ...ofService)).split("\n").filter(Boolean);
  if (containers.length > 0) {
    await dockerCommand(engine, "rm", "--force", ...containers);
  }
}
