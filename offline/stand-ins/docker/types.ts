import { InputsOf, integer, list, simple, string, Type } from "../provider/types";
import { isUnknown } from "../provider/wire";
import { duration as written, nanoseconds } from "./durations";

/** A span of time as Go writes it: `1m30s`. */
export const duration: Type<string> = {
  ...simple<string>("a duration such as 1m30s", (value) => typeof value === "string" && nanoseconds(value) !== undefined),
  comparable: (value) => (isUnknown(value) ? value : nanoseconds(value)),
};

/** A value that may be missing. */
export const maybe = <T>(type: Type<T>): Type<T | undefined> => type;

/** A property that nobody here needs, and that the official provider's state has: nothing but its default is taken. */
export const only = <T>(value: T): { type: Type<T>; default: T } => ({
  type: simple<T>(JSON.stringify(value), (each) => each === value),
  default: value,
});

/** Base64, with or without its padding. */
export const base64 = simple<string>(
  "Base64",
  (value) =>
    typeof value === "string" && Buffer.from(value, "base64").toString("base64").replace(/=+$/, "") === value.replace(/=+$/, ""),
);

/** How the engine finds out whether a container is healthy. */
export const healthcheck = {
  tests: { type: list(string), default: [] },
  interval: { type: duration, default: "0s" },
  timeout: { type: duration, default: "0s" },
  startPeriod: { type: duration, default: "0s" },
  retries: { type: integer, default: 0 },
} as const;

/** A health check as the Engine API takes it: times in nanoseconds. */
export interface HealthConfig {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

export function healthConfig(given: InputsOf<typeof healthcheck>): HealthConfig {
  return {
    Test: given.tests,
    Interval: nanoseconds(given.interval),
    Timeout: nanoseconds(given.timeout),
    StartPeriod: nanoseconds(given.startPeriod),
    Retries: given.retries,
  };
}

export function healthcheckOf(found: HealthConfig): InputsOf<typeof healthcheck> {
  return {
    tests: found.Test ?? [],
    interval: written(found.Interval ?? 0),
    timeout: written(found.Timeout ?? 0),
    startPeriod: written(found.StartPeriod ?? 0),
    retries: found.Retries ?? 0,
  };
}
