import { createPrivateKey, createPublicKey, X509Certificate } from "crypto";
import { Tls } from "../args/registry";
import {
  authorityKeys,
  authorityProblems,
  inOneLine,
  isExplicit,
  keyProblems,
  nameProblems,
  serverKeys,
  useProblems,
} from "./certificates/clients";
import { certificateFields } from "./certificates/der";
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

/** PEM as Go accepts it. OpenSSL, and with it Node.js, is more lenient, e.g. if a file's line ends were converted twice. */
const goPem = /^-----BEGIN [^\r\n]+-----[ \t]*\r?\n[A-Za-z0-9+/= \t\r\n]+\n-----END [^\r\n]+-----$/;

/** Splits a PEM text into its certificates, each in a form that Go accepts if it can be read at all. */
export function certificatesIn(pem: string): string[] {
  return (pem.match(pemCertificate) ?? []).map((block) =>
    goPem.test(block) ? block : (parse(block)?.toString().trim() ?? block),
  );
}

/** A text with CAs to trust, in a form that Go accepts. If Go accepts it already it stays as it is: a file is named after its content. */
export function forGo(pem: string): string {
  const certificates = certificatesIn(pem);
  // To Go a certificate begins at the start of a line and ends at the end of one.
  const around = `\n${pem}\n`.split(pemCertificate);
  const isApart = around.slice(1).every((after, index) => around[index]?.endsWith("\n") && /^[ \t]*\r?\n/.test(after));
  return isApart && certificates.every((each) => pem.includes(each)) ? pem : certificates.map((each) => `${each}\n`).join("");
}

/** All given certificates, the server's first. One that is in both keys, as with certbot's fullchain.pem and chain.pem, counts once. */
function certificatesOf({ certificate, chain }: Pick<ProvidedCertificate, "certificate" | "chain">): {
  key: "certificate" | "chain";
  pem: string;
}[] {
  const all = [
    ...certificatesIn(certificate).map((pem) => ({ key: "certificate" as const, pem })),
    ...certificatesIn(chain).map((pem) => ({ key: "chain" as const, pem })),
  ];
  const identities = all.map(({ pem }) => parse(pem)?.fingerprint256 ?? pem);
  return all.filter((_, index) => identities.indexOf(identities[index] ?? "") === index);
}

/** The private key in a PEM text, in a form that Go accepts. */
function privateKeyIn(pem: string): string[] {
  const [block] = pemPrivateKey.exec(pem) ?? [];
  if (block === undefined) {
    return [];
  }
  return [goPem.test(block) ? block : createPrivateKey(block).export({ type: "pkcs8", format: "pem" }).toString().trim()];
}

/** What is wrong with a CA that somebody's certificate is verified with, if one is given. */
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

  const [leafPem] = certificatesIn(provided.certificate);
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
  if (provided.chain.trim() !== "" && certificatesIn(provided.chain).length === 0) {
    add("chain", "not PEM; give the intermediate certificates, nearest to the server's first, or leave it out");
  }
  const { names: served } = certificateFields(leaf.raw);
  let issued = leaf;
  for (const [between, { key, pem }] of certificatesOf(provided).slice(1).entries()) {
    const issuer = parse(pem);
    const otherThanIssuer = strangerIn(issuer, issued);
    if (issuer === undefined || otherThanIssuer !== undefined) {
      const place = `after "${inOneLine(issued.subject)}"; its issuer "${inOneLine(issued.issuer)}" must come next`;
      add(key, `has ${otherThanIssuer} ${place}`);
      break;
    }
    problems.push(
      ...validityProblems(`tls.${key}`, issuer, now),
      ...useProblems(`tls.${key}`, issuer),
      ...keyProblems(`tls.${key}`, issuer, authorityKeys),
      ...authorityProblems(`tls.${key}`, issuer, issued, between),
      ...nameProblems(`tls.${key}`, issuer, served),
    );
    issued = issuer;
  }
  return problems;
}

/** Describes the certificate that stands in the place of the issuer, if it is not the issuer. */
function strangerIn(found: X509Certificate | undefined, issued: X509Certificate): string | undefined {
  if (found === undefined) {
    return "a certificate that can't be read";
  }
  const which = `"${inOneLine(found.subject)}"`;
  if (!issued.verify(found.publicKey)) {
    return `${which}, which did not sign it,`;
  }
  // OpenSSL also refuses an issuer that may not sign; another check says more about that.
  return issued.checkIssued(found) || !certificateFields(found.raw).maySign
    ? undefined
    : `${which}, which has the key but another name or key identifier,`;
}

function validityProblems(key: string, certificate: X509Certificate, now: Date): Problem[] {
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  const which = `"${inOneLine(certificate.subject)}"`;
  if (now > to) {
    return [{ key, message: `${which} expired on ${to.toISOString()}; give one that is valid` }];
  }
  return when(now < from, key, `${which} is not valid before ${from.toISOString()}; give one that is valid now`);
}

/** Milliseconds by which correct clocks differ at most: a certificate that begins within that time needs no new key. */
const clocksApart = 60_000;

/**
 * Refuses a certificate from the state that is not valid yet. A server would go on with the previous one until it restarts, and then
 * no client would accept the new one.
 */
export function earlyProblems(key: string, what: string, pem: string, repair: string, now: Date): Problem[] {
  const begins = new Date(parse(pem)?.validFrom ?? now);
  if (begins.getTime() <= now.getTime() + clocksApart) {
    return [];
  }
  const message =
    `${what} in the stack's state is not valid before ${begins.toISOString()}, and by this machine's clock it is ${now.toISOString()}; ` +
    `if the clock is right, an up on a machine whose clock was ahead has made it: ${repair}`;
  return [{ key, message }];
}

/** What is wrong with a text that a server is to read; `serverPem` writes such texts. */
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
  return [...certificatesOf(provided).map(({ pem }) => pem), ...privateKeyIn(provided.privateKey)]
    .map((block) => `${block}\n`)
    .join("");
}

/** The certificate clients have to trust: the last of the chain if it signed itself, else none (a public CA). */
export function trustAnchor(provided: Pick<ProvidedCertificate, "certificate" | "chain">): string {
  const last = certificatesOf(provided).at(-1)?.pem;
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
