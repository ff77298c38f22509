import { boolean, integer, list, oneOf, OutputsOf, string } from "../provider/types";

/* What the two kinds of certificate have in common. */

const hour = 3600 * 1000;

export const certificateInputs = {
  allowedUses: {
    type: list(oneOf("cert_signing", "crl_signing", "digital_signature", "key_encipherment", "server_auth")),
    required: true,
    replaces: true,
  },
  earlyRenewalHours: { type: integer, default: 0 },
  isCaCertificate: { type: boolean, default: false, replaces: true },
  setSubjectKeyId: { type: boolean, default: false, replaces: true },
  validityPeriodHours: { type: integer, required: true, replaces: true },
} as const;

export const certificateOutputs = {
  certPem: { type: string },
  id: { type: string },
  readyForRenewal: { type: boolean },
  validityEndTime: { type: string },
  validityStartTime: { type: string },
} as const;

export type CertificateOutputs = OutputsOf<typeof certificateOutputs>;

/** From now on. */
export function validity(hours: number): { start: Date; end: Date } {
  const start = new Date();
  return { start, end: new Date(start.getTime() + hours * hour) };
}

/** Whether a certificate has ended, or ends so soon that it is to be renewed. */
export function isDue(made: { validityEndTime: string }, wanted: { earlyRenewalHours: number }): boolean {
  return Date.parse(made.validityEndTime) - wanted.earlyRenewalHours * hour <= Date.now();
}
