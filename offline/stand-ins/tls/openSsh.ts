import { KeyObject, randomBytes } from "crypto";

/* Keys in the formats of OpenSSH: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key and RFC 4251, 5656. */

export const keyType = "ecdsa-sha2-nistp256";
const curve = "nistp256";
const blockSize = 8;
const lineLength = 64;

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** With its length before it. */
function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}

/** A positive number: no zeros before it, but for one where it would look negative. */
function bigNumber(value: Buffer): Buffer {
  const significant = value.subarray(value.findIndex((byte) => byte !== 0));
  return string(significant.readUInt8() < 0x80 ? significant : Buffer.concat([Buffer.from([0]), significant]));
}

function part(key: KeyObject, name: "x" | "y" | "d"): Buffer {
  return Buffer.from(key.export({ format: "jwk" })[name] ?? "", "base64url");
}

/** Of a public or a private key. */
export function openSshPublicKey(key: KeyObject): Buffer {
  const point = Buffer.concat([Buffer.from([4]), part(key, "x"), part(key, "y")]);
  return Buffer.concat([string(keyType), string(curve), string(point)]);
}

export function openSshPrivateKey(key: KeyObject): string {
  const publicKey = openSshPublicKey(key);
  // Twice the same, by which a reader sees that it has decrypted well; without a passphrase it means nothing.
  const check = randomBytes(4);
  const secret = Buffer.concat([check, check, publicKey, bigNumber(part(key, "d")), string("")]);
  const padding = Buffer.from(Array.from({ length: -secret.length & (blockSize - 1) }, (_, index) => index + 1));
  const base64 = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...[string("none"), string("none"), string(""), number(1), string(publicKey)],
    string(Buffer.concat([secret, padding])),
  ]).toString("base64");
  const lines = base64.match(new RegExp(`.{1,${lineLength}}`, "g")) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}
