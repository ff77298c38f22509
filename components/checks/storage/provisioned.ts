import { Problem } from "../problems";

type Values = Readonly<Record<string, unknown>>;

/** What `storage.provision` fills can't be given beside it, and what only it reads can't be given without. */
export function provisionedOptions(prefix: string, provision: boolean, parts: { fills: Values; reads: Values }): Problem[] {
  const message = provision ? "is filled by storage.provision; remove one of them" : "needs storage.provision true";
  return Object.entries(provision ? parts.fills : parts.reads)
    .filter(([, value]) => value !== undefined)
    .map(([key]) => ({ key: `${prefix}${key}`, message }));
}
