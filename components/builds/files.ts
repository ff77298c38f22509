import * as fs from "fs";
import * as path from "path";
import { getSystemErrorMap } from "util";

/**
 * Why there is no file or folder to read at a path on this machine, in the system's words; undefined if there is one. An error of
 * Node.js itself has the whole path in its text.
 */
export function whyNo(kind: "file" | "folder", at: string | undefined): string | undefined {
  // A configuration that lacks a path has its own error.
  if (at === undefined) {
    return "no path";
  }
  try {
    const entry = fs.statSync(at);
    // Opened, because permissions alone don't tell whether it can be read.
    if (kind === "folder") {
      fs.opendirSync(at).closeSync();
      fs.statSync(`${at}/.`);
    } else if (entry.isFile()) {
      fs.closeSync(fs.openSync(at, "r"));
    } else {
      return "not a file";
    }
    return undefined;
  } catch (error) {
    const { code, errno = 0, message } = error as NodeJS.ErrnoException;
    return code === "ERR_INVALID_ARG_VALUE" ? "a path has no zero byte" : (getSystemErrorMap().get(errno)?.[1] ?? message);
  }
}

/** Whether a result of `path.relative` leads out of the folder that it starts from: on Windows it may be on another drive. */
export function isAbove(relative: string): boolean {
  return path.isAbsolute(relative) || relative.split(path.sep)[0] === "..";
}
