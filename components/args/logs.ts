/** Format of the server's log. */
export const LogFormat = {
  /** For people: `key=value`, and the access log as web servers write it. */
  Text: "text",
  /** For machines: a JSON object on each line, in the access log as well. */
  Json: "json",
} as const;
export type LogFormat = (typeof LogFormat)[keyof typeof LogFormat];

/** What the audit records. */
export const AuditLevel = {
  /** Nothing. */
  Off: "off",
  /** Pushes, deletions and failed logins. */
  Writes: "writes",
  /** Pulls as well. */
  All: "all",
} as const;
export type AuditLevel = (typeof AuditLevel)[keyof typeof AuditLevel];

/** The server's log and its audit. */
export interface Logs {
  /** Format of the log; of the bundled server's access log too. Default: `text`. */
  format?: LogFormat;
  /** Audit of who did what and from where, in a volume of its own. Requires the bundled server. Default: `off`. */
  audit?: AuditLevel;
}
