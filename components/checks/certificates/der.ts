/** The contents of a certificate that Node.js does not expose (X.509 by RFC 5280, in the Distinguished Encoding Rules of X.690). */
export interface CertificateFields {
  /** 1 or 3. */
  version: number;
  /** Object identifier of the algorithm that it is signed with, in hex. */
  signatureAlgorithm: string;
  /** Whether it says that it is an authority. */
  isAuthority: boolean;
  /** How many authorities may stand between this one and a server; undefined without a limit. */
  pathLength?: number;
  /** Whether its key may sign certificates: by its key usage, or because it has none. */
  maySign: boolean;
  /** Object identifiers of the extensions for which clients refuse it, because they are critical and must not be skipped: `1.2.3.4`. */
  refusedExtensions: string[];
  /** The names it is for. */
  names: GeneralName[];
  /** The names that an authority may vouch for, if it is limited to some, and those that it may not. */
  permitted: GeneralName[];
  excluded: GeneralName[];
}

/** A name; in a constraint, what many names have in common, and for addresses their network and mask. */
export interface GeneralName {
  kind: "dns" | "ip" | "other";
  content: Buffer;
}

/** A value with its tag; the content is part of the buffer that it was read from. */
interface Element {
  tag: number;
  content: Buffer;
}

interface Extension {
  id: string;
  critical: boolean;
  /** Its content, which may be anything in an extension that is not read here. */
  octets: Buffer | undefined;
}

const [booleanTag, integerTag, octetsTag, sequenceTag, versionTag, extensionsTag] = [0x01, 0x02, 0x04, 0x30, 0xa0, 0xa3];
const [permittedTag, excludedTag] = [0xa0, 0xa1];
const [keyUsage, alternativeNames, basicConstraints, nameConstraints] = ["551d0f", "551d11", "551d13", "551d1e"];
const certificateSigning = 0x04;

/** The tags of names. Go knows e-mail addresses and URIs too, but has none to compare them with. */
const kinds: Readonly<Record<number, GeneralName["kind"]>> = { 0x81: "other", 0x82: "dns", 0x86: "other", 0x87: "ip" };

/** Critical extensions that Go accepts: those above, and those about revocation, policies and the extended usage. */
const known = [keyUsage, alternativeNames, basicConstraints, nameConstraints].concat(
  ["1f", "20", "21", "24", "25", "36"].map((last) => `551d${last}`),
);

/** Reads a certificate that Node.js has parsed before: it is well formed. */
export function certificateFields(raw: Buffer): CertificateFields {
  const [tbs, algorithm] = elements(elements(raw)[0]?.content);
  const parts = elements(tbs?.content);
  const version = elements(parts.find(({ tag }) => tag === versionTag)?.content)[0];
  const extensions = elements(elements(parts.find(({ tag }) => tag === extensionsTag)?.content)[0]?.content).map(extension);
  const valueOf = (wanted: string): Element | undefined => elements(extensions.find(({ id }) => id === wanted)?.octets)[0];
  const [authority, length] = elements(valueOf(basicConstraints)?.content);
  const isAuthority = authority?.tag === booleanTag && authority.content[0] !== 0;
  const usage = valueOf(keyUsage)?.content;
  const subtrees = elements(valueOf(nameConstraints)?.content);
  const constraints = (wanted: number): Element[] =>
    elements(subtrees.find(({ tag }) => tag === wanted)?.content).flatMap(({ content }) => elements(content).slice(0, 1));
  const [permitted, excluded] = [constraints(permittedTag), constraints(excludedTag)];
  const isStrange = [...permitted, ...excluded].some(({ tag }) => kinds[tag] === undefined);
  return {
    version: (version?.content[0] ?? 0) + 1,
    signatureAlgorithm: elements(algorithm?.content)[0]?.content.toString("hex") ?? "",
    isAuthority,
    ...(isAuthority && length?.tag === integerTag ? { pathLength: length.content.readUIntBE(0, length.content.length) } : {}),
    // The first byte of a bit string is the number of unused bits at its end.
    maySign: usage === undefined || ((usage[1] ?? 0) & certificateSigning) !== 0,
    refusedExtensions: extensions
      .filter(({ id, critical }) => critical && (!known.includes(id) || (id === nameConstraints && isStrange)))
      .map(({ id }) => dotted(Buffer.from(id, "hex"))),
    names: elements(valueOf(alternativeNames)?.content).map(generalName),
    permitted: permitted.map(generalName),
    excluded: excluded.map(generalName),
  };
}

function extension({ content }: Element): Extension {
  const [id, ...rest] = elements(content);
  return {
    id: id?.content.toString("hex") ?? "",
    critical: rest.some(({ tag, content: flag }) => tag === booleanTag && flag[0] !== 0),
    octets: rest.find(({ tag }) => tag === octetsTag)?.content,
  };
}

function generalName({ tag, content }: Element): GeneralName {
  return { kind: kinds[tag] ?? "other", content };
}

/** An object identifier as people write it. Each byte has seven bits, and the first two numbers are encoded as one (X.690, 8.19). */
function dotted(id: Buffer): string {
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of id) {
    number = (number << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(number);
      number = 0n;
    }
  }
  const [both = 0n, ...rest] = numbers;
  const first = both < 80n ? both / 40n : 2n;
  return [first, both - first * 40n, ...rest].join(".");
}

/**
 * Whether a public key (`spki`, DER) of an elliptic curve writes the curve's parameters out in place of its name (RFC 3279, 2.3.5).
 * Node.js reports the name either way.
 */
export function hasExplicitCurve(spki: Buffer): boolean {
  const [algorithm] = elements(elements(spki)[0]?.content);
  return elements(algorithm?.content)[1]?.tag === sequenceTag;
}

function elements(buffer: Buffer = Buffer.alloc(0)): Element[] {
  const found: Element[] = [];
  for (let at = 0; at + 1 < buffer.length;) {
    const tag = buffer.readUInt8(at);
    const short = buffer.readUInt8(at + 1);
    // From 0x80 on, the lower bits count the bytes that hold the length.
    const bytes = short < 0x80 ? 0 : short & 0x7f;
    const length = bytes === 0 ? short : buffer.readUIntBE(at + 2, bytes);
    const begin = at + 2 + bytes;
    found.push({ tag, content: buffer.subarray(begin, begin + length) });
    at = begin + length;
  }
  return found;
}
