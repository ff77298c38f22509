import { AcrRegistry, AcrSku } from "../../components";
import { acrProblems } from "../../components/lib/acr";
import { hostedForeign } from "../hosted";
import { garbageCollectionShape, mirrorShape } from "../registryShapes";
import { boolean, dictionary, list, number, object, Shape, string } from "../shape";
import { target } from "../target";

/** Azure Container Registry. */
export const acr = target(
  {
    acr: object({
      name: string,
      resourceGroup: string,
      location: string,
      sku: string as Shape<AcrSku>,
      zoneRedundancy: boolean,
      untaggedDays: number,
      readers: list(string),
      writers: list(string),
      mirrorPrefix: string,
      mirrorVault: string,
      tags: dictionary(string),
    }),
    garbageCollection: garbageCollectionShape,
    mirror: mirrorShape,
    lab: boolean,
  },
  (args) => acrProblems({ acr: args.acr ?? {}, garbageCollection: args.garbageCollection ?? {}, mirror: args.mirror }),
  (name, args) => new AcrRegistry(name, args),
  hostedForeign("Azure", "acr.readers and acr.writers"),
);
