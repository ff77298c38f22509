import * as pulumi from "@pulumi/pulumi";
import { ObjectType, partsOf, Property } from "../../args/schema";
import { kindOf, Problem, shown } from "../problems";

/** The reasons for which keys are refused, by the path of the key: `mirror.users`. */
export type Refusals = Readonly<Record<string, string>>;

/** Where values come from, and what was found wrong with them. */
export interface Reading {
  /** Whether the values are from `pulumi config`, which stores numbers, true and false as texts; otherwise a program gave them. */
  fromConfig: boolean;
  refusals: Refusals;
  problems: Problem[];
}

/**
 * Reads an object of unknown shape as the package's schema describes it: returns it typed, or notes what is wrong with it. An object
 * that is returned beside a problem is for further checks only: parts may be missing.
 */
export function readObject(
  value: unknown,
  { properties, required }: ObjectType,
  key: string,
  reading: Reading,
): Record<string, unknown> {
  const { refusals, problems } = reading;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    // `pulumi config set` fills the places before the given one with null.
    const wrong = value === null ? "is missing, and a list replaces its default" : `${kindOf(value)} is not allowed`;
    problems.push({
      key,
      message: `${wrong}; give its parts ${Object.keys(properties).join(", ")}${command(reading, `${key}.<part>`)}`,
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
      problems.push({ key: pathTo(name), message: `unknown key; ${suggestion(name, Object.keys(properties), reading)}` });
    } else if (isGiven(each)) {
      result[name] = readValue(each, property, pathTo(name), reading);
    }
  }
  const missing = required.filter((name) => !Object.hasOwn(result, name));
  problems.push(...missing.map((name) => ({ key: pathTo(name), message: "is missing" })));
  return result;
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** How a part of a configuration is given. */
function command({ fromConfig }: Reading, keyPath: string): string {
  return fromConfig ? ` with pulumi config set --path '${keyPath}'` : "";
}

function readValue(value: unknown, property: Property, key: string, reading: Reading): unknown {
  const { problems } = reading;
  if (pulumi.Output.isInstance(value) || value instanceof Promise || pulumi.isUnknown(value)) {
    if (property.plain === true) {
      problems.push({
        key,
        message: "is secret or known only during the deployment; it decides what is made, so give a plain value",
      });
    }
    return value;
  }
  const parts = partsOf(property);
  if (parts !== undefined) {
    return readObject(value, parts, key, reading);
  }
  const { items, additionalProperties, type } = property;
  if (items !== undefined) {
    return readList(value, items, key, reading);
  }
  if (additionalProperties !== undefined) {
    return readMap(value, additionalProperties, key, reading);
  }
  const kind = type === "number" || type === "boolean" ? type : "string";
  const accepted = scalars[kind].accept(value, reading.fromConfig);
  if (accepted === undefined) {
    // No error shows a value that may be secret.
    const given = property.plain === true ? shown(value) : "this value (not shown)";
    const instead =
      kind !== "string" ? undefined : typeof value === "number" ? "number" : isDate(value) ? "date to YAML" : undefined;
    const wrong =
      instead === undefined
        ? `is not allowed; give ${scalars[kind].what}`
        : `is a ${instead}, and may not be what was written; put it in quotes${reading.fromConfig ? " in the stack's file" : ""}`;
    problems.push({ key, message: `${given} ${wrong}` });
  }
  return accepted;
}

/** Whether a value is what Pulumi's command makes of an unquoted date in YAML. */
function isDate(value: unknown): boolean {
  return typeof value === "string" && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} (UTC|[+-]\d{4})$/.test(value);
}

/** What is accepted as a value of each kind. */
const scalars = {
  string: {
    what: "a text",
    // `pulumi config set --path users[0].name 42` stores a number where a user means a text, and so does YAML with `tags: [42]`.
    // For 1.10 and 20241129160734123 the number would give another text.
    accept: (value: unknown, fromConfig: boolean): string | undefined =>
      (typeof value === "string" && !(fromConfig && isDate(value))) || Number.isSafeInteger(value) || typeof value === "boolean"
        ? String(value)
        : undefined,
  },
  number: {
    what: "a number in plain digits",
    // With 0x10, 1e3 and 05000 it is unclear which number was meant.
    accept: (value: unknown, fromConfig: boolean): number | undefined => {
      const parsed = fromConfig && typeof value === "string" && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(value) ? Number(value) : value;
      // Negative zero, which "-0" gives, is not a whole number to the server.
      return typeof parsed === "number" && Number.isFinite(parsed) ? parsed || 0 : undefined;
    },
  },
  boolean: {
    what: "true or false",
    accept: (value: unknown, fromConfig: boolean): boolean | undefined =>
      typeof value === "boolean" ? value : fromConfig && (value === "true" || value === "false") ? value === "true" : undefined,
  },
};

function readList(value: unknown, item: Property, key: string, reading: Reading): unknown {
  if (!Array.isArray(value)) {
    const how = reading.fromConfig ? `, item by item${command(reading, `${key}[0]…`)}` : "";
    reading.problems.push({ key, message: `${kindOf(value)} is not allowed; give a list${how}` });
    return undefined;
  }
  // Every item keeps its place, so that later checks name the right one; they get an empty text where there is nothing to read.
  return value.map((each, index) => readValue(each, item, `${key}[${index}]`, reading) ?? "");
}

/** Reads a map whose keys are names that the user chooses. */
function readMap(value: unknown, item: Property, key: string, reading: Reading): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    reading.problems.push({
      key,
      message: `${kindOf(value)} is not allowed; give names and values${command(reading, `${key}.<name>`)}`,
    });
    return undefined;
  }
  const given = Object.entries(value).filter(([, each]) => isGiven(each));
  return Object.fromEntries(given.map(([name, each]) => [name, readValue(each, item, `${key}.${name}`, reading)]));
}

function suggestion(name: string, known: readonly string[], { fromConfig }: Reading): string {
  if (fromConfig && /[.[]/.test(name)) {
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
