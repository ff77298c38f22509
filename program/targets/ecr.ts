import { EcrRegistry } from "../../components";
import { ecrProblems, unknownRepositoryProblems } from "../../components/managed/ecrPolicies";
import { managedForeign } from "../managed";
import { target } from "../target";

/** Amazon Elastic Container Registry. */
export const ecr = target(
  EcrRegistry,
  (args, images) => [
    ...ecrProblems({ ecr: args.ecr ?? {}, garbageCollection: args.garbageCollection ?? {}, mirror: args.mirror }),
    ...unknownRepositoryProblems(images, args.ecr?.repositories),
  ],
  managedForeign("Amazon", "ecr.readers and ecr.writers"),
);
