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
    mirror: "a mirror is for one Docker host; give every node one of its own by a stack of target single-node",
  },
);
