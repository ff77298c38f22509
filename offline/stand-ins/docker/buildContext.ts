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
  const patterns = ignore({ ignorecase: false }).add(fs.readFileSync(file, "utf8"));
  return (relative) => patterns.ignores(relative);
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
  const add = (name: string, mode: string, content: string | Buffer): void => {
    all.update(name).update(mode).update(createHash("sha256").update(content).digest()).update("\0");
  };
  add("Dockerfile", "----------", fs.readFileSync(dockerfile));
  for (const relative of filesIn(context, ignoredIn(context, dockerfile))) {
    const file = path.join(context, relative);
    const stat = fs.lstatSync(file);
    add(relative, modeOf(stat), stat.isSymbolicLink() ? targetOf(file) : stat.isFile() ? fs.readFileSync(file) : "");
  }
  return all.digest("hex");
}

/** Where a link leads; relative to this folder, unless the way there is absolute. */
function targetOf(file: string): string {
  const target = fs.realpathSync(file);
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

/** The context as the engine takes it; all files belong to root. */
export async function contextArchive(context: string, dockerfile: string): Promise<Readable> {
  const { pack } = await import("tar-fs");
  const ignored = ignoredIn(context, dockerfile);
  const needed = [path.relative(context, dockerfile), ".dockerignore"];
  return pack(context, {
    ignore: (file) => {
      const relative = path.relative(context, file);
      return relative !== "" && !needed.includes(relative) && !fs.lstatSync(file).isDirectory() && ignored(relative);
    },
    map: (header) => ({ ...header, uid: 0, gid: 0 }),
  });
}
