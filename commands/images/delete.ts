import { RegistryError } from "../registryClient";
import { Reference } from "./arguments";
import { contentsOf, neededBy } from "./contents";
import { forAll } from "./forAll";
import { isAnswer, isDigest } from "./manifests";
import { Plan, planOf, Step } from "./plan";
import { Registry } from "./registry";

/** Tells the user something and asks whether to go on. `--yes` does not agree beforehand to what nobody could expect. */
export type Confirm = (text: string, unexpected?: boolean) => Promise<boolean>;

/** Deletes after one question, and returns the outcome as text; throws if there is nothing of that name. */
export async function deleteImages(registry: Registry, references: readonly Reference[], confirm: Confirm): Promise<string> {
  const plans: Plan[] = [];
  for (const repository of new Set(references.map((each) => each.repository))) {
    const wanted = references.filter((each) => each.repository === repository);
    plans.push(await planOf(registry, repository, wanted));
  }
  const steps = plans.flatMap((plan) => plan.steps);
  const text = ["This will delete:", ...steps.map((step) => `  ${step.text}`), ""].join("\n");
  const unexpected = steps.some(({ breaks }) => breaks);
  if (!(await confirm(text, unexpected))) {
    return "Nothing was deleted.";
  }
  const deleted = new Map<Step, string>();
  for (const plan of plans) {
    try {
      await carryOutAll(registry, plan, confirm, deleted);
    } catch (error) {
      if (deleted.size === 0) {
        throw error;
      }
      const rest = steps.filter((step) => !deleted.has(step));
      const left = await stillThere(registry, rest).catch(() => rest);
      const names = left.map(({ repository, reference }) => `  ${repository}${isDigest(reference) ? "@" : ":"}${reference}\n`);
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${message}\nNot deleted; an image may have no tag any more:\n${names.join("")}`, { cause: error });
    }
  }
  const declined = steps.filter((step) => !deleted.has(step));
  return outcome(deleted, await stillThere(registry, declined));
}

/**
 * Notes each step when it is done. If tags are deleted by name, the first image is deleted before them: if the registry refuses to
 * delete images, all of them can still be found.
 */
async function carryOutAll(registry: Registry, plan: Plan, confirm: Confirm, deleted: Map<Step, string>): Promise<void> {
  let { tags } = plan;
  for (const step of plan.steps) {
    const own = tags.filter(([, digest]) => digest === step.reference);
    const reference = await carryOut(registry, step, confirm).catch(async (error: unknown) => {
      if (own.length === 0 || !isAnswer(error, 400, 403, 409, 412)) {
        throw error;
      }
      // Some registries delete no image that still has a tag.
      await deleteTags(registry, plan.repository, own);
      return carryOut(registry, step, confirm);
    });
    if (reference !== undefined) {
      deleted.set(step, reference);
    }
    if (isDigest(step.reference)) {
      await deleteTags(registry, plan.repository, tags);
      tags = [];
    }
  }
}

/** Which of the steps that were not agreed to are left: a later step may have deleted their tags together with an image. */
async function stillThere(registry: Registry, steps: readonly Step[]): Promise<Step[]> {
  const gone = await forAll(steps, ({ repository, reference }) => isGone(registry, repository, reference));
  return steps.filter((_, index) => !gone[index]);
}

/** The outcome of steps as text, from the tag or digest that each has deleted. */
function outcome(deleted: ReadonlyMap<Step, string>, left: readonly Step[]): string {
  if (deleted.size === 0) {
    return "Nothing was deleted.";
  }
  // Only a deletion by tag is asked about a second time.
  const names = [...new Set(left.map(({ repository, reference }) => `${repository}:${reference}`))];
  const sentences = [`Deleted${names.length > 0 ? `, but for ${names.join(", ")}` : ""}.`];
  const gone = new Set(deleted.values());
  if ([...gone].some(isDigest)) {
    sentences.push("The space is freed by the next garbage collection.");
  }
  if ([...deleted.keys()].some(({ leaves }) => leaves?.some((digest) => !gone.has(digest)))) {
    sentences.push(
      "What has no tag now is freed only by `garbage-collect --delete-untagged` or with `garbageCollection.deleteUntagged`.",
    );
  }
  return sentences.join(" ");
}

/** Deletes tags by their names, if a registry accepts that, except for those that were pushed again; the rest is deleted with the images. */
async function deleteTags(registry: Registry, repository: string, tags: Plan["tags"]): Promise<void> {
  for (const [tag, digest] of tags) {
    try {
      const now = await registry.find(repository, tag);
      if (now !== undefined && now.digest !== digest) {
        continue;
      }
      await registry.delete(repository, tag);
    } catch (error) {
      if (takesNoTag(error)) {
        return;
      }
      if (!isAnswer(error, 404)) {
        throw error;
      }
    }
  }
}

/** Returns what it deleted; undefined if the user did not agree to all that would be deleted with it, or if it was deleted before. */
async function carryOut(registry: Registry, { repository, reference }: Step, confirm: Confirm): Promise<string | undefined> {
  try {
    await registry.delete(repository, reference);
    return reference;
  } catch (error) {
    if (isAnswer(error, 404) && (await isGone(registry, repository, reference))) {
      // Somebody else was quicker.
      return reference;
    }
    if (!takesNoTag(error) || isDigest(reference)) {
      throw error;
    }
    // Some registries delete images only, and with an image all its tags.
    const contents = await contentsOf(registry, repository);
    if (!contents.digests.has(reference)) {
      // It was deleted with the image of another tag.
      return undefined;
    }
    const digest = contents.digests.get(reference);
    if (digest === undefined) {
      throw error;
    }
    const listed = (tags: readonly string[]): string => tags.map((tag) => `  ${repository}:${tag}\n`).join("");
    const tags = contents.tags.get(digest) ?? [];
    const needing = neededBy(contents, digest);
    const breaks = needing.length > 0 ? `These break, as it is a part of them:\n${listed(needing)}` : "";
    const text = `The registry takes no deletion by tag (${error.message}). By digest all of these go:\n${listed(tags)}${breaks}`;
    if (tags.length + needing.length > 1 && !(await confirm(text, true))) {
      return undefined;
    }
    await registry.delete(repository, digest);
    return digest;
  }
}

function takesNoTag(error: unknown): error is RegistryError {
  return isAnswer(error, 400, 405);
}

async function isGone(registry: Registry, repository: string, reference: string): Promise<boolean> {
  return isDigest(reference)
    ? (await registry.find(repository, reference)) === undefined
    : !(await registry.tags(repository)).includes(reference);
}
