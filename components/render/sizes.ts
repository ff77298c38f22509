/** Sizes in bytes. */
export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** MiB that a server may use in a container with `memory` MiB: the garbage collector works harder before the kernel's limit is reached. */
export function serverMemory(memory: number): number {
  return Math.floor(memory * 0.9);
}

/** Bytes of a size in the units of disks: `20GB` is 20,000,000,000. */
export function bytesOf(size: string): number {
  const units: Record<string, number> = { MB: 1e6, GB: 1e9, TB: 1e12 };
  return Number.parseInt(size, 10) * (units[size.slice(-2)] ?? Number.NaN);
}
