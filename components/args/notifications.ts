import * as pulumi from "@pulumi/pulumi";

/** What endpoints are told of. */
export const NotifiedAction = {
  /** An image was pushed, or a tag moved. */
  Push: "push",
  /** An image or a tag was deleted. */
  Delete: "delete",
} as const;
export type NotifiedAction = (typeof NotifiedAction)[keyof typeof NotifiedAction];

/** Who is told by HTTP of what happens in the registry. */
export interface Notification {
  /** Name of the endpoint, by which events wait for it: small letters, digits and hyphens, 63 at most. */
  name: string;
  /** Where events are sent to: `https://` or `http://`, without a user. It may be secret, where its path or query is. */
  url: pulumi.Input<string>;
  /** Headers to send with them, as `Authorization`. Kept secret. Default: none. */
  headers?: Record<string, pulumi.Input<string>>;
  /** `push` and `delete`, or one of them. Default: both. */
  actions?: NotifiedAction[];
  /** Repositories that the endpoint wants to know of: names, or prefixes as `team-a/*`. Default: all. */
  repositories?: string[];
  /** CA of the endpoint's certificate, PEM, if it is a private one. It replaces the public CAs. Default: the public CAs. */
  caCertificates?: string;
}
