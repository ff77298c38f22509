import { createHash, createPublicKey, generateKeyPairSync, KeyObject } from "crypto";
import { resource } from "../provider/resource";
import { integer, oneOf, OutputsOf, string } from "../provider/types";
import { keyType, openSshPrivateKey, openSshPublicKey } from "./openSsh";

const outputs = {
  id: { type: string },
  privateKeyOpenssh: { type: string, secret: true },
  privateKeyPem: { type: string, secret: true },
  privateKeyPemPkcs8: { type: string, secret: true },
  publicKeyFingerprintMd5: { type: string },
  publicKeyFingerprintSha256: { type: string },
  publicKeyOpenssh: { type: string },
  publicKeyPem: { type: string },
  rsaBits: { type: integer },
};

export const privateKey = resource({
  type: "tls:index/privateKey:PrivateKey",
  inputs: {
    algorithm: { type: oneOf("ECDSA"), required: true, replaces: true },
    ecdsaCurve: { type: oneOf("P256"), required: true, replaces: true },
  },
  outputs,
  meta: { schema_version: "1" },
  create: () => {
    const forms = formsOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
    return Promise.resolve({ id: forms.id, outputs: forms });
  },
});

/** Every form of a key that stands in state. */
function formsOf(key: KeyObject): OutputsOf<typeof outputs> {
  const publicKey = createPublicKey(key);
  const publicBlob = openSshPublicKey(key);
  const hash = (name: string): Buffer => createHash(name).update(publicBlob).digest();
  return {
    id: createHash("sha1")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("hex"),
    privateKeyOpenssh: openSshPrivateKey(key),
    privateKeyPem: key.export({ type: "sec1", format: "pem" }).toString(),
    privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKeyFingerprintMd5: (hash("md5").toString("hex").match(/../g) ?? []).join(":"),
    publicKeyFingerprintSha256: `SHA256:${hash("sha256").toString("base64").replace(/=+$/, "")}`,
    publicKeyOpenssh: `${keyType} ${publicBlob.toString("base64")}\n`,
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    // Says nothing of an ECDSA key; the official provider writes its default all the same.
    rsaBits: 2048,
  };
}
