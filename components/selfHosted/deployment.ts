import { createHash } from "crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { valueIfKnown } from "../checks/inputs";
import { EngineAddress } from "../docker/engine";
import { engineOf } from "../docker/engineChoice";
import { checkOwner, checkPresence, ownerLabel } from "../docker/volumeOwner";

/** Identifies the state that has this HTTP secret, and reveals nothing about it: several states may have a registry of one name. */
export function deploymentOf(httpSecret: pulumi.Output<string>): pulumi.Output<string> {
  return pulumi.unsecret(
    httpSecret.apply((secret) =>
      createHash("sha256").update(`container-registry deployment ${secret}`).digest("hex").slice(0, 16),
    ),
  );
}

/** The deployment that volumes belong to, and which of them the engine had before. */
export interface Owner {
  deployment: string;
  had: readonly string[];
}

/**
 * The deployment, once it is known that no volume of these names belongs to another one. A preview also knows it of a deployment that
 * is still to be made, which has no volumes yet.
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

/** A volume with a label that says which deployment it belongs to. Older volumes have no label, and are not replaced to get one. */
export function labelledVolume(name: string, owner: pulumi.Output<Owner>, opts: pulumi.CustomResourceOptions): docker.Volume {
  return new docker.Volume(
    name,
    { name, labels: [{ label: ownerLabel, value: owner.deployment }] },
    // A second volume of the name would be the same as the first, and would then be deleted.
    { ...opts, deleteBeforeReplace: true, ignoreChanges: ["labels"] },
  );
}

/**
 * The name of a volume, once it is known that the engine has it. Containers that mount a volume use this name, so that they are not made
 * or replaced on another engine. A preview looks only for volumes that are in the state.
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
