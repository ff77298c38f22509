import { Problem, shown } from "./problems";

export function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** The largest number that is told from the next: no limit that a user has to know. */
export const unlimited = Number.MAX_SAFE_INTEGER;

/** The longest time in days that an image can be kept by age: a hundred years. */
export const mostDays = 36_500;

/** Notes a problem for each number that is given and not a whole one from `least` to `most`. */
export function wholeNumbers(prefix: string, values: Record<string, number | undefined>, least: number, most: number): Problem[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && !isWhole(value, least, most))
    .map(([key, value]) => ({
      key: `${prefix}${key}`,
      message: `${shown(value)} is not allowed; give a whole number ${most === unlimited ? `of ${least} or more` : `from ${least} to ${most}`}`,
    }));
}
