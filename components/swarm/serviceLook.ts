import { isDeepStrictEqual } from "util";
import { dockerCommand, EngineAddress, inspectService, printedBy, unanswered } from "../docker/engine";
import { failure } from "../checks/failure";

/** The part of `docker service inspect` that is read. */
interface Service {
  Spec: { TaskTemplate: object; Mode: { Replicated?: { Replicas: number } }; EndpointSpec?: object };
  PreviousSpec?: { EndpointSpec?: object };
  UpdateStatus?: { State?: string; Message?: string };
}

/** The part of `docker inspect` of a task that is read. */
export interface Task {
  ID: string;
  NodeID?: string;
  Spec: object;
  Status: { State: string; Err?: string; Message?: string; ContainerStatus?: { ContainerID?: string } };
  DesiredState: string;
}

/** The state of a service and its tasks at one moment. */
export interface ServiceLook {
  service: Service;
  /** The state of the last update: updating, completed, paused, rollback_started, …; empty without one. */
  state: string;
  tasks: readonly Task[];
  /** The tasks that are to run: those of a previous definition, and those of the present one, running or not yet. */
  wanted: readonly Task[];
  before: readonly Task[];
  running: readonly Task[];
  underway: readonly Task[];
  /** The number of tasks that the service is to have; undefined with one on every node. */
  replicas: number | undefined;
  /** Its tasks can make progress only if a node comes back. */
  waitsForNode: boolean;
  /** A new task waits for the end of one that never started. Swarm allows a minute for that, because no node is there to report it. */
  waitsInVain: boolean;
}

/** The reasons for which a task waits for a node. Room and ports come free by themselves; a wait for those is something else. */
const withoutNode =
  /^no suitable node \((\d+ nodes? not available for new tasks|scheduling constraints not satisfied on \d+ nodes?|; )+\)$/;

export async function lookAt(engine: EngineAddress, name: string): Promise<ServiceLook> {
  const service = await inspectedService(engine, name);
  const tasks = await tasksOf(engine, name);
  const ending = tasks.filter(({ DesiredState }) => DesiredState === "shutdown");
  const wanted = tasks.filter(({ DesiredState }) => DesiredState === "running" || DesiredState === "ready");
  const current = wanted.filter(({ Spec }) => isCurrent(Spec, service));
  const underway = current.filter(({ Status }) => Status.State !== "running");
  return {
    service,
    state: service.UpdateStatus?.State ?? "",
    tasks,
    wanted,
    before: wanted.filter((task) => !current.includes(task)),
    running: current.filter(({ Status }) => Status.State === "running"),
    underway,
    replicas: service.Spec.Mode.Replicated?.Replicas,
    waitsForNode:
      wanted.length === 0 || (underway.length > 0 && underway.every(({ Status }) => withoutNode.test(Status.Err ?? ""))),
    waitsInVain:
      wanted.some(({ DesiredState }) => DesiredState === "ready") &&
      ending.some(({ Status }) => Status.State === "pending") &&
      ending.every(({ Status }) => Status.State !== "running"),
  };
}

export async function inspectedService(engine: EngineAddress, name: string): Promise<Service> {
  const found = await inspectService<Service>(engine, name, "{{json .}}");
  if (found === undefined) {
    throw failure(`The service ${name} is gone; bring it back with: pulumi up --refresh`);
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

/**
 * Whether a task has the service's present definition. The definition says more about the runtime than a task does, and its placement may
 * differ: a task stays if it is where it may be.
 */
export function isCurrent(task: object, { Spec: { TaskTemplate } }: Service): boolean {
  const compared = { Runtime: undefined, Placement: undefined };
  return isDeepStrictEqual({ ...task, ...compared }, { ...TaskTemplate, ...compared });
}

export function failedOf(tasks: readonly Task[]): Task[] {
  return tasks.filter(({ Status }) => Status.State === "failed" || Status.State === "rejected");
}
