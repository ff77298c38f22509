import * as pulumi from "@pulumi/pulumi";
import { dockerCommand, EngineAddress, inspectContainer, lastLines, printedBy } from "./engine";
import { failure } from "../checks/failure";

/**
 * Limits the processes and threads of a container by its cgroup, which the provider has no argument for; the engine keeps the limit
 * over restarts. `ulimit nproc` is no substitute: it counts the processes of all containers of the same user, and root has no limit.
 */
export async function limitProcesses(engine: EngineAddress, container: string, limit: number): Promise<void> {
  const current = (): Promise<number | null | undefined> =>
    inspectContainer<number | null>(engine, container, "{{json .HostConfig.PidsLimit}}");
  const before = await current();
  if (before === undefined || before === limit) {
    return;
  }
  try {
    await dockerCommand(engine, "update", "--pids-limit", String(limit), container);
  } catch (error) {
    const printed = printedBy(error);
    // The limit is not at fault if the server exits at once: its own log says why.
    if (/stopped container|not running|is restarting/i.test(printed)) {
      throw failure(`The registry does not stay up (container ${container}):\n${await lastLines(engine, container)}`);
    }
    // Without cgroups, which a rootless engine may lack, the update fails where other engines ignore the limit.
    if ((await dockerCommand(engine, "info", "--format", "{{.PidsLimit}}")) !== "false") {
      throw failure(`resources.processes: the container ${container} could not be limited: ${printed}`);
    }
  }
  if ((await current()) !== limit) {
    await pulumi.log.warn(
      `The engine does not limit the processes of ${container}: its kernel or its cgroups lack the controller pids.` +
        " The warnings of `docker info` tell what else it does not limit",
    );
  }
}
