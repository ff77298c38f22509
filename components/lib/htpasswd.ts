import { createHash } from "crypto";
import * as bcrypt from "bcryptjs";

/** bcrypt reads no more than this of a password; a longer one would be cut without a word. */
export const maximumPasswordBytes = 72;

/** 2^10 rounds, the default of htpasswd and of the random provider. */
const bcryptCost = 10;

/** One line of the file: a user and the bcrypt hash of one of the user's passwords. */
export interface HtpasswdEntry {
  name: string;
  hash: string;
}

/** Hashes with a salt that is kept in state, so that the same password gives the same line on every run. */
export function bcryptHash(password: string, saltBase64: string): Promise<string> {
  const salt = bcrypt.encodeBase64([...Buffer.from(saltBase64, "base64")], 16);
  return bcrypt.hash(password, `$2b$${bcryptCost}$${salt}`);
}

/**
 * The users file: standard htpasswd, which every registry reads. The first line is a comment to others and tells the bundled
 * server the SHA-256 of the rest, so that it never acts on a half-written file.
 */
export function renderHtpasswd(entries: readonly HtpasswdEntry[]): string {
  const body = [...entries]
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ name, hash }) => `${name}:${hash}\n`)
    .join("");
  return `#!sha256 ${createHash("sha256").update(body).digest("hex")}\n${body}`;
}
