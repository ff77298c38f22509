import { Storage } from "../../args/storage";
import { driverOf } from "../../render/driverParameters";
import { KiB, MiB, serverMemory } from "../../render/sizes";
import { Problem } from "../problems";
import { when } from "../rules";

/**
 * How much of an upload the bundled server holds in memory, in per cent of a chunk, and the size of a chunk if none is given.
 * The server has the same numbers in server/internal/guard/uploads.go. Azure's chunks are small and can't be changed.
 */
const bufferings = {
  s3: { usual: 10 * MiB, percent: 220 },
  gcs: { usual: 16 * MiB, percent: 210 },
  swift: { usual: 16 * MiB, percent: 205 },
  oss: { usual: 10 * MiB, percent: 150 },
};

/** The uploads' share of the server's memory, in per cent. */
const share = 40;

/** What is wrong with a chunk so large that not even one upload has room in `memory`, the MiB of the container. */
export function chunkProblems(storage: Storage, memory: number): Problem[] {
  const driver = driverOf(storage);
  if (!Object.hasOwn(bufferings, driver)) {
    return [];
  }
  const name = driver as keyof typeof bufferings;
  const { usual, percent } = bufferings[name];
  const given = storage[name]?.chunkSize;
  // Google takes multiples of this.
  const step = 256 * KiB;
  const fitting = Math.floor((serverMemory(memory) * MiB * share) / percent / step) * step;
  // The usual chunk is always allowed: the rest of the memory has to make up for it.
  const largest = Math.max(usual, fitting);
  return when(
    given !== undefined && given > largest,
    `storage.${name}.chunkSize`,
    `${given} is not allowed with resources.memory ${memory}; give ${largest} or less, or more memory`,
  );
}
