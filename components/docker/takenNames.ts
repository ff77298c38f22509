import * as pulumi from "@pulumi/pulumi";
import { EngineAddress, localEngine } from "./engine";
import { failure } from "../checks/failure";
import { PerRun } from "./perRun";

/** Which component has a name on an engine. */
const takers = new PerRun(() => new Map<string, pulumi.ComponentResource>());

/** An engine, once a component has taken its name there: two components of one name would make the same containers and volumes. */
export function withName(
  engine: pulumi.Output<EngineAddress>,
  component: pulumi.ComponentResource,
  name: string,
): pulumi.Output<EngineAddress> {
  const names = takers.get();
  return engine.apply((address) => {
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
