import * as fs from "fs";
import * as path from "path";
import { parseArgs } from "util";

/** In a separate file for scripts/images.sh, which shows it if nothing is installed yet that could run this program. */
export const usage = fs.readFileSync(path.join(__dirname, "usage.txt"), "utf8");

/** An image as a user names it. */
export interface Reference {
  repository: string;
  tag?: string;
  digest?: string;
}

/** What a user asked for. */
export interface Arguments {
  command: "list" | "delete";
  references: Reference[];
  stack?: string;
  yes: boolean;
}

/** An invalid command line; the message says why. */
export class UsageError extends Error {}

/** Name, tag and digest by the distribution specification. */
const namePattern = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+|\/)[a-z0-9]+)*`;
const tagPattern = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";
export const digestPattern = "[a-z0-9]+:[0-9a-f]{32,}";
const reference = new RegExp(`^(${namePattern})(?::(${tagPattern})|@(${digestPattern}))?$`);

export function parseReference(text: string): Reference {
  const [, repository, tag, digest] = reference.exec(text) ?? [];
  if (repository === undefined) {
    throw new UsageError(
      `${text} is not an image; give REPOSITORY, REPOSITORY:TAG or REPOSITORY@DIGEST, without the registry's name`,
    );
  }
  return { repository, tag, digest };
}

export function parseArguments(words: readonly string[]): Arguments {
  const { positionals, values } = parsed(words);
  const [command, ...names] = positionals;
  if (command !== "list" && command !== "delete") {
    throw new UsageError(command === undefined ? "no command given" : `unknown command ${command}`);
  }
  if (command === "delete" && names.length === 0) {
    throw new UsageError("delete needs an image");
  }
  const references = names.map(parseReference);
  const narrow = references.find(({ tag, digest }) => tag !== undefined || digest !== undefined);
  if (command === "list" && narrow !== undefined) {
    throw new UsageError("list takes repositories, without tag or digest");
  }
  return { command, references, stack: values.stack, yes: values.yes };
}

/** Words and options, as Node.js separates them. */
function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { stack: { type: "string", short: "s" }, yes: { type: "boolean", short: "y", default: false } },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
