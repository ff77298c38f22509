import * as pulumi from "@pulumi/pulumi";
import { isHostName } from "./hosts";
import { knownNow } from "./inputs";
import { Problem, shown } from "./problems";

/*
 * The rules that checks are made of. Each takes the values by key, or the key with its value, and returns the problems: none if all is
 * well or nothing is given.
 */

/** Values by key; `prefix` goes before each key in a problem, such as `storage.s3.`. */
type Values<T> = Readonly<Record<string, T | undefined>>;

function given<T>(values: Values<T>): [string, T][] {
  return Object.entries(values).filter((entry): entry is [string, T] => entry[1] !== undefined);
}

/** One problem if something is wrong. */
export function when(wrong: boolean, key: string, message: string): Problem[] {
  return wrong ? [{ key, message }] : [];
}

export function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** The largest number that can be told from the next one. As a limit, it is not one that a user has to know. */
export const unlimited = Number.MAX_SAFE_INTEGER;

/** The longest time in days that an image can be kept by age: a hundred years. */
export const mostDays = 36_500;

/** Whole numbers from `least` to `most`. */
export function wholeNumbers(prefix: string, values: Values<number>, least: number, most: number): Problem[] {
  const range = most === unlimited ? `of ${least} or more` : `from ${least} to ${most}`;
  return given(values).flatMap(([key, value]) =>
    when(!isWhole(value, least, most), `${prefix}${key}`, `${shown(value)} is not allowed; give a whole number ${range}`),
  );
}

/** Texts that the pattern allows; `remedy` says what it does allow. */
export function texts(prefix: string, values: Values<string>, allowed: RegExp, remedy: string): Problem[] {
  return given(values).flatMap(([key, value]) =>
    when(!allowed.test(value), `${prefix}${key}`, `${shown(value)} is not allowed; give ${remedy}`),
  );
}

/** The texts without the empty ones, which `required` or `notEmpty` reports. */
export function filled(values: Values<string>): Values<string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

/** Names, passwords and keys that are sent in a header. An Output or a promise passes: its value is not known yet. */
export function inOneLine(prefix: string, values: Values<pulumi.Input<string>>): Problem[] {
  return given(values).flatMap(([key, value]) =>
    when(/[\0\r\n]/.test(knownNow(value) ?? ""), `${prefix}${key}`, "has a line break or a zero byte; no client can send that"),
  );
}

/** Lists of texts that the pattern allows. */
export function lists(prefix: string, values: Values<readonly string[]>, allowed: RegExp, remedy: string): Problem[] {
  return given(values).flatMap(([key, list]) =>
    list.flatMap((value, index) => texts(`${prefix}${key}`, { [`[${index}]`]: value }, allowed, remedy)),
  );
}

/** Lists without duplicate items. */
export function distinct(prefix: string, values: Values<readonly string[]>): Problem[] {
  return given(values).flatMap(([key, list]) =>
    list.flatMap((value, index) =>
      when(list.indexOf(value) < index, `${prefix}${key}[${index}]`, `${shown(value)} is in the list already`),
    ),
  );
}

/** Values out of a fixed set. */
export function oneOf(prefix: string, values: Values<string | number>, allowed: readonly (string | number)[]): Problem[] {
  return given(values).flatMap(([key, value]) =>
    when(!allowed.includes(value), `${prefix}${key}`, `${shown(value)} is not allowed; choose ${allowed.join(", ")}`),
  );
}

/** The longest time in hours that Go counts, in nanoseconds of 64 bits. */
const mostHours = 2_562_047;
const unitsPerHour: Record<string, number> = { h: 1, m: 60, s: 3600, ms: 3_600_000 };

/** Times as Go writes them (`1h30m`) that the pattern allows; `remedy` says what it does allow. */
export function durations(prefix: string, values: Values<string>, allowed: RegExp, remedy: string): Problem[] {
  return given(values).flatMap(([key, value]) =>
    allowed.test(value)
      ? when(
          hoursOf(value) > mostHours,
          `${prefix}${key}`,
          `${shown(value)} is not allowed; give ${mostHours}h (292 years) at most`,
        )
      : texts(prefix, { [key]: value }, allowed, remedy),
  );
}

function hoursOf(duration: string): number {
  const parts = [...duration.matchAll(/([\d.]+)([a-z]+)/g)];
  return parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) / (unitsPerHour[unit] ?? 1), 0);
}

/** The server reads some characters that a host can't have, such as `\`, differently from `URL`, and refuses a `%` that encodes nothing. */
const url =
  /^https?:\/\/([\p{L}\p{M}\p{N}_.-]+|\[[\da-f:.]+\])(:\d*)?(\/([^\s\p{Cc}%?#]|%[\da-f]{2})*)?(\?[^\s\p{Cc}#]*)?(#([^\s\p{Cc}%]|%[\da-f]{2})*)?$/iu;

/** Replaces `URL.canParse`: once Node.js 20 has compiled that, it refuses every URL that is not ASCII. */
export function canParse(text: string): boolean {
  try {
    return new URL(text) instanceof URL;
  } catch {
    return false;
  }
}

/** A URL of a server, without a user. `URL` takes a name that ends with a number for a wrong address, and the server does not. */
export function isUrl(text: string): boolean {
  const [, host] = url.exec(text) ?? [];
  return host !== undefined && canParse(isHostName(host) ? text.replace(`//${host}`, "//localhost") : text);
}

/** URLs of servers, without a user. */
export function urls(prefix: string, values: Values<string>): Problem[] {
  return given(values).flatMap(([key, value]) =>
    when(
      !isUrl(value),
      `${prefix}${key}`,
      `${shown(value)} is not allowed; give a URL with http:// or https:// and without a user`,
    ),
  );
}

/** Values that must be given; `why` says what needs them. */
export function required(prefix: string, values: Values<unknown>, why: string): Problem[] {
  return Object.entries(values).flatMap(([key, value]) =>
    when(value === undefined || value === "", `${prefix}${key}`, `is missing; ${why}`),
  );
}

/** An empty text is not a name, and not the same as none. */
export function notEmpty(prefix: string, values: Values<string>): Problem[] {
  return given(values).flatMap(([key, value]) => when(value === "", `${prefix}${key}`, "is empty; leave it out or give a name"));
}

/** Either all of these are given or none. */
export function together(prefix: string, values: Values<unknown>): Problem[] {
  const [first] = given(values);
  return first === undefined ? [] : required(prefix, absent(values), `it belongs to ${prefix}${first[0]}`);
}

function absent(values: Values<unknown>): Values<unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value === undefined));
}

/** At most one of these is given. */
export function alternatives(prefix: string, values: Values<unknown>): Problem[] {
  const [first, ...others] = given(values).map(([key]) => key);
  return others.map((key) => ({
    key: `${prefix}${key}`,
    message: `can't be combined with ${prefix}${first}; give one of them`,
  }));
}
