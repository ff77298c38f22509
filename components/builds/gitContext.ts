import * as childProcess from "child_process";
import { createHash } from "crypto";
import * as fs from "fs";
import * as path from "path";
import { promisify } from "util";
import { isAbove } from "./files";

const execFile = promisify(childProcess.execFile);

/** Where checked-out commits are kept, seen from the program's folder. They can be deleted at any time. */
const cacheFolder = path.join(".build", "contexts");

/** A build context in a Git repository, written as Docker writes it: `URL#REF:FOLDER`. */
export interface GitContext {
  url: string;
  /** Branch, tag or commit. */
  ref: string;
  /** Folder in the repository. */
  folder: string;
}

/** The parts of a context that is a Git URL; undefined if it is a folder on this machine. */
export function gitContext(context: string): GitContext | undefined {
  if (!/^((https?|ssh|git|file):\/\/|[\w.-]+@[\w.-]+:)/.test(context)) {
    return undefined;
  }
  const [url = "", fragment = ""] = context.split("#", 2);
  const [ref = "", folder = ""] = fragment.split(":", 2);
  return { url, ref: ref === "" ? "HEAD" : ref, folder: folder === "" ? "." : folder };
}

/**
 * Brings a Git context to this machine and returns its folder. The folder's name contains the commit: a ref that has not moved finds
 * the folder there, and one that has moved is a changed context.
 */
export async function checkedOut(context: GitContext): Promise<string> {
  const commit = await commitOf(context);
  const repository = createHash("sha256").update(context.url).digest("hex").slice(0, 12);
  const folder = path.join(cacheFolder, `${repository}-${commit}`);
  if (!fs.existsSync(folder)) {
    fs.mkdirSync(cacheFolder, { recursive: true });
    // Made under another name, so that a folder which exists is always complete.
    const partial = fs.mkdtempSync(`${folder}.`);
    try {
      await git("init", "--quiet", partial);
      await git("-C", partial, "fetch", "--quiet", "--depth", "1", "--", context.url, commit);
      await git("-C", partial, "checkout", "--quiet", "FETCH_HEAD");
      // Submodules may have addresses relative to that of the repository.
      const origin = `remote.origin.url=${context.url}`;
      await git("-C", partial, "-c", origin, "submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1");
      fs.rmSync(path.join(partial, ".git"), { recursive: true });
      takePlace(partial, folder);
    } finally {
      fs.rmSync(partial, { recursive: true, force: true });
    }
  }
  return folderIn(folder, context);
}

/** The context's folder in the checkout. A link in the repository may lead out of that, to anything on this machine. */
function folderIn(checkout: string, { folder }: GitContext): string {
  const found = path.join(checkout, folder);
  if (fs.existsSync(found) && isAbove(path.relative(fs.realpathSync(checkout), fs.realpathSync(found)))) {
    throw new Error(`${folder} leads out of the repository by a link`);
  }
  return found;
}

async function commitOf({ url, ref }: GitContext): Promise<string> {
  if (/^[0-9a-f]{40}$/.test(ref)) {
    return ref;
  }
  const listed = await git("ls-remote", "--", url, ref, `${ref}^{}`);
  const commits = new Map(listed.split("\n").map((line): [string, string] => [line.split("\t")[1] ?? "", line.slice(0, 40)]));
  // Git's own order; an annotated tag stands for the commit it names.
  const commit = [ref, `refs/tags/${ref}^{}`, `refs/tags/${ref}`, `refs/heads/${ref}`]
    .map((name) => commits.get(name))
    .find(Boolean);
  if (commit === undefined) {
    throw new Error(`${url} has no branch or tag ${ref}`);
  }
  return commit;
}

/** Another run may have brought the same commit in the meantime; either copy will do. */
function takePlace(partial: string, folder: string): void {
  try {
    fs.renameSync(partial, folder);
  } catch (error) {
    if (!fs.existsSync(folder)) {
      throw error;
    }
  }
}

async function git(...words: string[]): Promise<string> {
  // Nobody is there to type a password.
  return (await execFile("git", words, { env: { ...process.env, GIT_TERMINAL_PROMPT: "0" } })).stdout.trim();
}
