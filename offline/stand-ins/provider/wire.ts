/* How the engine writes down what JSON can't say: values that are not known yet, and secrets. */

/** What stands for a value that a deployment will bring, one for each type it may have. */
const unknownMarks: ReadonlySet<unknown> = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** A value that a deployment will bring. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const isUnknown = (value: unknown): boolean => unknownMarks.has(value);

/** Whether anything in a value is known only after a deployment. */
export function hasUnknown(value: unknown): boolean {
  return typeof value === "object" && value !== null ? Object.values(value).some(hasUnknown) : isUnknown(value);
}

const kind = "4dabf18193072939515e22adb298388d";
const secretKind = "1b47061264138c4ac30d75fd1eb44270";

/** The value, marked as a secret. */
export function secret(value: unknown): unknown {
  return { [kind]: secretKind, value };
}

/** A value without the marks of secrets in it. */
export function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  const entries = value as Record<string, unknown>;
  return entries[kind] === secretKind
    ? plain(entries.value)
    : Object.fromEntries(Object.entries(entries).map(([name, each]) => [name, plain(each)]));
}
