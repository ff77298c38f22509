import * as pulumi from "@pulumi/pulumi";

/** Where the certificate comes from, or that there is none. */
export const TlsMode = {
  /** A CA and a server certificate are made and renewed by the package. */
  SelfSigned: "self-signed",
  /** The user's own certificate and key. */
  Provided: "provided",
  /** Plain HTTP: on loopback addresses only, unless `allowInsecure`. */
  Off: "off",
} as const;
export type TlsMode = (typeof TlsMode)[keyof typeof TlsMode];

/** The certificate clients see. */
export interface Tls {
  /** `self-signed`, `provided` or `off`. @default "self-signed" */
  mode?: TlsMode;
  /** `provided`: the server certificate, PEM; may carry its intermediates. */
  certificate?: pulumi.Input<string>;
  /** `provided`: the key of `certificate`, PEM without a passphrase. Kept secret. */
  privateKey?: pulumi.Input<string>;
  /** `provided`: intermediates, PEM, nearest to the server first; with a private CA its root last. */
  chain?: pulumi.Input<string>;
  /** `self-signed`: days the server certificate is valid. @default 365 */
  validityDays?: number;
  /** `self-signed`: an `up` in the last days before the end renews the certificate; how many. @default 30 */
  renewBeforeDays?: number;
  /** `self-signed`: raise it to get a new key and certificate with the next `up`. @default 1 */
  generation?: number;
}

/** Somebody who may log in. */
export interface User {
  /** Login name: letters, digits and `._-`, 64 at most, no `:`. */
  name: string;
  /** At most 72 bytes, the limit of bcrypt. Kept secret. @default a generated one of 32 characters */
  password?: pulumi.Input<string>;
  /** Raise it to get a new generated password, or a new hash of the given one. @default 1 */
  generation?: number;
}

/** Limits of the server's container. */
export interface Resources {
  /** Memory in MiB, 64 or more. @default 512 */
  memory?: number;
  /** Processes and threads, 64 or more. @default 512 */
  processes?: number;
}
