import { AcrRegistry } from "../../components";
import { acrProblems } from "../../components/managed/acrChecks";
import { managedForeign } from "../managed";
import { target } from "../target";

/** Azure Container Registry. */
export const acr = target(
  AcrRegistry,
  (args) => acrProblems({ acr: args.acr ?? {}, garbageCollection: args.garbageCollection ?? {}, mirror: args.mirror }),
  managedForeign("Azure", "acr.readers and acr.writers"),
);
