import { setTimeout as sleep } from "timers/promises";
import { isDeepStrictEqual } from "util";
import * as pulumi from "@pulumi/pulumi";
import { dockerCommand, EngineAddress, inspectService, printedBy, unanswered } from "./engine";
import { failure } from "../checks/failure";

/** Seconds in which at least one more task has to run: a drained task's end, an image's way to a node and a healthy start fit in. */
const secondsOfPatience = 150;

/** Seconds in which a node has to come back that tasks wait for, as none of the others may have them. */
const secondsForANode = 20;

/** Why such tasks wait. Room and ports come free by themselves: with one of these among the reasons there is more patience. */
const withoutNode =
  /^no suitable node \((\d+ nodes? not available for new tasks|scheduling constraints not satisfied on \d+ nodes?|; )+\)$/;

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

/** A line of `docker node ls`. */
interface Node {
  id: string;
  hostname: string;
  status: string;
  availability: string;
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
 * then the old tasks are back. The provider can wait too, but not for a service with a task on every node. Somebody may have given the
 * service another number of tasks than `replicas`: that is no fault of this deployment, which has nothing to change.
 */
export async function untilRolledOut(engine: EngineAddress, service: string, replicas?: number): Promise<void> {
  let best = -1;
  let end = 0;
  let waitingSince = Date.now();
  /** What failed before counts no longer: its cause may be gone by now. */
  let past: Set<string> | undefined;
  for (;;) {
    const now = await inspected(engine, service);
    const tasks = await tasksOf(engine, service);
    const wanted = tasks.filter(({ DesiredState }) => DesiredState === "running" || DesiredState === "ready");
    const before = wanted.filter(({ Spec }) => !isCurrent(Spec, now));
    const underway = wanted.filter(({ Spec, Status }) => isCurrent(Spec, now) && Status.State !== "running");
    const running = wanted.filter((task) => !before.includes(task) && !underway.includes(task));
    const state = now.UpdateStatus?.State ?? "";
    const time = Date.now();
    if (running.length !== best) {
      best = running.length;
      end = time + secondsOfPatience * 1000;
    }
    const waitForANode =
      wanted.length === 0 || (underway.length > 0 && underway.every(({ Status }) => withoutNode.test(Status.Err ?? "")));
    if (!waitForANode) {
      waitingSince = time;
    }
    const late = time > end || time > waitingSince + secondsForANode * 1000;
    // Swarm says so before all tasks of before are back.
    const comingBack = state === "rollback_completed" && wanted.some(({ Status }) => Status.State !== "running") && !late;

    if (!comingBack && /^(rollback_completed|rollback_paused|paused)$/.test(state)) {
      const outcome = state === "rollback_completed" ? "was rolled back and runs as before" : `is stuck (${state})`;
      throw failure(
        `The update of the service ${service} failed, and the service ${outcome}: ${now.UpdateStatus?.Message ?? ""}\n` +
          // To Pulumi the service is what it was to become: with nothing else to change, an `up` leaves it alone.
          "Correct the configuration, or put it back, and run: pulumi up. Where the cause was another, take it away, leave the " +
          "configuration as it is, and run: pulumi up --refresh\n" +
          reasons(await nodesOf(engine), tasks) +
          (await lastWords(engine, tasks)),
      );
    }
    const done = state === "completed" || (state === "" && (!isToMove(now) || late));
    const { Replicated } = now.Spec.Mode;
    const expected = Replicated?.Replicas ?? Math.max(wanted.length, 1);
    if (done && running.length === expected && wanted.length === expected) {
      if (Replicated !== undefined && replicas !== undefined && expected !== replicas) {
        await pulumi.log.warn(
          `The service ${service} has ${expected} tasks instead of ${replicas}; bring that number back with: pulumi up --refresh`,
        );
      }
      return;
    }
    // Swarm leaves such nodes out, and calls the update done; it says nothing at all where all of them are paused.
    if (Replicated === undefined && /^(completed)?$/.test(state) && before.length > 0 && underway.length === 0) {
      const nodes = (await nodesOf(engine)).filter(({ id }) => before.some(({ NodeID }) => NodeID === id));
      if (nodes.length > 0 && nodes.every(({ availability }) => availability === "Pause")) {
        throw failure(
          `The update of the service ${service} left out nodes that are paused: there tasks of before serve on, with their ` +
            `certificate and passwords.\n${waysBack(nodes)}`,
        );
      }
    }
    past ??= new Set(failed(tasks).map(({ ID }) => ID));
    const fresh = failed(tasks).filter(({ ID }) => past?.has(ID) === false);
    const hopeless =
      state === "" &&
      (Replicated === undefined
        ? isSettledAndHopeless(tasks, running, fresh)
        : running.length === 0 && fresh.length >= failuresOfAStart * expected);
    if (hopeless || late) {
      // Those of before have nothing to say about it.
      const present = tasks.filter(({ Spec }) => isCurrent(Spec, now));
      const nodes = await nodesOf(engine);
      const serving = before.some(({ Status }) => Status.State === "running");
      throw failure(
        `${standstill(service, state, `${running.length} of ${expected} tasks`, serving)}\n` +
          reasons(nodes, present) +
          (waitForANode ? waysBack(nodes) : "") +
          (await lastWords(engine, present)),
      );
    }
    await sleep(300);
  }
}

/** What does not get on, in one sentence; `count` is of the tasks that do, and `serving` whether there are others of before. */
function standstill(service: string, state: string, count: string, serving: boolean): string {
  switch (state) {
    case "updating":
      return (
        `The update of the service ${service} does not get on: ${count} are new, and ` +
        (serving ? "those that none replaced yet serve on." : "none of before runs.")
      );
    case "rollback_started":
      return `The roll-back of the service ${service} does not get on: ${count} are back.`;
    default:
      return `The service ${service} is not complete: ${count} run.`;
  }
}

async function inspected(engine: EngineAddress, service: string): Promise<Service> {
  const found = await inspectService<Service>(engine, service, "{{json .}}");
  if (found === undefined) {
    throw failure(`The service ${service} is gone; bring it back with: pulumi up --refresh`);
  }
  return found;
}

async function tasksOf(engine: EngineAddress, service: string): Promise<Task[]> {
  for (;;) {
    try {
      const ids = (await dockerCommand(engine, "service", "ps", "--quiet", "--no-trunc", service)).split("\n").filter(Boolean);
      return ids.length === 0 ? [] : (JSON.parse(await dockerCommand(engine, "inspect", "--type", "task", ...ids)) as Task[]);
    } catch (error) {
      // Swarm keeps a few of a slot's old tasks: one may have gone since the list was made.
      if (!/task \S+ not found|No such task/i.test(printedBy(error))) {
        throw unanswered(`the tasks of ${service}`, error);
      }
    }
  }
}

/** The Swarm's nodes; none where the manager gives no answer, which is the lesser trouble where they are asked for. */
async function nodesOf(engine: EngineAddress): Promise<Node[]> {
  const format = "{{.ID}} {{.Hostname}} {{.Status}} {{.Availability}}";
  const lines = (await dockerCommand(engine, "node", "ls", "--format", format).catch(() => "")).split("\n").filter(Boolean);
  return lines
    .map((line) => line.split(" "))
    .map(([id = "", hostname = "", status = "", availability = ""]) => ({ id, hostname, status, availability }));
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
function reasons(nodes: readonly Node[], tasks: readonly Task[]): string {
  const told = [...failed(tasks), ...tasks.filter(({ Status }) => Status.State === "pending")].map(({ NodeID, Status }) => {
    const node = nodes.find(({ id }) => id === NodeID);
    const place = node === undefined ? "" : ` on ${node.hostname}`;
    return `  ${Status.State}${place}: ${Status.Err ?? Status.Message ?? "no reason given"}\n`;
  });
  return [...new Set(told)].slice(0, 10).join("");
}

/** Which of the nodes take no tasks, and what has them do so again. */
function waysBack(nodes: readonly Node[]): string {
  const told = nodes.flatMap(({ hostname, status, availability }) => {
    if (availability !== "Active") {
      const state = availability === "Pause" ? "paused" : "drained";
      return [`  ${hostname} is ${state}: docker node update --availability active ${hostname}\n`];
    }
    return status === "Ready" ? [] : [`  ${hostname} is ${status.toLowerCase()}\n`];
  });
  return told.length === 0 ? "" : `${told.join("")}When the node is back, run: pulumi up\n`;
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
