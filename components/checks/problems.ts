/** One thing that is wrong with the configuration a user gave. */
export interface Problem {
  /** The configuration key, as a user writes it: `tls.validityDays`, `users[1].name`. */
  key: string;
  /** What was given (never a secret) and what is allowed. */
  message: string;
}

/** Longest value that is shown whole. */
const shownCharacters = 100;

/**
 * Shows a value the way a user typed it. Only for values that are not secret. An object or list is only named as such, because a
 * secret may be in it.
 */
export function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > shownCharacters ? `${value.slice(0, shownCharacters)}…` : value);
    case "number":
    case "boolean":
      return String(value);
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "a list" : "an object";
    default:
      return "nothing";
  }
}

/** The kind of a given value, if the value itself must not be shown. */
export function kindOf(value: unknown): string {
  return typeof value === "string" ? "a text" : typeof value === "number" ? "a number" : shown(value);
}

/** The most problems that are shown for one list or object. */
const shownProblems = 25;

/**
 * The text of the one error that lists every problem; `outcome` says what came of it. If all items of a long list are wrong, the first
 * ones show what is wrong, and the others would hide the problems of other keys.
 */
export function problemReport(problems: readonly Problem[], outcome = ""): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const seen = new Map<string, number>();
  const lines = problems.flatMap(({ key, message }) => {
    const [top = key] = /^[^[.]+(?=[[.])/.exec(key) ?? [];
    seen.set(top, (seen.get(top) ?? 0) + 1);
    return (seen.get(top) ?? 0) > shownProblems ? [] : [`  - ${key}: ${message}`];
  });
  const more = [...seen].filter(([, found]) => found > shownProblems);
  lines.push(...more.map(([top, found]) => `  - ${top}: and ${found - shownProblems} more`));
  return `The configuration has ${count}${outcome}:\n${lines.join("\n")}`;
}
