import { SwarmRegistry } from "../../components";
import { refusedPushProblems } from "../../components/builds/checks";
import { swarmRegistryProblems, swarmSettingsOf } from "../../components/swarm/swarmRegistry";
import { target } from "../target";

/** A Docker Swarm. */
export const swarm = target(
  SwarmRegistry,
  (args, images) => [...swarmRegistryProblems(swarmSettingsOf(args)), ...refusedPushProblems(images, args)],
  {
    bindAddress: "a Swarm publishes a port on every address of its nodes",
    mirror: "a mirror is for one Docker host; give every node one of its own by a stack of target single-node",
  },
);
