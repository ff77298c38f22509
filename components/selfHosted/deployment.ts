import { createHash } from "crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { EngineAddress } from "../docker/engine";
import { checkOwner, ownerLabel } from "../docker/volumeOwner";

/** Stands for the state that has this HTTP secret, of which it tells nothing: several states may have a registry of one name. */
export function deploymentOf(httpSecret: pulumi.Output<string>): pulumi.Output<string> {
  return pulumi.unsecret(
    httpSecret.apply((secret) =>
      createHash("sha256").update(`container-registry deployment ${secret}`).digest("hex").slice(0, 16),
    ),
  );
}

/** The deployment, once it is known that no volume of these names is another one's. */
export function soleOwner(
  deployment: pulumi.Output<string>,
  engine: pulumi.Output<EngineAddress>,
  volumes: readonly string[],
): pulumi.Output<string> {
  return pulumi.runtime.isDryRun()
    ? deployment
    : pulumi.all([deployment, engine]).apply(async ([own, address]) => {
        await Promise.all(volumes.map((volume) => checkOwner(address, volume, own)));
        return own;
      });
}

/** A volume that goes with its deployment, and says so. Those of before don't, and are not made anew for it. */
export function labelledVolume(
  name: string,
  deployment: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): docker.Volume {
  return new docker.Volume(
    name,
    { name, labels: [{ label: ownerLabel, value: deployment }] },
    // A second one of the name would be the first, and then be deleted.
    { ...opts, deleteBeforeReplace: true, ignoreChanges: ["labels"] },
  );
}
