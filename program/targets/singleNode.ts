import { SingleNodeRegistry } from "../../components";
import { registryProblems } from "../../components/checks/registry";
import { refusedPushProblems } from "../../components/builds/checks";
import { completeSettings } from "../../components/selfHosted/settings";
import { target } from "../target";

/** One Docker host. */
export const singleNode = target(SingleNodeRegistry, (args, images) => [
  ...registryProblems(completeSettings(args)),
  ...refusedPushProblems(images, args),
]);
