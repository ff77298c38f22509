import { Resources } from "../args/registry";
import { usualHostname } from "../checks/hosts";
import { RegistrySettings } from "../checks/registry";

/** The settings that a component of a self-hosted registry may be given. */
export type GivenSettings = Partial<Omit<RegistrySettings, "resources" | "measured">> & { resources?: Resources };

/** The settings with every default filled in. */
export function completeSettings(given: GivenSettings): RegistrySettings {
  const bindAddress = given.bindAddress ?? "127.0.0.1";
  return {
    hostname: given.hostname ?? usualHostname(bindAddress),
    port: given.port ?? 5000,
    bindAddress,
    externalUrl: given.externalUrl,
    trustedProxies: given.trustedProxies ?? [],
    allowInsecure: given.allowInsecure ?? false,
    tls: given.tls ?? {},
    users: given.users ?? [{ name: "admin" }],
    anonymousPull: given.anonymousPull ?? false,
    authentication: given.authentication ?? {},
    cors: given.cors,
    storage: given.storage ?? {},
    image: given.image ?? "bundled",
    readOnly: given.readOnly ?? false,
    foreignLayerHosts: given.foreignLayerHosts,
    ui: given.ui,
    garbageCollection: given.garbageCollection,
    mirror: given.mirror,
    measured: given.metrics !== undefined,
    metrics: given.metrics,
    notifications: given.notifications ?? [],
    logs: given.logs ?? {},
    hosts: given.hosts ?? {},
    resources: completeResources(given.resources),
  };
}

/** Limits with the defaults filled in. */
export function completeResources(resources: Resources = {}): Required<Resources> {
  return { memory: resources.memory ?? 512, processes: resources.processes ?? 512 };
}
