/** How the lines of the server's log look. */
export const LogFormat = {
  /** For people: `key=value`, and the access log as web servers write it. */
  Text: "text",
  /** For machines: a JSON object in each line, of the access log as well. */
  Json: "json",
} as const;
export type LogFormat = (typeof LogFormat)[keyof typeof LogFormat];

/** What goes into the audit. */
export const AuditLevel = {
  /** Nothing. */
  Off: "off",
  /** Pushes, deletions and failed logins. */
  Writes: "writes",
  /** Pulls as well. */
  All: "all",
} as const;
export type AuditLevel = (typeof AuditLevel)[keyof typeof AuditLevel];

/** What the server writes down. */
export interface Logs {
  /** `text`, or `json`: an object in each line, of the access log as well where the server is the bundled one. Default: `text`. */
  format?: LogFormat;
  /** Who did what, from where, in a volume of its own: `off`, `writes` (pushes, deletions, failed logins) or `all` (pulls as well). Requires the bundled server. Default: `off`. */
  audit?: AuditLevel;
}
