import { SingleNodeRegistry } from "../../components";
import { registryProblems } from "../../components/checks/registry";
import { refusedPushProblems } from "../../components/builds/checks";
import { settingsOf } from "../../components/selfHosted/singleNodeRegistry";
import { target } from "../target";

/** One Docker host. */
export const singleNode = target(SingleNodeRegistry, (args, images) => [
  ...registryProblems(settingsOf(args)),
  ...refusedPushProblems(images, args),
]);
