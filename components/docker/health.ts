import * as pulumi from "@pulumi/pulumi";
import { dockerCommand, EngineAddress, inspectContainer } from "./engine";
import { failure } from "../checks/failure";

const secondsToStart = 60;

/** The part of `docker inspect` that tells how a container is. */
interface ContainerState {
  Status: string;
  ExitCode: number;
  Health?: { Status: string };
}

/**
 * Waits until Docker calls a container healthy. The provider can wait too, but it looks once a second, and its error does not
 * say what the server said.
 */
export async function untilHealthy(engine: EngineAddress, container: string): Promise<void> {
  const end = Date.now() + secondsToStart * 1000;
  for (;;) {
    const state = await inspectContainer<ContainerState>(engine, container, "{{json .State}}");
    // Somebody took it away or stopped it. That is no fault of this deployment, which has nothing to change.
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
    if (state.Health?.Status === "healthy") {
      return;
    }
    if (state.Status === "restarting" || Date.now() > end) {
      const logs = await dockerCommand(engine, "logs", "--tail", "20", container);
      throw failure(`The registry did not become healthy (container ${container}, exit code ${state.ExitCode}):\n${logs}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
