import { Reference } from "./arguments";
import { Contents, contentsOf, neededBy } from "./contents";
import { faultOf, noneIfBroken } from "./manifests";
import { Registry } from "./registry";

/** One request to delete, and what goes with it. */
export interface Step {
  repository: string;
  /** Tag or digest. */
  reference: string;
  text: string;
  /** Whether it breaks something that stays. */
  breaks?: boolean;
  /** The digests of the manifests that it leaves without a tag. */
  leaves?: string[];
}

/** What is deleted of a repository. */
export interface Plan {
  repository: string;
  /**
   * Tags and the digests that they name, deleted by name before all images but the first: for each image that it deletes, a registry
   * may look at all remaining tags.
   */
  tags: [string, string][];
  steps: Step[];
}

/** What is to be deleted from a repository; throws if there is nothing of that name. */
export async function planOf(registry: Registry, repository: string, references: readonly Reference[]): Promise<Plan> {
  const whole = references.some(({ tag, digest }) => tag === undefined && digest === undefined);
  const contents = await contentsOf(registry, repository, whole);
  for (const { tag, digest } of references) {
    if (tag !== undefined && !contents.digests.has(tag)) {
      throw new Error(`There is no ${repository}:${tag}. Nothing was deleted.`);
    }
    // An image that exists but can't be read can be deleted nevertheless.
    if (digest !== undefined && (await registry.find(repository, digest).catch(faultOf)) === undefined) {
      throw new Error(`There is no ${repository}@${digest}. Nothing was deleted.`);
    }
  }
  if (contents.digests.size === 0 && whole) {
    throw new Error(`There is no tag in ${repository}. Nothing was deleted.`);
  }
  return whole ? planOfAll(repository, contents) : planOfSome(registry, repository, contents, references);
}

function planOfAll(repository: string, contents: Contents): Plan {
  const names = [...contents.digests];
  return {
    repository,
    tags: names.flatMap(([tag, digest]) => (digest === undefined ? [] : [[tag, digest]])),
    steps: [
      ...names.filter(([, digest]) => digest === undefined).map(([tag]) => brokenTag(repository, tag)),
      ...listsFirst(contents).map((digest) => image(repository, contents, digest)),
    ],
  };
}

/** All manifests, each before those that it lists: some registries delete nothing that another one lists. */
function listsFirst({ leads }: Contents): string[] {
  const seen = new Set<string>();
  const order = new Set<string>();
  for (const root of leads.keys()) {
    // Without recursion: indexes of indexes may be nested as deep as somebody likes.
    const open = [root];
    for (let digest = open.at(-1); digest !== undefined; digest = open.at(-1)) {
      if (seen.has(digest)) {
        order.add(digest);
        open.pop();
      } else {
        seen.add(digest);
        const further = leads.get(digest)?.filter((each) => !seen.has(each)) ?? [];
        further.reverse().forEach((each) => open.push(each));
      }
    }
  }
  return [...order].reverse();
}

async function planOfSome(
  registry: Registry,
  repository: string,
  contents: Contents,
  references: readonly Reference[],
): Promise<Plan> {
  const digests = new Set(references.flatMap(({ digest }) => digest ?? []));
  // A tag is deleted with its image.
  const tags = new Set(references.flatMap(({ tag }) => tag ?? []).filter((tag) => !digests.has(contents.digests.get(tag) ?? "")));
  const stays = (tag: string): boolean => !tags.has(tag) && !digests.has(contents.digests.get(tag) ?? "");
  const named = (names: readonly string[]): string => names.map((tag) => `${repository}:${tag}`).join(", ");
  const byTag = (tag: string): Step => {
    const digest = contents.digests.get(tag);
    if (digest === undefined) {
      return brokenTag(repository, tag);
    }
    const step = { repository, reference: tag, text: `${repository}:${tag} of ${digest}` };
    const others = contents.tags.get(digest)?.filter(stays) ?? [];
    const needing = neededBy(contents, digest).filter(stays);
    if (others.length > 0) {
      return { ...step, text: `${step.text}, which stays as ${named(others)}` };
    }
    return needing.length > 0
      ? { ...step, text: `${step.text}, which stays as a part of ${named(needing)}` }
      : { ...step, text: `${step.text}, which stays without a tag; ${repository}@${digest} deletes it`, leaves: [digest] };
  };
  const byDigest = async (digest: string): Promise<Step> => {
    const step = image(repository, contents, digest);
    const needing = neededBy(contents, digest).filter(stays);
    return {
      ...step,
      text: needing.length > 0 ? `${step.text}; it is a part of ${named(needing)}, which breaks` : step.text,
      breaks: needing.length > 0,
      leaves: (await around(registry, repository, digest)).filter((each) => !contents.tags.has(each)),
    };
  };
  return { repository, tags: [], steps: [...[...tags].map(byTag), ...(await Promise.all([...digests].map(byDigest)))] };
}

function image(repository: string, { tags }: Contents, digest: string): Step {
  const names = (tags.get(digest) ?? []).map((tag) => `${repository}:${tag}`);
  return { repository, reference: digest, text: `${repository}@${digest}${names.length > 0 ? ` with ${names.join(", ")}` : ""}` };
}

function brokenTag(repository: string, tag: string): Step {
  return { repository, reference: tag, text: `${repository}:${tag}, which is broken` };
}

/** The manifests that an image lists and those about it; none if it can't be read. */
async function around(registry: Registry, repository: string, digest: string): Promise<string[]> {
  const lists = [registry.parts(repository, { digest }), registry.referrers(repository, digest)];
  const found = await Promise.all(lists.map((list) => list.catch(noneIfBroken)));
  return found.flatMap((list) => list ?? []).map((each) => each.digest);
}
