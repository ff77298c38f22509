import { RegistryError } from "../registryClient";
import { Reference } from "./arguments";
import { faultOf, Registry } from "./registry";

/** Tells the user something and asks to go on. What nobody could expect is not agreed to beforehand, by `--yes`. */
export type Confirm = (text: string, unexpected?: boolean) => Promise<boolean>;

/** One request to delete, and what goes with it. */
interface Step {
  repository: string;
  /** Tag or digest. */
  reference: string;
  text: string;
}

/** Deletes after one question, and returns what came of it; throws when there is nothing of that name. */
export async function deleteImages(registry: Registry, references: readonly Reference[], confirm: Confirm): Promise<string> {
  const steps: Step[] = [];
  for (const reference of references) {
    steps.push(...(await stepsFor(registry, reference)));
  }
  if (!(await confirm(["This will delete:", ...steps.map(({ text }) => `  ${text}`), ""].join("\n")))) {
    return "Nothing was deleted.";
  }
  const declined: Step[] = [];
  for (const step of steps) {
    if (!(await carryOut(registry, step, confirm))) {
      declined.push(step);
    }
  }
  return outcome(steps.length, await stillThere(registry, declined));
}

/** What is left of steps that were not agreed to: a later one may have taken their tags with an image. */
async function stillThere(registry: Registry, steps: readonly Step[]): Promise<Step[]> {
  const gone = await Promise.all(steps.map(({ repository, reference }) => isGone(registry, repository, reference)));
  return steps.filter((_, index) => !gone[index]);
}

function outcome(steps: number, left: readonly Step[]): string {
  if (left.length === steps) {
    return "Nothing was deleted.";
  }
  // Only a deletion by tag is asked about a second time.
  const names = [...new Set(left.map(({ repository, reference }) => `${repository}:${reference}`))];
  return `Deleted${names.length > 0 ? `, but for ${names.join(", ")}` : ""}. The space is freed by the next garbage collection.`;
}

async function stepsFor(registry: Registry, { repository, tag, digest }: Reference): Promise<Step[]> {
  const digests = await digestsOf(registry, repository);
  const image = (wanted: string): Step => {
    const tags = tagsWith(digests, wanted).map((each) => `${repository}:${each}`);
    return { repository, reference: wanted, text: `${repository}@${wanted}${tags.length > 0 ? ` with ${tags.join(", ")}` : ""}` };
  };
  if (tag !== undefined) {
    if (!digests.has(tag)) {
      throw new Error(`There is no ${repository}:${tag}. Nothing was deleted.`);
    }
    const wanted = digests.get(tag);
    if (wanted === undefined) {
      return [brokenTag(repository, tag)];
    }
    const others = tagsWith(digests, wanted).filter((each) => each !== tag);
    const stays = others.length > 0 ? `, which stays as ${others.map((each) => `${repository}:${each}`).join(", ")}` : "";
    return [{ repository, reference: tag, text: `${repository}:${tag} of ${wanted}${stays}` }];
  }
  if (digest !== undefined) {
    // What is there and can't be read can be deleted all the same.
    const known = await registry.digest(repository, digest).catch((error: unknown) => faultOf(error));
    if (known === undefined) {
      throw new Error(`There is no ${repository}@${digest}. Nothing was deleted.`);
    }
    return [image(digest)];
  }
  if (digests.size === 0) {
    throw new Error(`There is no tag in ${repository}. Nothing was deleted.`);
  }
  // Broken tags first: a registry may look at all tags of a repository when it deletes an image.
  const broken = [...digests].filter(([, wanted]) => wanted === undefined).map(([each]) => brokenTag(repository, each));
  return [...broken, ...[...new Set(digests.values())].filter((each) => each !== undefined).map(image)];
}

function brokenTag(repository: string, tag: string): Step {
  return { repository, reference: tag, text: `${repository}:${tag}, which is broken` };
}

/** Tells whether it is gone; false when the user did not agree to all that would go with it. */
async function carryOut(registry: Registry, { repository, reference }: Step, confirm: Confirm): Promise<boolean> {
  try {
    await registry.delete(repository, reference);
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404 && (await isGone(registry, repository, reference))) {
      // Somebody else was quicker.
      return true;
    }
    const byTag = !reference.includes(":");
    const digest = byTag ? await readableDigest(registry, repository, reference) : undefined;
    if (!(error instanceof RegistryError) || ![400, 405].includes(error.status) || digest === undefined) {
      throw error;
    }
    // Some registries delete images only, and with an image all its tags.
    const tags = tagsWith(await digestsOf(registry, repository), digest).map((each) => `${repository}:${each}`);
    const text = `The registry takes no deletion by tag (${error.message}). By digest all of these go:\n  ${tags.join("\n  ")}\n`;
    if (tags.length > 1 && !(await confirm(text, true))) {
      return false;
    }
    await registry.delete(repository, digest);
  }
  return true;
}

async function isGone(registry: Registry, repository: string, reference: string): Promise<boolean> {
  return reference.includes(":")
    ? (await registry.digest(repository, reference)) === undefined
    : !(await registry.tags(repository)).includes(reference);
}

/** The digest of every tag; undefined for a broken one. */
async function digestsOf(registry: Registry, repository: string): Promise<Map<string, string | undefined>> {
  const tags = await registry.tags(repository);
  const digests = await Promise.all(tags.map((tag) => readableDigest(registry, repository, tag)));
  return new Map(tags.map((tag, index) => [tag, digests[index]]));
}

/** The digest that a tag stands for; undefined when there is none that can be read. */
async function readableDigest(registry: Registry, repository: string, tag: string): Promise<string | undefined> {
  try {
    return await registry.digest(repository, tag);
  } catch (error) {
    faultOf(error);
    return undefined;
  }
}

function tagsWith(digests: ReadonlyMap<string, string | undefined>, wanted: string): string[] {
  return [...digests].filter(([, digest]) => digest === wanted).map(([tag]) => tag);
}
