import { EcrRegistry } from "../../components";
import { ecrProblems, unknownRepositoryProblems } from "../../components/lib/ecr";
import { hostedForeign } from "../hosted";
import { garbageCollectionShape, mirrorShape } from "../registryShapes";
import { boolean, dictionary, list, object, string } from "../shape";
import { target } from "../target";

/** Amazon Elastic Container Registry. */
export const ecr = target(
  {
    ecr: object({
      region: string,
      repositories: list(string),
      immutableTags: boolean,
      mutableTags: list(string),
      scanOnPush: boolean,
      kmsKey: string,
      readers: list(string),
      writers: list(string),
      mirrorPrefix: string,
      tags: dictionary(string),
    }),
    garbageCollection: garbageCollectionShape,
    mirror: mirrorShape,
    lab: boolean,
  },
  (args, images) => [
    ...ecrProblems({ ecr: args.ecr ?? {}, garbageCollection: args.garbageCollection ?? {}, mirror: args.mirror }),
    ...unknownRepositoryProblems(images, args.ecr?.repositories),
  ],
  (name, args) => new EcrRegistry(name, args),
  hostedForeign("Amazon", "ecr.readers and ecr.writers"),
);
