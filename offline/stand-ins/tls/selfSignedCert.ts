import { resource } from "../provider/resource";
import { boolean, string } from "../provider/types";
import { certificateInputs, certificateOutputs, isDue } from "./certificate";
import { subject } from "./certRequest";

export const selfSignedCert = resource({
  type: "tls:index/selfSignedCert:SelfSignedCert",
  inputs: {
    ...certificateInputs,
    privateKeyPem: { type: string, required: true, replaces: true, secret: true },
    subject: { type: subject, required: true, replaces: true },
  },
  outputs: {
    ...certificateOutputs,
    keyAlgorithm: { type: string },
    setAuthorityKeyId: { type: boolean },
  },
  create: async (inputs) => {
    const { selfSigned } = await import("./x509");
    const { id, outputs } = await selfSigned(inputs);
    return { id, outputs: { ...outputs, keyAlgorithm: "ECDSA", setAuthorityKeyId: false } };
  },
  read: (_, state) => Promise.resolve({ ...state, readyForRenewal: isDue(state, state) }),
  // When it is renewed is nothing that the certificate says.
  update: (_, state) => Promise.resolve(state),
  outdated: (state, inputs) => Promise.resolve(isDue(state, inputs) ? ["readyForRenewal"] : []),
});
