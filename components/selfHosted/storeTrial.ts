import * as pulumi from "@pulumi/pulumi";
import { RegistrySettings } from "../checks/registry";
import { failure } from "../checks/failure";
import { valueIfKnown } from "../checks/inputs";
import { engineOf, whenAsked } from "../docker/engineChoice";
import { checkStore, newStorePatience, Preflight } from "../docker/storeCheck";
import { driverOf } from "../render/driverParameters";
import { RegistryParts } from "./registryParts";
import { isForeign } from "./serverVolume";

/** Where a store is tried, which depends on whether the registry is a container or a service. */
export type TrialPlace = Omit<Preflight, "engine" | "configurationPath" | "environment" | "patience" | "ownVolume">;

/**
 * Path of the configuration file, once the registry's image has reached the store that it names: a running registry isn't switched
 * to a store that won't do, or to a configuration that its server does not accept. A volume of the registry's own needs no trial, because
 * the engine makes it for the server; and a Swarm rolls back by itself. `place` is asked for only if there is something to try.
 */
export function untilStoreAnswers(
  component: pulumi.ComponentResource,
  { storage, image, onSwarm = false }: Pick<RegistrySettings, "storage" | "image" | "onSwarm">,
  { configurationPath, environment }: Pick<RegistryParts, "configurationPath" | "environment">,
  place: () => pulumi.Output<TrialPlace>,
): pulumi.Output<string> {
  const ownVolume = driverOf(storage) === "filesystem" && !isForeign(storage);
  if ((ownVolume && onSwarm) || image !== "bundled") {
    return configurationPath;
  }
  const patience = storage.provision === true ? newStorePatience : 0;
  // Without depending on the resources of its place. A container whose command depends on the writer of the files would be deleted
  // before each new writer is made: at every new certificate, and before the new store was tried. The same holds for the container that
  // hands a folder over.
  const taken = pulumi.unsecret(pulumi.all([configurationPath, valueIfKnown(place())]));
  return whenAsked(pulumi.unsecret(engineOf(component)), taken, (engine, [path, where]) => {
    // An `up` that goes on after a failure leaves alone only what depends on the failed resource.
    if (where === undefined) {
      throw failure(
        "The registry was not switched to its new configuration, which could not be tried, as something that it takes for that failed",
      );
    }
    return checkStore({ ...(where as TrialPlace), engine, configurationPath: path, environment, patience, ownVolume });
  }).apply(([path]) => path);
}
