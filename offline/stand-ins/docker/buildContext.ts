import { createHash } from "crypto";
import * as fs from "fs";
import * as path from "path";
import { Readable } from "stream";
import ignore from "@balena/dockerignore";

/** Whether a path in the context, relative to it, is kept from the engine. */
type Ignored = (relative: string) => boolean;

/** By the Dockerfile's own ignore file, or else by the context's. */
function ignoredIn(context: string, dockerfile: string): Ignored {
  const file = [`${dockerfile}.dockerignore`, path.join(context, ".dockerignore")].find((each) => fs.existsSync(each));
  if (file === undefined) {
    return () => false;
  }
  // Docker takes these letters as they are, and the library for those of a regular expression.
  const patterns = fs.readFileSync(file, "utf8").replace(/\\.|[+()|{}]/g, (found) => (found.length === 1 ? `\\${found}` : found));
  const rules = ignore({ ignorecase: false }).add(patterns);
  return (relative) => rules.ignores(relative);
}

/** The files of the context, relative to it, in the order of their names. */
function filesIn(context: string, ignored: Ignored, folder = ""): string[] {
  const entries = fs
    .readdirSync(path.join(context, folder), { withFileTypes: true })
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  return entries.flatMap((entry) => {
    const relative = path.posix.join(folder, entry.name);
    // A folder that is ignored may have files in it that are not.
    return entry.isDirectory() ? filesIn(context, ignored, relative) : ignored(relative) ? [] : [relative];
  });
}

/** A hash of all that a build reads: the official provider's, to the byte, as it is in state. */
export function contextDigest(context: string, dockerfile: string): string {
  const all = createHash("sha256");
  const add = (name: string, mode: string, sum: Buffer): void => {
    all.update(name).update(mode).update(sum).update("\0");
  };
  add("Dockerfile", "----------", sumOfFile(dockerfile));
  for (const relative of filesIn(context, ignoredIn(context, dockerfile))) {
    const file = path.join(context, relative);
    const stat = fs.lstatSync(file);
    add(relative, modeOf(stat), stat.isFile() ? sumOfFile(file) : sumOf(stat.isSymbolicLink() ? targetOf(file) : ""));
  }
  return all.digest("hex");
}

function sumOf(content: string): Buffer {
  return createHash("sha256").update(content).digest();
}

/** In parts: a file may be larger than memory. */
function sumOfFile(file: string): Buffer {
  const sum = createHash("sha256");
  const part = Buffer.alloc(1 << 20);
  const open = fs.openSync(file, "r");
  try {
    for (let read = fs.readSync(open, part); read > 0; read = fs.readSync(open, part)) {
      sum.update(part.subarray(0, read));
    }
  } finally {
    fs.closeSync(open);
  }
  return sum.digest();
}

/** Where a link leads; relative to this folder, unless the way there is absolute. */
function targetOf(file: string): string {
  let target: string;
  try {
    target = fs.realpathSync(file);
  } catch {
    throw new Error(`the build's context can't be read: the link ${file} leads nowhere; name it in .dockerignore`);
  }
  return path.isAbsolute(file) || path.isAbsolute(fs.readlinkSync(file)) ? target : path.relative(fs.realpathSync("."), target);
}

/** A file's type and permissions as Go writes them. */
function modeOf(stat: fs.Stats): string {
  const kinds = [
    stat.isSymbolicLink() && "L",
    stat.isFIFO() && "p",
    stat.isSocket() && "S",
    stat.mode & 0o4000 && "u",
    stat.mode & 0o2000 && "g",
    stat.mode & 0o1000 && "t",
  ];
  const permissions = "rwxrwxrwx".replace(/./g, (letter, index: number) => (stat.mode & (0o400 >> index) ? letter : "-"));
  return (kinds.filter(Boolean).join("") || "-") + permissions;
}

/** The context as the engine takes it; all files belong to root. Folders are there that are not ignored, or have something in them. */
export async function contextArchive(context: string, dockerfile: string): Promise<Readable> {
  const { pack } = await import("tar-fs");
  const ignored = ignoredIn(context, dockerfile);
  const needed = [path.relative(context, dockerfile), ".dockerignore", ...filesIn(context, ignored)];
  const sent = new Set(needed.flatMap((file) => [file, ...foldersAbove(file)]));
  return pack(context, {
    ignore: (file) => {
      const relative = path.relative(context, file);
      return !sent.has(relative) && (!fs.lstatSync(file).isDirectory() || ignored(relative));
    },
    map: (header) => ({ ...header, uid: 0, gid: 0 }),
    umask: 0,
    // Pipes and devices are left out.
    strict: false,
  });
}

function foldersAbove(file: string): string[] {
  const above = path.dirname(file);
  return above === "." ? [""] : [above, ...foldersAbove(above)];
}
