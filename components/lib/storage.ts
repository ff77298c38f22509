import { StorageArgs } from "../args";
import { dataFolder, StorageConfiguration } from "./configuration";

/** Translates the user's storage options into the engine's parameters; they are checked before (see checks.ts). */
export function storageConfiguration(storage: StorageArgs): StorageConfiguration {
  return {
    driver: "filesystem",
    parameters: { rootdirectory: dataFolder, maxthreads: storage.filesystem?.maxThreads ?? 100 },
    redirect: false,
  };
}
