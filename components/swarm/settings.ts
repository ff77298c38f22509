import { Swarm, SwarmMetrics, SwarmResources } from "../args/swarm";
import { completeSettings, GivenSettings } from "../selfHosted/settings";
import { SwarmSettings } from "./checks";

/** The settings that the component may be given. */
type GivenSwarmSettings = Omit<GivenSettings, "resources" | "bindAddress" | "mirror" | "metrics"> & {
  resources?: SwarmResources;
  metrics?: SwarmMetrics;
  swarm?: Swarm;
};

/** The settings with every default filled in. */
export function completeSwarmSettings({ resources = {}, swarm = {}, metrics, ...given }: GivenSwarmSettings): SwarmSettings {
  // A Swarm can't publish on one address of a node only.
  const settings = completeSettings({ ...given, bindAddress: "0.0.0.0", resources: { memory: resources.memory } });
  return {
    ...settings,
    onSwarm: true,
    measured: metrics !== undefined,
    swarm,
    metricsNetwork: metrics?.network,
    reservedMemory: resources.reservedMemory ?? Math.min(64, settings.resources.memory),
  };
}
