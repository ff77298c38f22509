import * as fs from "fs";
import * as path from "path";
import { shown } from "../checks/problems";
import { whyNo } from "./files";

/** Whether a path, relative to its context, is left out of what the engine gets. */
export type Ignored = (relative: string) => boolean;

/**
 * Uses the Dockerfile's own ignore file, or else the context's. The last pattern that matches the path, or a folder that it is in, counts
 * (https://docs.docker.com/build/concepts/context/). A line that is not a pattern is an error, as it is to Docker.
 */
export function ignoredIn(context: string, dockerfile: string): Ignored {
  const files = [`${dockerfile}.dockerignore`, path.join(context, ".dockerignore")];
  const file = files.find((each) => fs.existsSync(each));
  const lines = (file === undefined ? "" : textOf(file))
    .split("\n")
    .filter((line) => !line.startsWith("#") && line.trim() !== "");
  const rules = lines.map((line) => {
    const pattern = patternIn(line);
    const named = pattern.replace(/^!/, "");
    const matches = matcherOf(named);
    if (matches === undefined) {
      throw new Error(`the line ${JSON.stringify(line.trim())} of ${file} is no pattern; correct it`);
    }
    return { ignores: named === pattern, matches };
  });
  rules.reverse();
  return (relative) => {
    const parts = relative.replaceAll(path.sep, "/").split("/");
    const above = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    return rules.find(({ matches }) => above.some(matches))?.ignores ?? false;
  };
}

function textOf(file: string): string {
  const reason = whyNo("file", file);
  if (reason !== undefined) {
    throw new Error(`${shown(file)} is not a file that can be read: ${reason}; correct it`);
  }
  return fs.readFileSync(file, "utf8").replace(/^\ufeff/, "");
}

/** The pattern that a line stands for, as Docker reads it: a "!" may get to the front only by this cleaning. */
function patternIn(line: string): string {
  const [, not = "", name = ""] = /^(!?)(.*)$/.exec(line.trim()) ?? [];
  return cleaned((not + cleaned(name.trim()).replace(/^\/(?=.)/, "")).trim());
}

function cleaned(name: string): string {
  return name === "" ? "" : path.posix.normalize(name).replace(/(?<=.)\/$/, "");
}

/** What Docker checks before it accepts a pattern: letters and classes of letters, up to the next star. */
const letter = String.raw`(\\.|[^\\\]-])`;
const beginning = new RegExp(String.raw`^(?!$)\**(?!\*)(\\.|[^\\[*]|\[\^?(${letter}(-${letter})?)+\])*(\*|$)`, "s");

/** Docker distinguishes text, text with ** at one end, and expressions, which all other patterns are; undefined if it is not a pattern. */
function matcherOf(pattern: string): ((file: string) => boolean) | undefined {
  if (!beginning.test(pattern)) {
    return undefined;
  }
  const [, before, text, after] = /^(\*\*)?([^*?[\]\\]*)(\*\*)?$/.exec(pattern) ?? [];
  if (text === undefined || (before && after)) {
    const expression = expressionOf(pattern);
    return expression && ((file) => expression.test(file));
  }
  if (before) {
    return (file) => `/${file}`.endsWith(text);
  }
  return after ? (file) => file.startsWith(text) : (file) => file === text;
}

/** An expression as Docker makes it (github.com/moby/patternmatcher): of the special characters, it quotes only these. */
function expressionOf(pattern: string): RegExp | undefined {
  // At the end, ** stands for all that is left.
  const wildcards: Record<string, string> = {
    "**/": "([^\\n]*/)?",
    "**": "([^\\n]*/|[^\\n]*$)?",
    "*": "[^/]*",
    "?": "[^/]",
  };
  const source = pattern.replace(/\\.|\*\*\/?|[*?.+()$]/gs, (found) => wildcards[found] ?? found.padStart(2, "\\"));
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return undefined;
  }
}
