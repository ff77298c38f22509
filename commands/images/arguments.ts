import { parseArgs } from "util";

export const usage = `usage:
  images list [REPOSITORY...] [--stack NAME]
  images delete REPOSITORY[:TAG|@DIGEST]... [--stack NAME] [--yes]

  list    repositories and tags with digest, size and time of creation
  delete  a tag; with a digest, the image and all its tags; with neither, the whole repository
    --yes  does not ask

The registry is that of the selected stack, unless --stack says otherwise.
`;

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

/** A command line that is no good; the message says why. */
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

/** Words and options, as Node.js tells them apart. */
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
