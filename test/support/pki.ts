import { generateKeyPairSync, KeyObject, randomBytes, sign } from "crypto";
import { isIP, isIPv4 } from "net";

/** A certificate and its key, both PEM. */
export interface KeyPair {
  certificate: string;
  privateKey: string;
}

export interface Issuer extends KeyPair {
  subject: string;
  key: KeyObject;
}

interface CertificateRequest {
  /** Common name of the subject. */
  subject: string;
  /** DNS names and IP addresses it is for. */
  names?: string[];
  /** The issuer; self-signed unless given. */
  issuer?: Issuer;
  authority?: boolean;
  /** How many authorities may stand between it and a server. */
  pathLength?: number;
  /** Last number of the one extended usage under id-kp (RFC 5280, 4.2.1.12): 1 for servers, 2 for clients. */
  usage?: number;
  digest?: "sha256" | "sha1";
  /** Bits of the key usage (RFC 5280, 4.2.1.3): 0x80 for signatures, 0x04 for those on certificates. */
  keyUsage?: number;
  /** What an authority may vouch for, and what it may not: DNS names, or addresses with a mask. */
  permitted?: string[];
  excluded?: string[];
  /** Object identifier, in hex, of a critical extension. */
  critical?: string;
  /** The public key that it certifies instead of one of its own. */
  publicKey?: KeyObject;
  from?: Date;
  to?: Date;
}

const days = (count: number): Date => new Date(Date.now() + count * 24 * 60 * 60 * 1000);

/** Makes an X.509 certificate (RFC 5280) that no available tool would make: with any dates, and signed by anybody. */
export function makeCertificate(request: CertificateRequest): Issuer {
  const { subject, names = [], from = days(-1), to = days(30), usage, pathLength, digest = "sha256" } = request;
  const { privateKey: key, publicKey: own } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const { publicKey = own } = request;
  const issuer = request.issuer ?? { subject, key };

  const algorithm = der(0x30, oid(digest === "sha256" ? "2a8648ce3d040302" : "2a8648ce3d0401"));
  const constraints = [
    ...(request.authority ? [der(0x01, [0xff])] : []),
    ...(pathLength === undefined ? [] : [der(0x02, [pathLength])]),
  ];
  const subtrees = (tag: number, of: string[] = []): Buffer[] =>
    of.length === 0 ? [] : [der(tag, ...of.map((name) => der(0x30, generalName(name))))];
  const nameConstraints = [...subtrees(0xa0, request.permitted), ...subtrees(0xa1, request.excluded)];
  const critical = (id: string, value: Buffer): Buffer => der(0x30, oid(id), der(0x01, [0xff]), der(0x04, value));
  const extensions = [
    critical("551d13", der(0x30, ...constraints)),
    ...(request.keyUsage === undefined ? [] : [critical("551d0f", der(0x03, [0, request.keyUsage]))]),
    ...(nameConstraints.length === 0 ? [] : [critical("551d1e", der(0x30, ...nameConstraints))]),
    ...(request.critical === undefined ? [] : [critical(request.critical, der(0x05))]),
    ...(usage === undefined ? [] : [der(0x30, oid("551d25"), der(0x04, der(0x30, oid(`2b060105050703${hexByte(usage)}`))))]),
    ...(names.length === 0 ? [] : [der(0x30, oid("551d11"), der(0x04, der(0x30, ...names.map(generalName))))]),
  ];
  const content = der(
    0x30,
    der(0xa0, der(0x02, [2])),
    der(0x02, [1], randomBytes(15)),
    algorithm,
    distinguishedName(issuer.subject),
    der(0x30, time(from), time(to)),
    distinguishedName(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, ...extensions)),
  );
  const certificate = der(0x30, content, algorithm, der(0x03, [0], sign(digest, content, issuer.key)));
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64").replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
    privateKey: key.export({ type: "pkcs8", format: "pem" }).toString(),
    subject,
    key,
  };
}

/** A chain of certificates from a private root to a server for `names`, and variants of it that are each wrong in one way. */
export function makePki(names: string[]): {
  root: Issuer;
  intermediate: Issuer;
  server: Issuer;
  expired: Issuer;
  early: Issuer;
  other: Issuer;
  /** Has the intermediate's name, and did not sign anything. */
  impostor: Issuer;
  /** The server's key under a passphrase. */
  encryptedKey: string;
} {
  const root = makeCertificate({ subject: "Test Root", authority: true });
  const intermediate = makeCertificate({ subject: "Test Intermediate", authority: true, issuer: root });
  const server = makeCertificate({ subject: "server", names, issuer: intermediate });
  return {
    root,
    intermediate,
    server,
    expired: makeCertificate({ subject: "expired", names, issuer: intermediate, from: days(-3), to: days(-2) }),
    early: makeCertificate({ subject: "early", names, issuer: intermediate, from: days(2), to: days(3) }),
    other: makeCertificate({ subject: "other", names: ["other.example.com"], issuer: intermediate }),
    impostor: makeCertificate({ subject: "Test Intermediate", authority: true, issuer: root }),
    encryptedKey: server.key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "passphrase" }).toString(),
  };
}

/** A value in the Distinguished Encoding Rules: tag, length, content. */
function der(tag: number, ...parts: (Buffer | number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

function distinguishedName(commonName: string): Buffer {
  return der(0x30, der(0x31, der(0x30, oid("550403"), der(0x0c, Buffer.from(commonName)))));
}

function time(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`));
}

/** A DNS name, an address or, as `192.0.2.0/255.255.255.0`, a network; `CN=…` is a name of a directory. */
function generalName(name: string): Buffer {
  const addresses = name.split("/");
  if (name.startsWith("CN=")) {
    return der(0xa4, distinguishedName(name.slice(3)));
  }
  return addresses.every((each) => isIP(each) !== 0) ? der(0x87, ...addresses.map(addressBytes)) : der(0x82, Buffer.from(name));
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) {
    return Buffer.from(address.split(".").map(Number));
  }
  const [head = [], tail = []] = address.split("::").map((part) => part.split(":").filter(Boolean));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}
