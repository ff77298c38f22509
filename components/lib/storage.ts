import { Storage } from "../args";
import { dataFolder, StorageConfiguration } from "./configuration";

/** Translates the user's storage options into the engine's parameters; they are checked before (see checks.ts). */
export function storageConfiguration(storage: Storage): StorageConfiguration {
  return {
    driver: "filesystem",
    parameters: { rootdirectory: dataFolder, maxthreads: storage.filesystem?.maxThreads ?? 100 },
    redirect: false,
  };
}
