import { kindOf, Problem, shown } from "../components/lib/problems";

/**
 * Reads a value of unknown make: returns it typed, or notes what is wrong with it. What is returned beside a problem serves
 * further checks only: parts may be missing.
 */
export type Shape<T> = (value: unknown, key: string, problems: Problem[]) => T | undefined;

export type Shaped<S> = S extends Shape<infer T> ? T : never;

export type Fields = Record<string, Shape<unknown>>;
export type ShapedObject<F extends Fields, R extends keyof F = never> = { [K in Exclude<keyof F, R>]?: Shaped<F[K]> } & {
  [K in R]: Shaped<F[K]>;
};

function scalar<T>(what: string, accept: (value: unknown) => T | undefined, show = shown): Shape<T> {
  return (value, key, problems) => {
    const accepted = accept(value);
    if (accepted === undefined) {
      problems.push({ key, message: `${show(value)} is not allowed; give ${what}` });
    }
    return accepted;
  };
}

const text = (value: unknown): string | undefined =>
  // `pulumi config set --path users[0].name 42` stores a number where a user means a text.
  typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;

export const string = scalar("a text", text);

/** A text that no error message may show. */
export const secret = scalar("a text", text, () => "this value (not shown)");

export const number = scalar("a number", (value) => {
  const parsed = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof parsed === "number" && Number.isFinite(parsed) ? parsed : undefined;
});

export const boolean = scalar("true or false", (value) =>
  typeof value === "boolean" ? value : value === "true" ? true : value === "false" ? false : undefined,
);

export function list<T>(item: Shape<T>): Shape<T[]> {
  return (value, key, problems) => {
    if (!Array.isArray(value)) {
      problems.push({
        key,
        message: `${kindOf(value)} is not allowed; give a list, item by item with pulumi config set --path '${key}[0]…'`,
      });
      return undefined;
    }
    // Every item keeps its place, so that later checks name the right one.
    return value.map((each, index) => item(each, `${key}[${index}]`, problems) as T);
  };
}

/** A map from names the user chooses to values of one shape. */
export function dictionary<T>(item: Shape<T>): Shape<Record<string, T>> {
  return (value, key, problems) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      problems.push({
        key,
        message: `${kindOf(value)} is not allowed; give names and values with pulumi config set --path '${key}.<name>'`,
      });
      return undefined;
    }
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, item(each, `${key}.${name}`, problems) as T]));
  };
}

/** An object with these fields and no others; those in `required` must be there. `refused` are names that have a reason of their own not to be. */
export function object<F extends Fields, R extends keyof F & string = never>(
  fields: F,
  required: readonly R[] = [],
  refused: Record<string, string> = {},
): Shape<ShapedObject<F, R>> {
  return (value, key, problems) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      problems.push({
        key,
        message: `${kindOf(value)} is not allowed; give its parts ${Object.keys(fields).join(", ")} with pulumi config set --path '${key}.<part>'`,
      });
      return {} as ShapedObject<F, R>;
    }
    const pathTo = (name: string): string => (key === "" ? name : `${key}.${name}`);
    const result: Record<string, unknown> = {};
    for (const [name, each] of Object.entries(value)) {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      const reason = Object.hasOwn(refused, name) ? refused[name] : undefined;
      if (reason !== undefined) {
        problems.push({ key: pathTo(name), message: reason });
      } else if (field === undefined) {
        problems.push({ key: pathTo(name), message: `is no known key; ${suggestion(name, Object.keys(fields))}` });
      } else if (each !== null && each !== undefined) {
        result[name] = field(each, pathTo(name), problems);
      }
    }
    const missing = required.filter((name) => !Object.hasOwn(result, name));
    problems.push(...missing.map((name) => ({ key: pathTo(name), message: "is missing" })));
    return result as ShapedObject<F, R>;
  };
}

function suggestion(name: string, known: readonly string[]): string {
  if (/[.[]/.test(name)) {
    return `to set a part of a key, use pulumi config set --path '${name}'`;
  }
  // Two letters may be wrong, but not all of a short name.
  const near = known.find(
    (each) => each.toLowerCase() === name.toLowerCase() || distance(each, name) <= Math.min(2, each.length / 2),
  );
  return near === undefined ? `known are ${known.join(", ")}` : `did you mean ${near}?`;
}

/** Levenshtein distance: how many letters were mistyped. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  Array.from(a).forEach((letter, index) => {
    let diagonal = index;
    let left = index + 1;
    const next = [left];
    row.slice(1).forEach((above, column) => {
      left = Math.min(above + 1, left + 1, diagonal + (letter === b[column] ? 0 : 1));
      diagonal = above;
      next.push(left);
    });
    row = next;
  });
  return row.at(-1) ?? 0;
}
