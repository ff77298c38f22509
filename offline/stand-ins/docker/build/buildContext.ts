import { createHash } from "crypto";
import * as fs from "fs";
import * as path from "path";
import { Readable } from "stream";
import { Ignored, ignoredIn } from "../../../../components/builds/ignored";

/** A file or folder of a context, relative to it. */
interface Entry {
  relative: string;
  isFolder: boolean;
}

/** What of the context is not ignored, in the order of names. */
function entriesIn(context: string, ignored: Ignored, folder = ""): Entry[] {
  const entries = fs
    .readdirSync(path.join(context, folder), { withFileTypes: true })
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  return entries.flatMap((entry) => {
    const relative = path.posix.join(folder, entry.name);
    const file = path.join(context, relative);
    const isFolder = entry.isDirectory();
    const own = ignored(relative) ? [] : [{ relative, isFolder }];
    if (isText(file)) {
      // A folder that is ignored may have files in it that are not.
      return isFolder ? [...own, ...entriesIn(context, ignored, relative)] : own;
    }
    if (own.length > 0) {
      throw new Error(
        `the build's context can't be read: the name of ${file} is not UTF-8; rename it, or have .dockerignore leave it out`,
      );
    }
    return [];
  });
}

/** Whether a name is all that is needed to find the file again: Node.js puts U+FFFD in place of what is not UTF-8. */
function isText(file: string): boolean {
  return !file.includes("\ufffd") || fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** A hash of all that a build reads: the official provider's, to the byte, as it is in state. */
export function contextDigest(context: string, dockerfile: string): string {
  const all = createHash("sha256");
  const add = (name: string, mode: string, sum: Buffer): void => {
    all.update(name).update(mode).update(sum).update("\0");
  };
  add("Dockerfile", "----------", sumOfFile(dockerfile));
  for (const { relative } of entriesIn(context, ignoredIn(context, dockerfile)).filter(({ isFolder }) => !isFolder)) {
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
  const root = fs.realpathSync(context);
  const entries = entriesIn(context, ignoredIn(context, dockerfile)).map(({ relative }) => relative);
  // The Dockerfile may be a link to another file.
  const needed = [path.relative(context, dockerfile), path.relative(root, fs.realpathSync(dockerfile)), ".dockerignore"];
  const sent = new Set([...needed, ...entries].flatMap((file) => [file, ...foldersAbove(file)]));
  return pack(root, {
    ignore: (file) => !sent.has(path.relative(root, file)),
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
