import { SwarmRegistry } from "../../components";
import { refusedPushProblems } from "../../components/builds/checks";
import { swarmRegistryProblems } from "../../components/swarm/checks";
import { completeSwarmSettings } from "../../components/swarm/settings";
import { target } from "../target";

/** A Docker Swarm. */
export const swarm = target(
  SwarmRegistry,
  (args, images) => [...swarmRegistryProblems(completeSwarmSettings(args)), ...refusedPushProblems(images, args)],
  {
    bindAddress: "a Swarm publishes a port on every address of its nodes",
    mirror: "a mirror runs on one Docker host, and one is enough for all nodes; deploy it there by a stack of target single-node",
  },
);
