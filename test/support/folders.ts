import * as fs from "fs";
import * as path from "path";

/** The user and group that the bundled server runs as. */
export const serverUser = "65532:65532";

function entriesUnder(folder: string): fs.Dirent[] {
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true });
}

/** The files in a folder and in the folders below it, by path, sorted. */
export function filesUnder(folder: string): string[] {
  return entriesUnder(folder)
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** The owners of a folder and of its content, each `user:group` once. */
export function ownersUnder(folder: string): string[] {
  const all = [folder, ...entriesUnder(folder).map((entry) => path.join(entry.parentPath, entry.name))];
  return [...new Set(all.map((each) => fs.lstatSync(each)).map(({ uid, gid }) => `${uid}:${gid}`))].sort();
}
