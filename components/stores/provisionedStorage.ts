import * as pulumi from "@pulumi/pulumi";
import { AzureStore } from "./azureStore";
import { GcsStore } from "./gcsStore";
import { driverOf } from "../render/driverParameters";
import { S3Store } from "./s3Store";
import { Storage } from "../args/storage";

/** The storage options. With `provision`, makes the store and completes the options. */
export function provisionedStorage(
  name: string,
  storage: Storage,
  lab: boolean,
  opts: pulumi.ComponentResourceOptions,
): pulumi.Input<Storage> {
  const { provision, tags, ...rest } = storage;
  if (provision !== true) {
    return storage;
  }
  const common = { tags, lab };
  switch (driverOf(rest)) {
    case "s3":
      return new S3Store(name, { options: rest.s3 ?? {}, ...common }, opts).options.apply((s3) => ({ ...rest, s3 }));
    case "azure":
      return new AzureStore(name, { options: rest.azure ?? {}, ...common }, opts).options.apply((azure) => ({ ...rest, azure }));
    case "gcs":
      return new GcsStore(name, { options: rest.gcs ?? {}, ...common }, opts).options.apply((gcs) => ({ ...rest, gcs }));
    default:
      // The checks have refused provision for the other drivers.
      return storage;
  }
}
