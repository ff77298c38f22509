import * as pulumi from "@pulumi/pulumi";
import { RegistrySettings } from "../checks/registry";
import { engineOf } from "../docker/engineChoice";
import { checkStore, newStorePatience, Preflight } from "../docker/storeCheck";
import { driverOf } from "../render/driverParameters";
import { RegistryParts } from "./registryParts";

/** Where a store is tried: what depends on whether the registry is a container or a service. */
export type TrialPlace = Omit<Preflight, "engine" | "configurationPath" | "environment" | "patience">;

/**
 * Path of the configuration file, once the registry's image has reached the store that it names: a registry that runs isn't switched
 * to a store that won't do. `place` is asked for only where there is something to try.
 */
export function untilStoreAnswers(
  component: pulumi.ComponentResource,
  { storage, image }: RegistrySettings,
  { configurationPath, environment }: RegistryParts,
  place: () => pulumi.Output<TrialPlace>,
): pulumi.Output<string> {
  if (driverOf(storage) === "filesystem" || image !== "bundled" || pulumi.runtime.isDryRun()) {
    return configurationPath;
  }
  const patience = storage.provision === true ? newStorePatience : 0;
  return pulumi.unsecret(
    pulumi.all([engineOf(component), configurationPath, place()]).apply(async ([engine, path, where]) => {
      await checkStore({ ...(where as TrialPlace), engine, configurationPath: path, environment, patience });
      return path;
    }),
  );
}
