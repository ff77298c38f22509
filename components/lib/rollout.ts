import { setTimeout as sleep } from "timers/promises";
import { isDeepStrictEqual } from "util";
import { dockerCommand, EngineAddress, printedBy } from "./engine";
import { failure } from "./failure";

/** Seconds in which at least one more task has to run: a drained task's end, an image's way to a node and a healthy start fit in. */
const secondsOfPatience = 150;

/** Tasks that fail one after the other before a service that never ran is given up. */
const failuresOfAStart = 4;

/** The part of `docker service inspect` that is read. */
interface Service {
  Spec: { TaskTemplate: object; Mode: { Replicated?: { Replicas: number } } };
  UpdateStatus?: { State?: string; Message?: string };
}

/** The part of `docker inspect` of a task that is read. */
interface Task {
  NodeID?: string;
  Spec: object;
  Status: { State: string; Err?: string; Message?: string; ContainerStatus?: { ExitCode?: number } };
  DesiredState: string;
}

/**
 * Waits until every task of a service is one of its present definition and is healthy. An update that Swarm gave up is an error: by
 * then the old tasks are back. The provider can wait too, but not for a service with a task on every node.
 */
export async function untilRolledOut(engine: EngineAddress, service: string): Promise<void> {
  let best = -1;
  let end = 0;
  for (;;) {
    const now = JSON.parse(await dockerCommand(engine, "service", "inspect", "--format", "{{json .}}", service)) as Service;
    const tasks = await tasksOf(engine, service);
    const wanted = tasks.filter(({ DesiredState }) => DesiredState === "running" || DesiredState === "ready");
    const running = wanted.filter(({ Spec, Status }) => isCurrent(Spec, now) && Status.State === "running");
    const state = now.UpdateStatus?.State ?? "";

    if (/^(rollback_completed|rollback_paused|paused)$/.test(state)) {
      const outcome = state === "rollback_completed" ? "was rolled back and runs as before" : `is stuck (${state})`;
      throw failure(
        `The update of the service ${service} failed, and the service ${outcome}: ${now.UpdateStatus?.Message ?? ""}\n${reasons(tasks)}` +
          (await lastWords(engine, service)),
      );
    }
    const expected = now.Spec.Mode.Replicated?.Replicas ?? Math.max(wanted.length, 1);
    if (/^(completed)?$/.test(state) && running.length === expected && wanted.length === expected) {
      return;
    }
    if (running.length !== best) {
      best = running.length;
      end = Date.now() + secondsOfPatience * 1000;
    }
    const hopeless = state === "" && running.length === 0 && failed(tasks).length >= failuresOfAStart * expected;
    if (hopeless || Date.now() > end) {
      throw failure(
        `The service ${service} did not start: ${running.length} of ${expected} tasks run.\n${reasons(tasks)}${await lastWords(engine, service)}`,
      );
    }
    await sleep(300);
  }
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

/** Whether a task is one of the service's present definition, which says more than a task does only of the runtime. */
function isCurrent(task: object, { Spec: { TaskTemplate } }: Service): boolean {
  return isDeepStrictEqual({ ...task, Runtime: undefined }, { ...TaskTemplate, Runtime: undefined });
}

function failed(tasks: readonly Task[]): Task[] {
  return tasks.filter(({ Status }) => Status.State === "failed" || Status.State === "rejected");
}

/** Why tasks failed or wait, each reason once. */
function reasons(tasks: readonly Task[]): string {
  const told = [...failed(tasks), ...tasks.filter(({ Status }) => Status.State === "pending")].map(
    ({ Status }) => `  ${Status.State}: ${Status.Err ?? Status.Message ?? "no reason given"}\n`,
  );
  return [...new Set(told)].slice(0, 10).join("");
}

async function lastWords(engine: EngineAddress, service: string): Promise<string> {
  try {
    return await dockerCommand(engine, "service", "logs", "--raw", "--tail", "20", service);
  } catch (error) {
    return printedBy(error);
  }
}
