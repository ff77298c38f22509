import { ArtifactRegistry } from "../../components";
import { artifactRegistryProblems } from "../../components/managed/cleanupPolicies";
import { managedForeign } from "../managed";
import { target } from "../target";

/** Google Artifact Registry. */
export const artifactRegistry = target(
  ArtifactRegistry,
  (args) =>
    artifactRegistryProblems({
      artifactRegistry: args.artifactRegistry ?? {},
      garbageCollection: args.garbageCollection ?? {},
      mirror: args.mirror,
    }),
  managedForeign("Google", "artifactRegistry.readers and artifactRegistry.writers"),
);
