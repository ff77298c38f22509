import { kindOf, Problem, shown } from "../components/checks/problems";
import { ObjectType, partsOf, Property } from "../components/args/schema";

/** Keys that are refused for a reason of their own, by their path: `mirror.users`. */
export type Refusals = Readonly<Record<string, string>>;

/**
 * Reads an object of unknown make as the package's schema describes it: returns it typed, or notes what is wrong with it. What is
 * returned beside a problem serves further checks only: parts may be missing.
 */
export function readObject(
  value: unknown,
  { properties, required }: ObjectType,
  key: string,
  problems: Problem[],
  refusals: Refusals = {},
): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    // `pulumi config set` fills the places before the one that it is given.
    const wrong = value === null ? "is missing, and a list replaces its default" : `${kindOf(value)} is not allowed`;
    problems.push({
      key,
      message: `${wrong}; give its parts ${Object.keys(properties).join(", ")} with pulumi config set --path '${key}.<part>'`,
    });
    return {};
  }
  const pathTo = (name: string): string => (key === "" ? name : `${key}.${name}`);
  const result: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const reason = Object.hasOwn(refusals, pathTo(name)) ? refusals[pathTo(name)] : undefined;
    if (reason !== undefined) {
      problems.push({ key: pathTo(name), message: reason });
    } else if (property === undefined) {
      problems.push({ key: pathTo(name), message: `unknown key; ${suggestion(name, Object.keys(properties))}` });
    } else if (each !== null && each !== undefined) {
      result[name] = readValue(each, property, pathTo(name), problems, refusals);
    }
  }
  const missing = required.filter((name) => !Object.hasOwn(result, name));
  problems.push(...missing.map((name) => ({ key: pathTo(name), message: "is missing" })));
  return result;
}

function readValue(value: unknown, property: Property, key: string, problems: Problem[], refusals: Refusals): unknown {
  const parts = partsOf(property);
  if (parts !== undefined) {
    return readObject(value, parts, key, problems, refusals);
  }
  const { items, additionalProperties, type } = property;
  if (items !== undefined) {
    return readList(value, items, key, problems, refusals);
  }
  if (additionalProperties !== undefined) {
    return readMap(value, additionalProperties, key, problems, refusals);
  }
  const { what, accept } = scalars[type === "number" || type === "boolean" ? type : "string"];
  const accepted = accept(value);
  if (accepted === undefined) {
    // What may be secret is in no error.
    const given = property.plain === true ? shown(value) : "this value (not shown)";
    problems.push({ key, message: `${given} is not allowed; give ${what}` });
  }
  return accepted;
}

/** How `pulumi config` may hold a value of each kind. */
const scalars = {
  string: {
    what: "a text",
    // `pulumi config set --path users[0].name 42` stores a number where a user means a text.
    accept: (value: unknown): string | undefined =>
      typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : undefined,
  },
  number: {
    what: "a number",
    accept: (value: unknown): number | undefined => {
      const parsed = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      return typeof parsed === "number" && Number.isFinite(parsed) ? parsed : undefined;
    },
  },
  boolean: {
    what: "true or false",
    accept: (value: unknown): boolean | undefined =>
      typeof value === "boolean" ? value : value === "true" ? true : value === "false" ? false : undefined,
  },
};

function readList(value: unknown, item: Property, key: string, problems: Problem[], refusals: Refusals): unknown {
  if (!Array.isArray(value)) {
    problems.push({
      key,
      message: `${kindOf(value)} is not allowed; give a list, item by item with pulumi config set --path '${key}[0]…'`,
    });
    return undefined;
  }
  // Every item keeps its place, so that later checks name the right one.
  return value.map((each, index) => readValue(each, item, `${key}[${index}]`, problems, refusals));
}

/** Reads a map from names the user chooses. */
function readMap(value: unknown, item: Property, key: string, problems: Problem[], refusals: Refusals): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push({
      key,
      message: `${kindOf(value)} is not allowed; give names and values with pulumi config set --path '${key}.<name>'`,
    });
    return undefined;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, readValue(each, item, `${key}.${name}`, problems, refusals)]),
  );
}

function suggestion(name: string, known: readonly string[]): string {
  if (/[.[]/.test(name)) {
    return `to set a part of a key, use pulumi config set --path '${name}', and remove this one: pulumi config rm '${name}'`;
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
