import { createPrivateKey, createPublicKey, KeyObject, X509Certificate } from "crypto";
import { Tls } from "../args/registry";
import { certificateFields, hasExplicitCurve } from "./certificates/der";
import { isIpAddress } from "./hosts";
import { Problem } from "./problems";
import { when } from "./rules";

/** A certificate that the user brings, all PEM. */
export interface ProvidedCertificate {
  certificate: string;
  privateKey: string;
  /** Intermediates and, for a private CA, its root; may be empty. */
  chain: string;
}

const pemPrivateKey = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]+?-----END \1PRIVATE KEY-----/;
const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** PEM as Go takes it; OpenSSL, and with it Node.js, does without some of it, e.g. where a file's line ends were converted twice. */
const goPem = /^-----BEGIN [^\r\n]+-----[ \t]*\r?\n[A-Za-z0-9+/= \t\r\n]+\n-----END [^\r\n]+-----$/;

/** Splits a PEM text into its certificates, each as Go takes it if it can be read at all. */
export function certificatesIn(pem: string): string[] {
  return (pem.match(pemCertificate) ?? []).map((block) =>
    goPem.test(block) ? block : (parse(block)?.toString().trim() ?? block),
  );
}

/** A text with CAs to trust, as Go takes it. What it takes already stays to the letter: a file is named by it. */
export function forGo(pem: string): string {
  const certificates = certificatesIn(pem);
  // To Go a certificate begins a line and ends one.
  const around = `\n${pem}\n`.split(pemCertificate);
  const isApart = around.slice(1).every((after, index) => around[index]?.endsWith("\n") && /^[ \t]*\r?\n/.test(after));
  return isApart && certificates.every((each) => pem.includes(each)) ? pem : certificates.map((each) => `${each}\n`).join("");
}

/** The private key in a PEM text, as Go takes it. */
function privateKeyIn(pem: string): string[] {
  const [block] = pemPrivateKey.exec(pem) ?? [];
  if (block === undefined) {
    return [];
  }
  return [goPem.test(block) ? block : createPrivateKey(block).export({ type: "pkcs8", format: "pem" }).toString().trim()];
}

/** A CA that somebody's certificate is checked by, where it is given. */
export function caProblems(key: string, pem: string | undefined, whose: string): Problem[] {
  const certificates = certificatesIn(pem ?? "");
  return [
    ...when(
      pem !== undefined && certificates.length === 0,
      key,
      `has no PEM certificate; give the CA of ${whose}, \`-----BEGIN CERTIFICATE-----\` first`,
    ),
    ...certificates.flatMap((each, index) =>
      when(
        parse(each) === undefined,
        key,
        `has a certificate that can't be read, number ${index + 1} of ${certificates.length}; give the CA of ${whose} anew`,
      ),
    ),
  ];
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** Finds what would make clients refuse the pair, at the time `now`. */
export function providedCertificateProblems(provided: ProvidedCertificate, hostname: string, now: Date): Problem[] {
  const problems: Problem[] = [];
  const add = (key: string, message: string): void => void problems.push({ key: `tls.${key}`, message });

  const [leafPem, ...bundled] = certificatesIn(provided.certificate);
  const leaf = leafPem === undefined ? undefined : parse(leafPem);
  if (leaf === undefined) {
    add("certificate", "not a PEM certificate; give the server's certificate, `-----BEGIN CERTIFICATE-----` first");
    return problems;
  }
  try {
    const privateKey = createPrivateKey(provided.privateKey);
    if (!leaf.checkPrivateKey(privateKey)) {
      add("privateKey", "does not belong to tls.certificate; give the key the certificate was made for");
    } else if (isExplicit(createPublicKey(privateKey)) && !isExplicit(leaf.publicKey)) {
      add(
        "privateKey",
        "has the parameters of its curve in place of a name; write it anew, e.g. with `openssl ec -param_enc named_curve`",
      );
    }
  } catch {
    add("privateKey", "not a PEM private key without a passphrase; decrypt it first, e.g. with `openssl pkey`");
  }
  const names = leaf.subjectAltName ?? "no name at all";
  const covered = isIpAddress(hostname)
    ? leaf.checkIP(hostname)
    : leaf.checkHost(hostname, { subject: "never", partialWildcards: false });
  if (covered === undefined) {
    add("certificate", `does not cover hostname "${hostname}"; it is for ${names}`);
  }
  problems.push(
    ...validityProblems("tls.certificate", leaf, now),
    ...useProblems("tls.certificate", leaf),
    ...keyProblems("tls.certificate", leaf, serverKeys),
  );
  const chain = certificatesIn(provided.chain);
  if (provided.chain.trim() !== "" && chain.length === 0) {
    add("chain", "not PEM; give the intermediate certificates, nearest to the server's first, or leave it out");
  }
  const issuers = [...bundled.map((each) => ["certificate", each] as const), ...chain.map((each) => ["chain", each] as const)];
  let issued = leaf;
  for (const [between, [key, pem]] of issuers.entries()) {
    const issuer = parse(pem);
    if (issuer === undefined || !issued.checkIssued(issuer) || !issued.verify(issuer.publicKey)) {
      const found =
        issuer === undefined ? "a certificate that can't be read" : `"${inOneLine(issuer.subject)}", which did not sign it,`;
      add(key, `has ${found} after "${inOneLine(issued.subject)}"; its issuer "${inOneLine(issued.issuer)}" must come next`);
      break;
    }
    problems.push(
      ...validityProblems(`tls.${key}`, issuer, now),
      ...useProblems(`tls.${key}`, issuer),
      ...keyProblems(`tls.${key}`, issuer, authorityKeys),
      ...authorityProblems(`tls.${key}`, issuer, issued, between),
    );
    issued = issuer;
  }
  return problems;
}

/** Extended key usages (RFC 5280, 4.2.1.12) that let a certificate serve TLS. */
const serverUsages = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];

/** Signatures with MD5 and SHA-1, by RSA and ECDSA (RFC 8017, RFC 5758), in hex. Go refuses them, and with it Docker. */
const brokenSignatures = new Set(["2a864886f70d010104", "2a864886f70d010105", "2b0e03021d", "2a8648ce3d0401"]);

/** What makes Go's clients, Docker among them, refuse a certificate for a server, or of an authority above it. */
function useProblems(key: string, certificate: X509Certificate): Problem[] {
  const which = `"${inOneLine(certificate.subject)}"`;
  // Node.js calls the extended usage keyUsage; without any the certificate is for all. Its type says that there is always one.
  const usages = certificate.keyUsage as string[] | undefined;
  const selfSigned = certificate.checkIssued(certificate);
  return [
    ...when(
      usages !== undefined && !usages.some((each) => serverUsages.includes(each)),
      key,
      `${which} is not for servers by its extended key usage; give one with serverAuth`,
    ),
    ...when(
      certificate.serialNumber.startsWith("-"),
      key,
      `${which} has a negative serial number, which clients refuse; give one with another`,
    ),
    // What signed itself is trusted for what it is, not for its signature.
    ...when(
      !selfSigned && brokenSignatures.has(certificateFields(certificate.raw).signatureAlgorithm),
      key,
      `${which} is signed with SHA-1 or MD5, which clients refuse; give one signed with SHA-256 or better`,
    ),
  ];
}

/** The keys that Go, and with it the server and Docker, can serve TLS by: kinds, and of "ec" the curves, in the words of Node.js. */
const serverKeys = ["rsa", "ed25519", "prime256v1", "secp384r1", "secp521r1"];
const authorityKeys = [...serverKeys, "secp224r1"];

/** What is wrong with a certificate's own key. */
function keyProblems(key: string, certificate: X509Certificate, allowed: readonly string[]): Problem[] {
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {};
  const kind = namedCurve ?? asymmetricKeyType ?? "";
  const has = `"${inOneLine(certificate.subject)}" has`;
  if (!allowed.includes(kind)) {
    return [{ key, message: `${has} a key of the kind ${kind}; clients can use RSA, P-256, P-384, P-521 and Ed25519` }];
  }
  if (isExplicit(certificate.publicKey)) {
    return [
      {
        key,
        message: `${has} a key with the parameters of its curve in place of a name, which clients refuse; give one with a named curve`,
      },
    ];
  }
  // Go refuses short ones as weak, and long ones as what would take all of its time.
  return when(
    modulusLength !== undefined && (modulusLength < 1024 || modulusLength > 8192),
    key,
    `${has} an RSA key of ${modulusLength} bits, which clients refuse; give one of 2048 to 8192`,
  );
}

function isExplicit(key: KeyObject): boolean {
  return key.asymmetricKeyType === "ec" && hasExplicitCurve(key.export({ type: "spki", format: "der" }));
}

/** What forbids an authority to have signed `issued`, with so many other authorities between it and the server. */
function authorityProblems(key: string, issuer: X509Certificate, issued: X509Certificate, between: number): Problem[] {
  const which = `"${inOneLine(issuer.subject)}"`;
  const { version, pathLength = between } = certificateFields(issuer.raw);
  // Version 1 knows no authorities; a root of that age is taken for one.
  const mayBeRoot = version < 3 && issuer.checkIssued(issuer);
  return [
    ...when(
      !issuer.ca && !mayBeRoot,
      key,
      `${which} is not a CA (basicConstraints CA:TRUE) and can't sign "${inOneLine(issued.subject)}"`,
    ),
    ...when(
      between > pathLength,
      key,
      `${which} allows ${pathLength} intermediates below it (pathlen), and there are ${between}; have the lowest signed by a CA that may`,
    ),
  ];
}

function validityProblems(key: string, certificate: X509Certificate, now: Date): Problem[] {
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  const which = `"${inOneLine(certificate.subject)}"`;
  if (now > to) {
    return [{ key, message: `${which} expired on ${to.toISOString()}; give one that is valid` }];
  }
  return when(now < from, key, `${which} is not valid before ${from.toISOString()}; give one that is valid now`);
}

/** A name in a certificate, which Node.js gives with a part a line. */
function inOneLine(name: string): string {
  return name.replace(/\n/g, ", ");
}

/** What is wrong with a text that a server is to read, as `serverPem` writes it. */
export function serverPemProblems(pem: string | undefined): Problem[] {
  const certificates = certificatesIn(pem ?? "").map(parse);
  return when(
    pem !== undefined && (certificates.length === 0 || certificates.includes(undefined) || !pemPrivateKey.test(pem)),
    "serverPem",
    "is no certificate with its private key; give both as one PEM text, as the serverPem of a RegistryCertificate",
  );
}

/** What the server reads: certificate, intermediates and key, without the texts that tools write around them. */
export function serverPem(provided: ProvidedCertificate): string {
  return [...certificatesIn(`${provided.certificate}\n${provided.chain}`), ...privateKeyIn(provided.privateKey)]
    .map((block) => `${block}\n`)
    .join("");
}

/** The certificate clients have to trust: the last of the chain if it signed itself, else none (a public CA). */
export function trustAnchor(provided: Pick<ProvidedCertificate, "certificate" | "chain">): string {
  const last = certificatesIn(`${provided.certificate}\n${provided.chain}`).pop();
  const parsed = last === undefined ? undefined : parse(last);
  return parsed !== undefined && last !== undefined && parsed.checkIssued(parsed) ? `${last}\n` : "";
}

/** How long a self-signed server certificate is valid and when it is renewed, in days, with the defaults filled in. */
export function validity(tls: Pick<Tls, "validityDays" | "renewBeforeDays">): { validityDays: number; renewBeforeDays: number } {
  const validityDays = tls.validityDays ?? 365;
  return { validityDays, renewBeforeDays: tls.renewBeforeDays ?? Math.min(30, Math.floor(validityDays / 3)) };
}

/** When the first of the certificates in a PEM text ends, as ISO 8601 in UTC; empty without any. */
export function expiry(pem: string): string {
  const [first = ""] = certificatesIn(pem)
    .map((each) => new Date(new X509Certificate(each).validTo).toISOString())
    .sort();
  return first;
}
