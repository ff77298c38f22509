import { resource } from "../provider/resource";
import { string } from "../provider/types";
import { certificateInputs, certificateOutputs, isDue } from "./certificate";

export const locallySignedCert = resource({
  type: "tls:index/locallySignedCert:LocallySignedCert",
  inputs: {
    ...certificateInputs,
    caCertPem: { type: string, required: true, replaces: true },
    caPrivateKeyPem: { type: string, required: true, replaces: true, secret: true },
    certRequestPem: { type: string, required: true, replaces: true },
  },
  outputs: {
    ...certificateOutputs,
    caKeyAlgorithm: { type: string },
  },
  create: async (inputs) => {
    const { locallySigned } = await import("./x509");
    const { id, outputs } = await locallySigned(inputs);
    return { id, outputs: { ...outputs, caKeyAlgorithm: "ECDSA" } };
  },
  read: (_, state) => Promise.resolve({ ...state, readyForRenewal: isDue(state, state) }),
  // When it is renewed is nothing that the certificate says.
  update: (_, state) => Promise.resolve(state),
  outdated: (state, inputs) => Promise.resolve(isDue(state, inputs) ? ["readyForRenewal"] : []),
});
