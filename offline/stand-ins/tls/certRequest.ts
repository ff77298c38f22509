import { createHash } from "crypto";
import { resource } from "../provider/resource";
import { list, object, string } from "../provider/types";

/** Whom a certificate is for. */
export const subject = object({
  commonName: { type: string, required: true },
  organization: { type: string, required: true },
} as const);

export const certRequest = resource({
  type: "tls:index/certRequest:CertRequest",
  inputs: {
    privateKeyPem: { type: string, required: true, replaces: true, secret: true },
    subject: { type: subject, required: true, replaces: true },
    dnsNames: { type: list(string), replaces: true },
    ipAddresses: { type: list(string), replaces: true },
  },
  outputs: {
    certRequestPem: { type: string },
    id: { type: string },
    keyAlgorithm: { type: string },
  },
  create: async (inputs) => {
    const { makeRequest } = await import("./x509");
    const request = await makeRequest(inputs);
    const id = createHash("sha1").update(request.der).digest("hex");
    return { id, outputs: { certRequestPem: request.pem, id, keyAlgorithm: "ECDSA" } };
  },
});
