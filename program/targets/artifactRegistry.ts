import { ArtifactRegistry } from "../../components";
import { artifactRegistryProblems } from "../../components/lib/artifactRegistry";
import { hostedForeign } from "../hosted";
import { garbageCollectionShape, mirrorShape } from "../registryShapes";
import { boolean, dictionary, list, object, string } from "../shape";
import { target } from "../target";

/** Google Artifact Registry. */
export const artifactRegistry = target(
  {
    artifactRegistry: object({
      location: string,
      project: string,
      repository: string,
      immutableTags: boolean,
      scan: boolean,
      kmsKey: string,
      readers: list(string),
      writers: list(string),
      labels: dictionary(string),
    }),
    garbageCollection: garbageCollectionShape,
    mirror: mirrorShape,
    lab: boolean,
  },
  (args) =>
    artifactRegistryProblems({
      artifactRegistry: args.artifactRegistry ?? {},
      garbageCollection: args.garbageCollection ?? {},
      mirror: args.mirror,
    }),
  (name, args) => new ArtifactRegistry(name, args),
  hostedForeign("Google", "artifactRegistry.readers and artifactRegistry.writers"),
);
