import * as pulumi from "@pulumi/pulumi";
import { dockerCommand, EngineAddress, inspectContainer, lastLines, printedBy } from "./engine";
import { failure } from "../checks/failure";
import { filesFolder } from "../render/configuration";
import { writerName } from "../render/names";

const secondsToStart = 60;

/** The part of `docker inspect` that tells how a container is. */
interface ContainerState {
  Status: string;
  ExitCode: number;
  /** Of the last start. */
  StartedAt: string;
  Health?: { Status: string };
}

/**
 * Waits until Docker calls a container healthy. The provider can wait too, but it looks once a second, and its error does not
 * say what the server said.
 */
export async function untilHealthy(engine: EngineAddress, container: string): Promise<void> {
  const end = Date.now() + secondsToStart * 1000;
  let restarted = false;
  for (;;) {
    const state = await inspectContainer<ContainerState>(engine, container, "{{json .State}}");
    // Somebody removed, stopped or paused it. That is not a fault of this deployment, which has nothing to change.
    if (state === undefined) {
      await pulumi.log.warn(`The container ${container} is gone; bring it back with: pulumi up --refresh`);
      return;
    }
    if (state.Status === "exited") {
      await pulumi.log.warn(
        `The container ${container} is not running; bring it back with: pulumi up --refresh, or docker start ${container}`,
      );
      return;
    }
    if (state.Status === "paused") {
      await pulumi.log.warn(`The container ${container} is paused; have it go on with: docker unpause ${container}`);
      return;
    }
    if (state.Health?.Status === "healthy") {
      return;
    }
    if (state.Status === "restarting" && !restarted) {
      // A file that made it fail may have been repaired since, and Docker may wait up to a minute before it restarts the container.
      await restart(engine, container);
      restarted = true;
    } else if (state.Status === "restarting" || Date.now() > end) {
      const logs = await lastLines(engine, container, state.StartedAt);
      // A running container has no exit code, and Docker reports 0.
      const exit = state.Status === "running" ? "" : `, exit code ${state.ExitCode}`;
      throw failure(`The registry did not become healthy (container ${container}${exit}):\n${logs}${adviceOn(logs, container)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Pulumi finds no change in files whose writer is still there. */
function adviceOn(logs: string, container: string): string {
  return logs.includes(`${filesFolder}/`)
    ? `\nIf somebody changed that in the volume with the server's files: docker rm ${writerName(container)}, and then: pulumi up --refresh`
    : "";
}

async function restart(engine: EngineAddress, container: string): Promise<void> {
  try {
    await dockerCommand(engine, "restart", container);
  } catch (error) {
    throw failure(`The container ${container} could not be restarted: ${printedBy(error)}`);
  }
}
