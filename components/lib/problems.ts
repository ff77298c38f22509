/** One thing that is wrong with the configuration a user gave. */
export interface Problem {
  /** The configuration key, as a user writes it: `tls.validityDays`, `users[1].name`. */
  key: string;
  /** What was given (never a secret) and what is allowed. */
  message: string;
}

/** Shows a value the way a user typed it. Only for values that are not secret. */
export function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

/** The text of the one error that lists every problem. */
export function problemReport(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.map(({ key, message }) => `  - ${key}: ${message}`);
  return `The configuration has ${count}; nothing was changed.\n${lines.join("\n")}`;
}
