import { SingleNodeRegistry } from "../../components";
import { registryProblems } from "../../components/lib/checks";
import { refusedPushProblems } from "../../components/lib/imageBuilds";
import { settingsOf } from "../../components/singleNodeRegistry";
import { target } from "../target";

/** One Docker host. */
export const singleNode = target(SingleNodeRegistry, (args, images) => [
  ...registryProblems(settingsOf(args)),
  ...refusedPushProblems(images, args),
]);
