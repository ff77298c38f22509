import * as pulumi from "@pulumi/pulumi";
import { EngineAddress, localEngine } from "./engine";
import { failure } from "../checks/failure";

/** Which component has a name on an engine, by the run of a program. */
const takers = new Map<unknown, Map<string, pulumi.ComponentResource>>();

/** What tells the runs of a process apart. A package's plugin has another client for each component, all of one address. */
function thisRun(): unknown {
  const monitor = pulumi.runtime.getMonitor() as { getChannel?: () => { getTarget: () => string } } | undefined;
  return monitor?.getChannel?.().getTarget() ?? monitor;
}

/** An engine, once a component has its name there: what two of one name make would be the same containers and volumes. */
export function withName(
  engine: pulumi.Output<EngineAddress>,
  component: pulumi.ComponentResource,
  name: string,
): pulumi.Output<EngineAddress> {
  const run = thisRun();
  return engine.apply((address) => {
    const names = takers.get(run) ?? new Map<string, pulumi.ComponentResource>();
    takers.set(run, names);
    const key = `${address.host ?? localEngine} ${name}`;
    const other = names.get(key) ?? component;
    if (other !== component) {
      throw failure(
        `name: ${other.constructor.name} and ${component.constructor.name} are both called "${name}", by which their containers and volumes on one Docker engine are named; ` +
          "give one of them another name (a registry's mirror is a PullThroughCache by the registry's name with -mirror)",
      );
    }
    names.set(key, component);
    return address;
  });
}
