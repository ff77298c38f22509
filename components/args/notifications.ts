import * as pulumi from "@pulumi/pulumi";

/** What an endpoint is notified of. */
export const NotifiedAction = {
  /** An image was pushed, or a tag moved. */
  Push: "push",
  /** An image or a tag was deleted. */
  Delete: "delete",
} as const;
export type NotifiedAction = (typeof NotifiedAction)[keyof typeof NotifiedAction];

/** An HTTP endpoint that is notified of pushes and deletions. */
export interface Notification {
  /** Name of the endpoint, under which events wait for it: lower-case letters, digits and hyphens, 63 at most. */
  name: string;
  /** URL that events are sent to: `https://` or `http://`, without a user. Give it as a secret if its path or query is one. */
  url: pulumi.Input<string>;
  /** Headers to send with them, such as `Authorization`. Kept secret. Default: none. */
  headers?: Record<string, pulumi.Input<string>>;
  /** What the endpoint is notified of. Default: both. */
  actions?: NotifiedAction[];
  /** Repositories whose events are sent: names, or prefixes such as `team-a/*`. Default: all. */
  repositories?: string[];
  /** CA of the endpoint's certificate, PEM, if it is a private one. It replaces the public CAs. Default: the public CAs. */
  caCertificates?: string;
}
