/** What a certificate says and Node.js does not tell (X.509 by RFC 5280, in the Distinguished Encoding Rules of X.690). */
export interface CertificateFields {
  /** 1 or 3. */
  version: number;
  /** Object identifier of the algorithm that it is signed with, in hex. */
  signatureAlgorithm: string;
  /** How many authorities may stand between this one and a server; undefined without a limit. */
  pathLength?: number;
}

/** A value with its tag, in what it was read from. */
interface Element {
  tag: number;
  content: Buffer;
}

const [booleanTag, integerTag, octetsTag, sequenceTag, versionTag, extensionsTag] = [0x01, 0x02, 0x04, 0x30, 0xa0, 0xa3];
const basicConstraints = "551d13";

/** Reads a certificate that Node.js has parsed before: it is well formed. */
export function certificateFields(raw: Buffer): CertificateFields {
  const [tbs, algorithm] = elements(elements(raw)[0]?.content);
  const parts = elements(tbs?.content);
  const version = elements(parts.find(({ tag }) => tag === versionTag)?.content)[0];
  const extensions = elements(elements(parts.find(({ tag }) => tag === extensionsTag)?.content)[0]?.content);
  const constraints = extensions
    .filter(({ tag }) => tag === sequenceTag)
    .map(({ content }) => elements(content))
    .find(([id]) => id?.content.toString("hex") === basicConstraints);
  const value = elements(constraints?.find(({ tag }) => tag === octetsTag)?.content)[0];
  const [isAuthority, length] = elements(value?.content);
  return {
    version: (version?.content[0] ?? 0) + 1,
    signatureAlgorithm: elements(algorithm?.content)[0]?.content.toString("hex") ?? "",
    ...(isAuthority?.tag === booleanTag && length?.tag === integerTag
      ? { pathLength: length.content.readUIntBE(0, length.content.length) }
      : {}),
  };
}

/**
 * Whether a public key (`spki`, DER) of an elliptic curve writes the curve's parameters out in place of its name (RFC 3279, 2.3.5).
 * Node.js tells the name all the same.
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
