// The library finds its parts by decorators, which need this first.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createPrivateKey, createPublicKey, KeyObject, randomBytes, webcrypto } from "crypto";
import { InputsOf } from "../provider/types";
import { CertificateOutputs, certificateInputs, validity } from "./certificate";

/* Certificates as the official provider makes them: the same extensions, in the same order, critical where its are. */

const subjectAlternativeName = "2.5.29.17";
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

interface Subject {
  commonName: string;
  organization: string;
}

type CertificateInputs = InputsOf<typeof certificateInputs>;

/** What a certificate says of its owner, and who signs it. */
interface Signing {
  subject: x509.Name;
  publicKey: KeyObject;
  /** Of the request, to be taken over. */
  alternativeNames?: x509.Extension;
  issuer: x509.Name;
  issuerKeyId?: string;
  issuerKey: KeyObject;
}

export async function makeRequest(inputs: {
  privateKeyPem: string;
  subject: Subject;
  dnsNames?: string[];
  ipAddresses?: string[];
}): Promise<{ pem: string; der: Buffer }> {
  const key = createPrivateKey(inputs.privateKeyPem);
  const names = [
    ...(inputs.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(inputs.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf(inputs.subject),
    keys: { privateKey: await signingKey(key), publicKey: await verifyingKey(createPublicKey(key)) },
    signingAlgorithm: algorithm,
    extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
  });
  return { pem: `${request.toString("pem")}\n`, der: Buffer.from(request.rawData) };
}

export async function selfSigned(
  inputs: CertificateInputs & { privateKeyPem: string; subject: Subject },
): Promise<{ id: string; outputs: CertificateOutputs }> {
  const key = createPrivateKey(inputs.privateKeyPem);
  const subject = nameOf(inputs.subject);
  return certificate(inputs, { subject, publicKey: createPublicKey(key), issuer: subject, issuerKey: key });
}

export async function locallySigned(
  inputs: CertificateInputs & { caCertPem: string; caPrivateKeyPem: string; certRequestPem: string },
): Promise<{ id: string; outputs: CertificateOutputs }> {
  const ca = new x509.X509Certificate(inputs.caCertPem);
  const request = new x509.Pkcs10CertificateRequest(inputs.certRequestPem);
  if (!(await request.verify())) {
    throw new Error("the certificate request is not signed by its own key");
  }
  return certificate(inputs, {
    subject: request.subjectName,
    publicKey: createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: "der", type: "spki" }),
    alternativeNames: request.getExtension(subjectAlternativeName) ?? undefined,
    issuer: ca.subjectName,
    issuerKeyId: ca.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId,
    issuerKey: createPrivateKey(inputs.caPrivateKeyPem),
  });
}

async function certificate(inputs: CertificateInputs, signing: Signing): Promise<{ id: string; outputs: CertificateOutputs }> {
  const { start, end } = validity(inputs.validityPeriodHours);
  const serial = randomBytes(16);
  // Neither negative nor with zeros in front, which would be written differently.
  serial.writeUInt8((serial.readUInt8() & 0x3f) | 0x40);
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: serial.toString("hex"),
    subject: signing.subject,
    issuer: signing.issuer,
    notBefore: start,
    notAfter: end,
    publicKey: await verifyingKey(signing.publicKey),
    signingKey: await signingKey(signing.issuerKey),
    signingAlgorithm: algorithm,
    extensions: await extensions(inputs, signing),
  });
  const id = BigInt(`0x${serial.toString("hex")}`).toString();
  return {
    id,
    outputs: {
      certPem: `${made.toString("pem")}\n`,
      id,
      readyForRenewal: false,
      validityStartTime: start.toISOString(),
      validityEndTime: end.toISOString(),
    },
  };
}

async function extensions(inputs: CertificateInputs, signing: Signing): Promise<x509.Extension[]> {
  const uses = new Set<string>(inputs.allowedUses);
  const flags = keyUses.filter(([use]) => uses.has(use)).reduce((all, [, flag]) => all | flag, 0);
  const ownName = signing.subject.toString() === signing.issuer.toString();
  return [
    ...(flags === 0 ? [] : [keyUsages(flags)]),
    ...(uses.has("server_auth") ? [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])] : []),
    new x509.BasicConstraintsExtension(inputs.isCaCertificate, undefined, true),
    ...(inputs.setSubjectKeyId ? [await x509.SubjectKeyIdentifierExtension.create(await verifyingKey(signing.publicKey))] : []),
    ...(signing.issuerKeyId === undefined || ownName ? [] : [new x509.AuthorityKeyIdentifierExtension(signing.issuerKeyId)]),
    ...(signing.alternativeNames === undefined ? [] : [signing.alternativeNames]),
  ];
}

const keyUses: [string, number][] = [
  ["cert_signing", x509.KeyUsageFlags.keyCertSign],
  ["crl_signing", x509.KeyUsageFlags.cRLSign],
  ["digital_signature", x509.KeyUsageFlags.digitalSignature],
  ["key_encipherment", x509.KeyUsageFlags.keyEncipherment],
];

function keyUsages(flags: number): x509.Extension {
  // A sum of flags is a number to TypeScript.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
  return new x509.KeyUsagesExtension(flags, true);
}

function nameOf({ organization, commonName }: Subject): x509.Name {
  return new x509.Name([{ O: [organization] }, { CN: [commonName] }]);
}

function signingKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }), algorithm, false, ["sign"]);
}

function verifyingKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey("spki", key.export({ type: "spki", format: "der" }), algorithm, true, ["verify"]);
}
