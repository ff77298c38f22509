import { createHash } from "crypto";
import * as bcrypt from "bcryptjs";
import { Access } from "../args/registry";

/** bcrypt reads no more than this of a password; a longer one would be truncated silently. */
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

/** What a user may do, if that is less than everything. */
export interface Permission {
  name: string;
  access: Access;
  repositories: readonly string[];
}

/** All that the users file says. */
export interface UsersFile {
  entries: readonly HtpasswdEntry[];
  permissions: readonly Permission[];
  anonymousPull: boolean;
}

/**
 * The users file: standard htpasswd, which every registry reads. Lines that begin with `#!` are comments to other servers and tell the
 * bundled server more: the SHA-256 of all that follows the first line, so that it never acts on a half-written file, and which
 * users may do less than everything.
 */
export function renderHtpasswd(file: UsersFile): string {
  const body = [
    ...(file.anonymousPull ? ["#!anonymous pull"] : []),
    ...file.permissions.map(({ name, access, repositories }) => ["#!access", name, access, ...repositories].join(" ")),
    // The sort is stable: of a user's two passwords the current one stays first.
    ...[...file.entries].sort((a, b) => compare(a.name, b.name)).map(({ name, hash }) => `${name}:${hash}`),
    "",
  ].join("\n");
  return `#!sha256 ${createHash("sha256").update(body).digest("hex")}\n${body}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
