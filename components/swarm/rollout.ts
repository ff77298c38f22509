import { setTimeout as sleep } from "timers/promises";
import { isDeepStrictEqual } from "util";
import * as pulumi from "@pulumi/pulumi";
import { EngineAddress } from "../docker/engine";
import { givenUp, leftOut, outOfReach, standstill, whatIsWaitedFor } from "./rolloutFailure";
import { failedOf, inspectedService, lookAt, ServiceLook, Task } from "./serviceLook";

/** Seconds within which at least one more task has to run: enough to drain a task, bring an image to a node and start healthy. */
const secondsOfPatience = 150;

/** Seconds within which a node has to come back if tasks wait for it, because no other node may have them. */
const secondsForANode = 20;

/** Seconds after which the user is told of tasks that Swarm is slow with. */
const secondsOfSilence = 20;

/** Tasks of a new service, or on one of its nodes, that fail one after the other before the service is given up. */
const failuresOfAStart = 4;

/**
 * Waits until an update of a service is done, as `untilRolledOut` does. A new service is not waited for: it has no previous tasks that
 * could come back.
 */
export async function untilUpdated(engine: EngineAddress, service: string): Promise<void> {
  const { PreviousSpec, UpdateStatus } = await inspectedService(engine, service);
  // A roll-back removes the first, and an update begins without the second.
  if (PreviousSpec !== undefined || UpdateStatus !== undefined) {
    await untilRolledOut(engine, service);
  }
}

/**
 * Waits until every task of a service has its present definition and is healthy. An update that Swarm gave up is an error: the old tasks
 * are back. The provider can wait too, but not for a service with a task on every node. Somebody may have given the service another
 * number of tasks than `replicas`: that is not a fault of this deployment, which has nothing to change.
 */
export async function untilRolledOut(engine: EngineAddress, service: string, replicas?: number): Promise<void> {
  const progress = new Progress();
  for (;;) {
    const look = await lookAt(engine, service);
    const late = progress.isLate(look);
    if (isGivenUp(look) && (late || !isComingBack(look))) {
      throw await givenUp(engine, service, look);
    }
    const expected = look.replicas ?? Math.max(look.wanted.length, 1);
    if (isComplete(look, expected) && (isUpdated(look) || (late && look.state === ""))) {
      if (look.replicas !== undefined && replicas !== undefined && expected !== replicas) {
        await pulumi.log.warn(
          `The service ${service} has ${expected} tasks instead of ${replicas}; bring that number back with: pulumi up --refresh`,
        );
      }
      const away = await outOfReach(engine, service, look);
      if (away !== undefined) {
        await pulumi.log.warn(away);
      }
      return;
    }
    const paused = mayHaveLeftOut(look) ? await leftOut(engine, service, look) : undefined;
    if (paused !== undefined) {
      throw paused;
    }
    if (late || isHopeless(look, expected, progress.failures(look))) {
      throw await standstill(engine, service, look, expected);
    }
    if (progress.isToBeExplained(look)) {
      await pulumi.log.info(await whatIsWaitedFor(engine, service, look, expected));
    }
    await sleep(300);
  }
}

/** What the previous looks at a service say about the present one. */
class Progress {
  private most = -1;
  private end = 0;
  private readonly start = Date.now();
  private waitsSince = this.start;
  private explained = false;
  /** The tasks that had failed before the first look do not count: the cause may be gone since. */
  private past: Set<string> | undefined;

  /** Whether the number of running tasks has not changed for long, or a node has not come back. */
  isLate({ running, waitsForNode }: ServiceLook): boolean {
    const now = Date.now();
    if (running.length !== this.most) {
      this.most = running.length;
      this.end = now + secondsOfPatience * 1000;
    }
    if (!waitsForNode) {
      this.waitsSince = now;
    }
    return now > this.end || now > this.waitsSince + secondsForANode * 1000;
  }

  /**
   * Whether an update has waited for a while for tasks that never started, or tasks wait for a reason that Swarm gives. True only once.
   */
  isToBeExplained({ state, waitsInVain, underway }: ServiceLook): boolean {
    const waits =
      state === "updating"
        ? waitsInVain
        : state === "" && underway.some(({ Status }) => Status.State === "pending" && Status.Err);
    if (this.explained || !waits || Date.now() < this.start + secondsOfSilence * 1000) {
      return false;
    }
    this.explained = true;
    return true;
  }

  /** The tasks that failed since the first look. */
  failures({ tasks }: ServiceLook): Task[] {
    const failed = failedOf(tasks);
    const past = (this.past ??= new Set(failed.map(({ ID }) => ID)));
    return failed.filter(({ ID }) => !past.has(ID));
  }
}

function isGivenUp({ state }: ServiceLook): boolean {
  return /^(rollback_completed|rollback_paused|paused)$/.test(state);
}

/** Whether the previous tasks are still on their way back. Swarm calls a roll-back done too early. */
function isComingBack({ state, wanted }: ServiceLook): boolean {
  return state === "rollback_completed" && wanted.some(({ Status }) => Status.State !== "running");
}

function isComplete({ running, wanted }: ServiceLook, expected: number): boolean {
  return running.length === expected && wanted.length === expected;
}

/**
 * Whether no update is under way, and no change of the ports has yet to begin. A task's definition does not contain the ports, so the
 * previous tasks look like new ones; and Swarm says nothing of an update that had no task to replace.
 */
function isUpdated({ state, service: { Spec, PreviousSpec } }: ServiceLook): boolean {
  const portsMove = PreviousSpec !== undefined && !isDeepStrictEqual(Spec.EndpointSpec, PreviousSpec.EndpointSpec);
  return state === "completed" || (state === "" && !portsMove);
}

/**
 * Whether previous tasks may be on nodes that are paused. If there is to be a task on every node, Swarm leaves paused nodes out and calls
 * the update done; if all nodes are paused, it says nothing at all.
 */
function mayHaveLeftOut({ state, replicas, before, underway }: ServiceLook): boolean {
  return replicas === undefined && /^(completed)?$/.test(state) && before.length > 0 && underway.length === 0;
}

/** Whether tasks fail again and again: all of them if a number is given, or otherwise those on each node without a running one. */
function isHopeless({ state, replicas, tasks, running }: ServiceLook, expected: number, failures: readonly Task[]): boolean {
  if (state !== "") {
    return false;
  }
  if (replicas !== undefined) {
    return running.length === 0 && failures.length >= failuresOfAStart * expected;
  }
  const on = (all: readonly Task[], node: string | undefined): number => all.filter(({ NodeID }) => NodeID === node).length;
  const without = tasks.filter(({ NodeID }) => on(running, NodeID) === 0);
  return without.length > 0 && without.every(({ NodeID }) => on(failures, NodeID) >= failuresOfAStart);
}
