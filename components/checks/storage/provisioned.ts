import { Problem } from "../problems";

type Values = Readonly<Record<string, unknown>>;

/** Options that `storage.provision` fills can't be given with it, and options that only it reads can't be given without it. */
export function provisionedOptions(prefix: string, provision: boolean, parts: { fills: Values; reads: Values }): Problem[] {
  const message = provision ? "is filled by storage.provision; remove one of them" : "needs storage.provision true";
  return Object.entries(provision ? parts.fills : parts.reads)
    .filter(([, value]) => value !== undefined)
    .map(([key]) => ({ key: `${prefix}${key}`, message }));
}
