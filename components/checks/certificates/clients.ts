import { KeyObject, X509Certificate } from "crypto";
import { Problem } from "../problems";
import { when } from "../rules";
import { certificateFields, GeneralName, hasExplicitCurve } from "./der";
import { forbiddenName } from "./nameConstraints";

/** Extended key usages (RFC 5280, 4.2.1.12) that let a certificate serve TLS. */
const serverUsages = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];

/** Signatures with MD5 and SHA-1, by RSA and ECDSA (RFC 8017, RFC 5758), in hex. Go refuses them, and with it Docker. */
const brokenSignatures = new Set(["2a864886f70d010104", "2a864886f70d010105", "2b0e03021d", "2a8648ce3d0401"]);

/** What makes Go's clients, Docker among them, refuse the certificate of a server, or of an authority above it. */
export function useProblems(key: string, certificate: X509Certificate): Problem[] {
  const which = `"${inOneLine(certificate.subject)}"`;
  // Node.js calls the extended usage keyUsage; without any the certificate is for all. Its type says that there is always one.
  const usages = certificate.keyUsage as string[] | undefined;
  const selfSigned = certificate.checkIssued(certificate);
  const { signatureAlgorithm, refusedExtensions } = certificateFields(certificate.raw);
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
    // A self-signed certificate is trusted for what it is, not for its signature.
    ...when(
      !selfSigned && brokenSignatures.has(signatureAlgorithm),
      key,
      `${which} is signed with SHA-1 or MD5, which clients refuse; give one signed with SHA-256 or better`,
    ),
    ...when(
      refusedExtensions.length > 0,
      key,
      `${which} has critical extensions that clients refuse (${refusedExtensions.join(", ")}); give one without them, or where they are not critical`,
    ),
  ];
}

/** The keys with which Go, and so the server and Docker, can serve TLS: kinds, and for "ec" the curves, as Node.js names them. */
export const serverKeys = ["rsa", "ed25519", "prime256v1", "secp384r1", "secp521r1"];
export const authorityKeys = [...serverKeys, "secp224r1"];

/** What is wrong with a certificate's own key. */
export function keyProblems(key: string, certificate: X509Certificate, allowed: readonly string[]): Problem[] {
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
  // Go refuses short ones because they are weak, and long ones because they would take all of its time.
  return when(
    modulusLength !== undefined && (modulusLength < 1024 || modulusLength > 8192),
    key,
    `${has} an RSA key of ${modulusLength} bits, which clients refuse; give one of 2048 to 8192`,
  );
}

export function isExplicit(key: KeyObject): boolean {
  return key.asymmetricKeyType === "ec" && hasExplicitCurve(key.export({ type: "spki", format: "der" }));
}

/** What forbids an authority to have signed `issued`; `between` is the number of other authorities between it and the server. */
export function authorityProblems(key: string, issuer: X509Certificate, issued: X509Certificate, between: number): Problem[] {
  const which = `"${inOneLine(issuer.subject)}"`;
  const { version, isAuthority, pathLength = between, maySign } = certificateFields(issuer.raw);
  // Version 1 has no field for authorities; a root of that age is accepted as one.
  const mayBeRoot = version < 3 && issuer.checkIssued(issuer);
  return [
    ...when(
      !isAuthority && !mayBeRoot,
      key,
      `${which} is not a CA (basicConstraints CA:TRUE) and can't sign "${inOneLine(issued.subject)}"`,
    ),
    ...when(
      !maySign,
      key,
      `${which} may not sign certificates by its key usage, and signed "${inOneLine(issued.subject)}"; give one with keyCertSign`,
    ),
    ...when(
      between > pathLength,
      key,
      `${which} allows ${pathLength} intermediates below it (pathlen), and there are ${between}; have the lowest signed by a CA that may`,
    ),
  ];
}

/** What forbids clients to accept the server's names from an authority above it. */
export function nameProblems(key: string, issuer: X509Certificate, served: readonly GeneralName[]): Problem[] {
  const forbidden = forbiddenName(certificateFields(issuer.raw), served);
  return when(
    forbidden !== undefined,
    key,
    `"${inOneLine(issuer.subject)}" may not vouch for ${forbidden}, a name of tls.certificate, by its name constraints; ` +
      "give one for other names, or signed by a CA that may",
  );
}

/** A name in a certificate; Node.js puts each of its parts on a line. */
export function inOneLine(name: string): string {
  return name.replace(/\n/g, ", ");
}
