/*
 * Tables of properties: what a resource takes and gives, as data. The types that TypeScript sees and the checks at run time come
 * from the same table.
 */
import { hasUnknown, isUnknown } from "./wire";

/** Properties by name, as they come from the engine. */
export type Values = Record<string, unknown>;

/** What a property can hold. */
export interface Type<T> {
  /** What is wrong with a value, a line for each problem; `path` is where it stands. Values known only after a deployment pass. */
  problems(value: unknown, path: string): string[];
  /** The value with the defaults of nested properties in place. */
  filled(value: T): T;
  /** The same for any two values that mean the same. */
  comparable(value: T): unknown;
  /** What changes from one value to another in its parts, by their paths within it; undefined where one of them has none. */
  changes?(before: unknown, after: unknown): Record<string, PropertyChange> | undefined;
}

/** What a deployment does to a property. */
export interface PropertyChange {
  kind: "add" | "update" | "delete";
  replaces: boolean;
}

/** One property. */
export interface Property<T = unknown> {
  type: Type<T>;
  /** Missing is an error. */
  required?: boolean;
  /** Stands in for a value that is not given. */
  default?: T;
  /** A change makes a new resource; without it a change is an update. */
  replaces?: boolean;
  /** No two resources can have the same value: a replacement that keeps it deletes the old resource first. */
  unique?: boolean;
  /** Secret in state and to the program, whether or not it was given as a secret. */
  secret?: boolean;
}

export type Properties = Record<string, Property>;

type ValueOf<P extends Property> = P["type"] extends Type<infer T> ? T : never;
type Given<P extends Properties> = {
  [K in keyof P]: P[K] extends { required: true } | { default: unknown } ? K : never;
}[keyof P];

/** What functions get for a table of inputs: defaults are in place, the rest may be missing. */
export type InputsOf<P extends Properties> = { [K in Given<P>]: ValueOf<P[K]> } & {
  [K in Exclude<keyof P, Given<P>>]?: ValueOf<P[K]>;
};

/** What functions give for a table of outputs. */
export type OutputsOf<P extends Properties> = { [K in keyof P]: ValueOf<P[K]> };

export const isObject = (value: unknown): value is Values => typeof value === "object" && value !== null && !Array.isArray(value);

/** What the official providers keep for themselves in inputs and outputs: `__defaults`, `__meta` and others. */
export const isInternal = (name: string): boolean => name.startsWith("__");

export function simple<T>(what: string, fits: (value: unknown) => boolean): Type<T> {
  return {
    problems: (value, path) => (fits(value) || isUnknown(value) ? [] : [`${path} must be ${what}`]),
    filled: (value) => value,
    comparable: (value) => value,
  };
}

export const string = simple<string>("a text", (value) => typeof value === "string");
export const boolean = simple<boolean>("true or false", (value) => typeof value === "boolean");
export const integer = simple<number>("a whole number", Number.isInteger);

export function oneOf<T extends string>(...values: T[]): Type<T> {
  return simple<T>(values.map((each) => `"${each}"`).join(" or "), (value) => values.some((each) => each === value));
}

export function list<T>(item: Type<T>): Type<T[]> {
  return {
    problems: (value, path) => {
      if (isUnknown(value)) {
        return [];
      }
      return Array.isArray(value)
        ? value.flatMap((each, index) => item.problems(each, `${path}[${index}]`))
        : [`${path} must be a list`];
    },
    filled: (value) => (isUnknown(value) ? value : value.map((each) => item.filled(each))),
    comparable: (value) => (isUnknown(value) ? value : value.map((each) => item.comparable(each))),
  };
}

/** A list whose order means nothing. */
export function set<T>(item: Type<T>): Type<T[]> {
  const ordered = list(item);
  return {
    ...ordered,
    comparable: (value) => (isUnknown(value) ? value : value.map((each) => JSON.stringify(sorted(item.comparable(each)))).sort()),
  };
}

export function map<T>(item: Type<T>): Type<Record<string, T>> {
  const each = <R>(value: Record<string, T>, change: (entry: T) => R): Record<string, R> =>
    Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, change(entry)]));
  return {
    problems: (value, path) => {
      if (isUnknown(value)) {
        return [];
      }
      return isObject(value)
        ? Object.entries(value).flatMap(([key, entry]) => item.problems(entry, `${path}.${key}`))
        : [`${path} must be an object`];
    },
    filled: (value) => (isUnknown(value) ? value : each(value, (entry) => item.filled(entry))),
    comparable: (value) => (isUnknown(value) ? value : each(value, (entry) => item.comparable(entry))),
  };
}

export function object<P extends Properties>(properties: P): Type<InputsOf<P>> {
  return {
    problems: (value, path) => {
      if (isUnknown(value)) {
        return [];
      }
      return isObject(value) ? problemsOf(properties, value, `${path}.`) : [`${path} must be an object`];
    },
    filled: (value) => (isUnknown(value) ? value : (filledIn(properties, value) as InputsOf<P>)),
    comparable: (value) => (isUnknown(value) ? value : comparableOf(properties, value)),
    changes: (before, after) => (isObject(before) && isObject(after) ? changesOf(properties, before, after) : undefined),
  };
}

/**
 * What changes between the values of a table, by the path of a property (`mode.global`), which is what the engine matches a program's
 * `replaceOnChanges` with. A value that is known only after a deployment may be another one.
 */
export function changesOf(properties: Properties, before: Values, after: Values): Record<string, PropertyChange> {
  const [old, wanted] = [comparableOf(properties, before), comparableOf(properties, after)];
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => old[name] !== wanted[name] || hasUnknown(after[name]))
      .flatMap(([name, { replaces = false, type }]): [string, PropertyChange][] => {
        const parts = replaces ? undefined : type.changes?.(before[name], after[name]);
        if (parts !== undefined) {
          return Object.entries(parts).map(([part, change]) => [`${name}.${part}`, change]);
        }
        const kind = old[name] === undefined ? "add" : wanted[name] === undefined ? "delete" : "update";
        return [[name, { kind, replaces }]];
      }),
  );
}

/** Everything wrong with the values given for a table. */
export function problemsOf(properties: Properties, given: Values, prefix = ""): string[] {
  const values = present(given);
  return [
    ...Object.entries(properties)
      .filter(([name, { required }]) => required && !(name in values))
      .map(([name]) => `${prefix}${name} is missing`),
    ...Object.entries(values).flatMap(([name, value]) => {
      const path = prefix + name;
      const property = properties[name];
      return property === undefined ? [`${path} is not known here`] : property.type.problems(value, path);
    }),
  ];
}

/** What a table's functions work on: what was given, with defaults in place, without what other providers keep in it. */
export function filledIn(properties: Properties, given: Values): Values {
  const values = present(given);
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) => {
      const value = values[name] ?? property.default;
      return value === undefined ? [] : [[name, property.type.filled(value)]];
    }),
  );
}

/** Equal texts for equal meanings; nothing given, nothing in it and the default are one and the same. */
export function comparableOf(properties: Properties, given: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filledIn(properties, given)).flatMap(([name, value]) => {
      const property = properties[name];
      const comparable = property === undefined ? value : property.type.comparable(value);
      return isEmpty(comparable) ? [] : [[name, JSON.stringify(sorted(comparable))]];
    }),
  );
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

/** What was really given: no nulls, nothing internal. */
function present(given: Values): Values {
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => value !== null && value !== undefined && !isInternal(name)),
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  return isObject(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, each]) => [key, sorted(each)]),
      )
    : value;
}
