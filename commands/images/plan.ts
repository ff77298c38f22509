import { Reference } from "./arguments";
import { Contents, contentsOf, neededBy } from "./contents";
import { faultOf, Registry } from "./registry";

/** One request to delete, and what goes with it. */
export interface Step {
  repository: string;
  /** Tag or digest. */
  reference: string;
  text: string;
  /** Whether it breaks what stays. */
  breaks?: boolean;
  /** The digests of what it leaves without a tag. */
  leaves?: string[];
}

/** What is deleted of a repository. */
export interface Plan {
  repository: string;
  /** Deleted by name before the images: a registry may look at all tags that there are for each image that it deletes. */
  tags: string[];
  steps: Step[];
}

/** What goes of a repository; throws when there is nothing of that name. */
export async function planOf(registry: Registry, repository: string, references: readonly Reference[]): Promise<Plan> {
  const whole = references.some(({ tag, digest }) => tag === undefined && digest === undefined);
  const contents = await contentsOf(registry, repository, whole);
  for (const { tag, digest } of references) {
    if (tag !== undefined && !contents.digests.has(tag)) {
      throw new Error(`There is no ${repository}:${tag}. Nothing was deleted.`);
    }
    // What is there and can't be read can be deleted all the same.
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
  // Some registries delete nothing that another manifest lists.
  const images = [...contents.leads].sort(([, a], [, b]) => Number(b.length > 0) - Number(a.length > 0));
  return {
    repository,
    tags: names.filter(([, digest]) => digest !== undefined).map(([tag]) => tag),
    steps: [
      ...names.filter(([, digest]) => digest === undefined).map(([tag]) => brokenTag(repository, tag)),
      ...images.map(([digest]) => image(repository, contents, digest)),
    ],
  };
}

async function planOfSome(
  registry: Registry,
  repository: string,
  contents: Contents,
  references: readonly Reference[],
): Promise<Plan> {
  const digests = new Set(references.flatMap(({ digest }) => digest ?? []));
  // A tag goes with its image.
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

/** What an image lists and what is about it; nothing of one that can't be read. */
async function around(registry: Registry, repository: string, digest: string): Promise<string[]> {
  const lists = [registry.parts(repository, { digest }), registry.referrers(repository, digest)];
  const found = await Promise.all(
    lists.map((list) =>
      list.catch((error: unknown) => {
        faultOf(error);
        return [];
      }),
    ),
  );
  return found.flat().map((each) => each.digest);
}
