import * as fs from "fs";
import * as path from "path";

/**
 * Whether a file of a context, relative to it, is left out of what the engine gets: by the Dockerfile's own ignore file, or else by the
 * context's. The last pattern counts that the file, or a folder that it is in, has (https://docs.docker.com/build/concepts/context/).
 */
export function isIgnored(context: string, dockerfile: string, file: string): boolean {
  const ignoreFile = [`${dockerfile}.dockerignore`, path.join(context, ".dockerignore")].find((each) => fs.existsSync(each));
  const lines = ignoreFile === undefined ? [] : fs.readFileSync(ignoreFile, "utf8").split("\n");
  const above = file.split(path.sep).map((_, index, parts) => parts.slice(0, index + 1).join("/"));
  const patterns = lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  const last = patterns.reverse().find((pattern) => above.some((each) => expressionOf(pattern.replace(/^!/, "")).test(each)));
  return last !== undefined && !last.startsWith("!");
}

/** A class of letters in a pattern is taken for these letters. */
function expressionOf(pattern: string): RegExp {
  const wildcards: Record<string, string> = { "**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };
  const cleaned = path.posix.normalize(pattern.trim()).replace(/^\/|\/$/g, "");
  return new RegExp(`^${cleaned.replace(/\*\*\/|\*\*|[*?]|[^\w/]/g, (found) => wildcards[found] ?? `\\${found}`)}$`);
}
