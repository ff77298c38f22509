/** A configuration that is refused. */
export interface BadConfiguration {
  title: string;
  /** Values by key, as `pulumi config` holds them. */
  config: Record<string, unknown>;
  /** Every line of the error, `key: message`. */
  problems: string[];
}
