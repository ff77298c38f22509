import { forAll } from "./forAll";
import { noneIfBroken, Target } from "./manifests";
import { Registry } from "./registry";

/** What the tags of a repository lead to. The registry can't be asked which manifests have no tag. */
export interface Contents {
  /** The digest of every tag; undefined for a broken one. */
  digests: ReadonlyMap<string, string | undefined>;
  /** The tags of every digest. */
  tags: ReadonlyMap<string, readonly string[]>;
  /** What every manifest leads to: the manifests that it lists and, in full, those about it. */
  leads: ReadonlyMap<string, readonly string[]>;
}

/** Reads a repository; in full also the manifests about its manifests. */
export async function contentsOf(registry: Registry, repository: string, full = false): Promise<Contents> {
  const names = await registry.tags(repository);
  const found = await forAll(names, (tag) => registry.find(repository, tag).catch(noneIfBroken));
  const digests = new Map(names.map((tag, index) => [tag, found[index]?.digest]));
  const tags = new Map<string, string[]>();
  for (const [tag, digest] of digests) {
    if (digest !== undefined) {
      tags
        .set(digest, tags.get(digest) ?? [])
        .get(digest)
        ?.push(tag);
    }
  }
  const roots = found.filter((each) => each !== undefined);
  return { digests, tags, leads: await leadsFrom(registry, repository, roots, full) };
}

async function leadsFrom(registry: Registry, repository: string, roots: readonly Target[], full: boolean) {
  const leads = new Map<string, string[]>();
  // Thousands of indexes can list the same thousands of images: each is kept in memory once.
  const known = new Map<string, Target>();
  const once = (target: Target): Target => {
    const held = known.get(target.digest) ?? target;
    known.set(held.digest, held);
    return held;
  };
  for (let level = new Set(roots.map(once)); level.size > 0;) {
    const fresh = [...level].filter(({ digest }) => !leads.has(digest));
    const next = await forAll(fresh, async (target) =>
      [
        ...((await registry.parts(repository, target).catch(noneIfBroken)) ?? []),
        ...(full ? await registry.referrers(repository, target.digest) : []),
      ].map(once),
    );
    level = new Set();
    fresh.forEach(({ digest }, index) => {
      const targets = next[index] ?? [];
      leads.set(
        digest,
        targets.map((each) => each.digest),
      );
      targets.forEach((each) => level.add(each));
    });
  }
  return leads;
}

/** The tags that can't be pulled without an image: those of everything that lists it, at any depth. */
export function neededBy({ leads, tags }: Contents, image: string): string[] {
  const above = new Set([image]);
  // The loop also visits the elements that are added meanwhile.
  for (const part of above) {
    for (const [digest, parts] of leads) {
      if (parts.includes(part)) {
        above.add(digest);
      }
    }
  }
  return [...above].slice(1).flatMap((digest) => tags.get(digest) ?? []);
}
