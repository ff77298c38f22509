import { setTimeout as sleep } from "timers/promises";
import { isDeepStrictEqual } from "util";
import { dockerCommand, EngineAddress, printedBy } from "./engine";
import { failure } from "../checks/failure";

/** Seconds in which at least one more task has to run: a drained task's end, an image's way to a node and a healthy start fit in. */
const secondsOfPatience = 150;

/** Tasks that fail one after the other, of a new service or on one of its nodes, before it is given up. */
const failuresOfAStart = 4;

/** The part of `docker service inspect` that is read. */
interface Service {
  Spec: { TaskTemplate: object; Mode: { Replicated?: { Replicas: number } }; EndpointSpec?: object };
  PreviousSpec?: { EndpointSpec?: object };
  UpdateStatus?: { State?: string; Message?: string };
}

/** The part of `docker inspect` of a task that is read. */
interface Task {
  ID: string;
  NodeID?: string;
  Spec: object;
  Status: { State: string; Err?: string; Message?: string; ContainerStatus?: { ContainerID?: string } };
  DesiredState: string;
}

/**
 * Waits until an update of a service is done, as `untilRolledOut` does. A new service is not waited for: it has no tasks of before, which
 * could come back.
 */
export async function untilUpdated(engine: EngineAddress, service: string): Promise<void> {
  const { PreviousSpec, UpdateStatus } = await inspected(engine, service);
  // A roll-back takes away the first, an update begins without the second.
  if (PreviousSpec !== undefined || UpdateStatus !== undefined) {
    await untilRolledOut(engine, service);
  }
}

/**
 * Waits until every task of a service is one of its present definition and is healthy. An update that Swarm gave up is an error: by
 * then the old tasks are back. The provider can wait too, but not for a service with a task on every node.
 */
export async function untilRolledOut(engine: EngineAddress, service: string): Promise<void> {
  let best = -1;
  let end = 0;
  /** What failed before counts no longer: its cause may be gone by now. */
  let past: Set<string> | undefined;
  for (;;) {
    const now = await inspected(engine, service);
    const tasks = await tasksOf(engine, service);
    const wanted = tasks.filter(({ DesiredState }) => DesiredState === "running" || DesiredState === "ready");
    const running = wanted.filter(({ Spec, Status }) => isCurrent(Spec, now) && Status.State === "running");
    const state = now.UpdateStatus?.State ?? "";
    if (running.length !== best) {
      best = running.length;
      end = Date.now() + secondsOfPatience * 1000;
    }
    const late = Date.now() > end;
    // Swarm says so before all tasks of before are back.
    const comingBack = state === "rollback_completed" && wanted.some(({ Status }) => Status.State !== "running") && !late;

    if (!comingBack && /^(rollback_completed|rollback_paused|paused)$/.test(state)) {
      const outcome = state === "rollback_completed" ? "was rolled back and runs as before" : `is stuck (${state})`;
      throw failure(
        `The update of the service ${service} failed, and the service ${outcome}: ${now.UpdateStatus?.Message ?? ""}\n` +
          // To Pulumi the service is what it was to become: with nothing else to change, an `up` leaves it alone.
          "Correct the configuration, or put it back, and run: pulumi up. Where the cause was another, take it away, leave the " +
          "configuration as it is, and run: pulumi up --refresh\n" +
          (await reasons(engine, tasks)) +
          (await lastWords(engine, tasks)),
      );
    }
    const done = state === "completed" || (state === "" && (!isToMove(now) || late));
    const expected = now.Spec.Mode.Replicated?.Replicas ?? Math.max(wanted.length, 1);
    if (done && running.length === expected && wanted.length === expected) {
      return;
    }
    past ??= new Set(failed(tasks).map(({ ID }) => ID));
    const fresh = failed(tasks).filter(({ ID }) => past?.has(ID) === false);
    const global = now.Spec.Mode.Replicated === undefined;
    const hopeless =
      state === "" &&
      (global
        ? isSettledAndHopeless(tasks, running, fresh)
        : running.length === 0 && fresh.length >= failuresOfAStart * expected);
    if (hopeless || late) {
      // Those of before have nothing to say about it.
      const present = tasks.filter(({ Spec }) => isCurrent(Spec, now));
      throw failure(
        `${standstill(service, state, `${running.length} of ${expected} tasks`)}\n` +
          (await reasons(engine, present)) +
          (await lastWords(engine, present)),
      );
    }
    await sleep(300);
  }
}

/** What does not get on, in one sentence; `count` is of the tasks that do. */
function standstill(service: string, state: string, count: string): string {
  switch (state) {
    case "updating":
      return `The update of the service ${service} does not get on: ${count} are new, and those that none replaced yet serve on.`;
    case "rollback_started":
      return `The roll-back of the service ${service} does not get on: ${count} are back.`;
    default:
      return `The service ${service} did not start: ${count} run.`;
  }
}

async function inspected(engine: EngineAddress, service: string): Promise<Service> {
  return JSON.parse(await dockerCommand(engine, "service", "inspect", "--format", "{{json .}}", service)) as Service;
}

async function tasksOf(engine: EngineAddress, service: string): Promise<Task[]> {
  for (;;) {
    const ids = (await dockerCommand(engine, "service", "ps", "--quiet", "--no-trunc", service)).split("\n").filter(Boolean);
    if (ids.length === 0) {
      return [];
    }
    try {
      return JSON.parse(await dockerCommand(engine, "inspect", "--type", "task", ...ids)) as Task[];
    } catch (error) {
      // Swarm keeps a few of a slot's old tasks: one may have gone since the list was made.
      if (!/task \S+ not found|No such task/i.test(printedBy(error))) {
        throw error;
      }
    }
  }
}

/**
 * Whether a task is one of the service's present definition, which says more than a task does of the runtime, and may say
 * something else of the placement: a task that is where it may be stays.
 */
function isCurrent(task: object, { Spec: { TaskTemplate } }: Service): boolean {
  const compared = { Runtime: undefined, Placement: undefined };
  return isDeepStrictEqual({ ...task, ...compared }, { ...TaskTemplate, ...compared });
}

/**
 * Whether Swarm has yet to begin with an update of the ports. A task's definition does not have them, so those of before look like new
 * ones. Swarm says nothing of an update that had no task to replace.
 */
function isToMove({ Spec, PreviousSpec, UpdateStatus }: Service): boolean {
  return (
    UpdateStatus === undefined && PreviousSpec !== undefined && !isDeepStrictEqual(Spec.EndpointSpec, PreviousSpec.EndpointSpec)
  );
}

function failed(tasks: readonly Task[]): Task[] {
  return tasks.filter(({ Status }) => Status.State === "failed" || Status.State === "rejected");
}

/** Whether a service with a task on every node runs on all of them but those on which tasks only fail. */
function isSettledAndHopeless(tasks: readonly Task[], running: readonly Task[], failures: readonly Task[]): boolean {
  const on = (all: readonly Task[], node: string | undefined): number => all.filter(({ NodeID }) => NodeID === node).length;
  const without = tasks.filter(({ NodeID }) => on(running, NodeID) === 0);
  return without.length > 0 && without.every(({ NodeID }) => on(failures, NodeID) >= failuresOfAStart);
}

/** Why tasks failed or wait, and on which nodes; each reason once. */
async function reasons(engine: EngineAddress, tasks: readonly Task[]): Promise<string> {
  const nodes = new Map(
    (await dockerCommand(engine, "node", "ls", "--format", "{{.ID}} {{.Hostname}}").catch(() => ""))
      .split("\n")
      .map((line) => line.split(" ", 2) as [string, string]),
  );
  const told = [...failed(tasks), ...tasks.filter(({ Status }) => Status.State === "pending")].map(({ NodeID = "", Status }) => {
    const node = nodes.get(NodeID);
    return `  ${Status.State}${node === undefined ? "" : ` on ${node}`}: ${Status.Err ?? Status.Message ?? "no reason given"}\n`;
  });
  return [...new Set(told)].slice(0, 10).join("");
}

/** What a task that failed said, or else one that does not get ready. Docker waits long for the words of one that had no container. */
async function lastWords(engine: EngineAddress, tasks: readonly Task[]): Promise<string> {
  const starting = tasks.filter(({ Status }) => Status.State === "starting");
  const [speaker] = (failed(tasks).length > 0 ? failed(tasks) : starting).filter(
    ({ Status }) => Status.ContainerStatus?.ContainerID,
  );
  if (speaker === undefined) {
    return "";
  }
  try {
    return await dockerCommand(engine, "service", "logs", "--raw", "--tail", "20", speaker.ID);
  } catch (error) {
    return printedBy(error);
  }
}
