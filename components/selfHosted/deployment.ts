import { createHash } from "crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { valueIfKnown } from "../checks/inputs";
import { EngineAddress } from "../docker/engine";
import { engineOf } from "../docker/engineChoice";
import { checkOwner, checkPresence, ownerLabel } from "../docker/volumeOwner";

/** Stands for the state that has this HTTP secret, of which it tells nothing: several states may have a registry of one name. */
export function deploymentOf(httpSecret: pulumi.Output<string>): pulumi.Output<string> {
  return pulumi.unsecret(
    httpSecret.apply((secret) =>
      createHash("sha256").update(`container-registry deployment ${secret}`).digest("hex").slice(0, 16),
    ),
  );
}

/** Whose volumes are, and which of them the engine has had before. */
export interface Owner {
  deployment: string;
  had: readonly string[];
}

/**
 * The deployment, once it is known that no volume of these names is another one's. A preview knows it of a deployment that is still to
 * be made: it has no volumes yet.
 */
export function soleOwner(
  deployment: pulumi.Output<string>,
  engine: pulumi.Output<EngineAddress>,
  volumes: readonly string[],
): pulumi.Output<Owner> {
  const check = (address: EngineAddress, own: string): Promise<boolean[]> =>
    Promise.all(volumes.map((volume) => checkOwner(address, volume, own)));
  if (pulumi.runtime.isDryRun()) {
    const checked = engine.apply(async (address) => (await valueIfKnown(deployment)) ?? check(address, ""));
    return pulumi.all([deployment, checked]).apply(([own]) => ({ deployment: own, had: [] }));
  }
  return pulumi.all([deployment, engine]).apply(async ([own, address]) => {
    const found = await check(address, own);
    return { deployment: own, had: volumes.filter((_, index) => found[index]) };
  });
}

/** A volume that goes with its deployment, and says so. Those of before don't, and are not made anew for it. */
export function labelledVolume(name: string, owner: pulumi.Output<Owner>, opts: pulumi.CustomResourceOptions): docker.Volume {
  return new docker.Volume(
    name,
    { name, labels: [{ label: ownerLabel, value: owner.deployment }] },
    // A second one of the name would be the first, and then be deleted.
    { ...opts, deleteBeforeReplace: true, ignoreChanges: ["labels"] },
  );
}

/**
 * The name of a volume, once it is known that the engine has it. What mounts a volume takes this name: it is made or replaced on no
 * other engine. A preview looks only for what is in the state.
 */
export function nameOnEngine(
  component: pulumi.ComponentResource,
  volume: docker.Volume,
  owner?: pulumi.Output<Owner>,
): pulumi.Output<string> {
  return pulumi.all([engineOf(component), volume.name, volume.id, owner]).apply(async ([engine, name, , known]) => {
    if (known?.had.includes(name) !== true) {
      await checkPresence(engine, name);
    }
    return name;
  });
}
