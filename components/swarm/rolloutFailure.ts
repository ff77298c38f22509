import * as pulumi from "@pulumi/pulumi";
import { failure } from "../checks/failure";
import { dockerCommand, EngineAddress, printedBy } from "../docker/engine";
import { failedOf, isCurrent, ServiceLook, Task } from "./serviceLook";

/** A line of `docker node ls`. */
interface Node {
  id: string;
  hostname: string;
  status: string;
  availability: string;
}

/** The error for an update that Swarm gave up. */
export async function givenUp(engine: EngineAddress, name: string, look: ServiceLook): Promise<pulumi.RunError> {
  const { state, service, tasks } = look;
  const outcome = state === "rollback_completed" ? "was rolled back and runs as before" : `is stuck (${state})`;
  return failure(
    `The update of the service ${name} failed, and the service ${outcome}: ${service.UpdateStatus?.Message ?? ""}\n` +
      // In Pulumi's state the service is already what it was to become: with nothing else to change, an `up` leaves it alone.
      "Correct the configuration, or put it back, and run: pulumi up. Where the cause was another, take it away, leave the " +
      "configuration as it is, and run: pulumi up --refresh\n" +
      reasons(await nodesOf(engine), tasks) +
      (await lastWords(engine, tasks)),
  );
}

/** The error for previous tasks that keep serving because all their nodes are paused; undefined if those nodes take tasks. */
export async function leftOut(
  engine: EngineAddress,
  name: string,
  { before }: ServiceLook,
): Promise<pulumi.RunError | undefined> {
  const nodes = (await nodesOf(engine)).filter(({ id }) => before.some(({ NodeID }) => NodeID === id));
  if (nodes.length === 0 || nodes.some(({ availability }) => availability !== "Pause")) {
    return undefined;
  }
  return failure(
    `The update of the service ${name} left out nodes that are paused: there tasks of before serve on, with their ` +
      `certificate and passwords.\n${waysBack(nodes)}`,
  );
}

/** A warning of previous tasks on nodes that Swarm can't reach, where they may keep serving; undefined if there are none. */
export async function outOfReach(
  engine: EngineAddress,
  name: string,
  { service, tasks, wanted }: ServiceLook,
): Promise<string | undefined> {
  const ending = tasks.filter(
    (task) => !wanted.includes(task) && task.Status.State === "running" && !isCurrent(task.Spec, service),
  );
  const nodes = ending.length === 0 ? [] : await nodesOf(engine);
  const away = nodes.filter(({ id, status }) => status !== "Ready" && ending.some(({ NodeID }) => NodeID === id));
  if (away.length === 0) {
    return undefined;
  }
  return (
    `Tasks of before of the service ${name} could not be told to end, on ` +
    away.map(({ hostname, status }) => `${hostname} (${status.toLowerCase()})`).join(", ") +
    ": where such a node still runs, its task serves with the certificate and passwords of before until the node is back"
  );
}

/** A message about tasks that take long. */
export async function whatIsWaitedFor(
  engine: EngineAddress,
  name: string,
  { state, running, underway }: ServiceLook,
  expected: number,
): Promise<string> {
  return state === "updating"
    ? `Swarm replaces the tasks of the service ${name} that never started, about a minute for each: ${running.length} of ${expected} are new`
    : `Tasks of the service ${name} wait, and ${running.length} of ${expected} run:\n${reasons(await nodesOf(engine), underway)}`;
}

/** The error for a service that makes no progress. */
export async function standstill(
  engine: EngineAddress,
  name: string,
  look: ServiceLook,
  expected: number,
): Promise<pulumi.RunError> {
  // The previous tasks have nothing to say about it.
  const present = look.tasks.filter(({ Spec }) => isCurrent(Spec, look.service));
  const nodes = await nodesOf(engine);
  return failure(
    `${whatStands(name, look, expected)}\n` +
      reasons(nodes, present) +
      (look.waitsForNode ? waysBack(nodes) : "") +
      (await lastWords(engine, present)),
  );
}

function whatStands(name: string, { state, running, before }: ServiceLook, expected: number): string {
  const count = `${running.length} of ${expected} tasks`;
  switch (state) {
    case "updating":
      return (
        `The update of the service ${name} does not get on: ${count} are new, and ` +
        (before.some(({ Status }) => Status.State === "running")
          ? "those that none replaced yet serve on."
          : "none of before runs.")
      );
    case "rollback_started":
      return `The roll-back of the service ${name} does not get on: ${count} are back.`;
    default:
      return `The service ${name} is not complete: ${count} run.`;
  }
}

/** The Swarm's nodes; none if the manager gives no answer, because the trouble for which they are asked matters more. */
async function nodesOf(engine: EngineAddress): Promise<Node[]> {
  const format = "{{.ID}} {{.Hostname}} {{.Status}} {{.Availability}}";
  const lines = (await dockerCommand(engine, "node", "ls", "--format", format).catch(() => "")).split("\n").filter(Boolean);
  return lines
    .map((line) => line.split(" "))
    .map(([id = "", hostname = "", status = "", availability = ""]) => ({ id, hostname, status, availability }));
}

/** Why tasks failed or wait, and on which nodes; each reason once. */
function reasons(nodes: readonly Node[], tasks: readonly Task[]): string {
  const told = [...failedOf(tasks), ...tasks.filter(({ Status }) => Status.State === "pending")].map(({ NodeID, Status }) => {
    const node = nodes.find(({ id }) => id === NodeID);
    const place = node === undefined ? "" : ` on ${node.hostname}`;
    return `  ${Status.State}${place}: ${Status.Err ?? Status.Message ?? "no reason given"}\n`;
  });
  return [...new Set(told)].slice(0, 10).join("");
}

/** Which of the nodes take no tasks, and what makes them take tasks again. */
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

/** The log of a task that failed, or else of one that does not get ready. Docker waits long for the log of a task without a container. */
async function lastWords(engine: EngineAddress, tasks: readonly Task[]): Promise<string> {
  const starting = tasks.filter(({ Status }) => Status.State === "starting");
  const failed = failedOf(tasks);
  const [speaker] = (failed.length > 0 ? failed : starting).filter(({ Status }) => Status.ContainerStatus?.ContainerID);
  if (speaker === undefined) {
    return "";
  }
  try {
    return await dockerCommand(engine, "service", "logs", "--raw", "--tail", "20", speaker.ID);
  } catch (error) {
    return printedBy(error);
  }
}
