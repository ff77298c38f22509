import { digestOf } from "../randomImage";
import { RegistryAccess, RegistryClient } from "../registryClient";
import { forAll } from "./forAll";
import {
  Contents,
  Descriptor,
  digestIn,
  distinct,
  done,
  faultOf,
  isManifest,
  Manifests,
  noneIfBroken,
  Target,
  unlessAnswered,
} from "./manifests";

/** An image in a repository. */
export interface Image {
  digest: string;
  /** Bytes of the image and of all its parts. */
  size: number;
  /** ISO 8601; empty if the image does not say. */
  created: string;
  /** The number of images in an index that can't be read. */
  missing: number;
  /** Whether it has more parts than are looked at, so that size and missing are lower bounds. */
  more: boolean;
}

/*
 * A user who may push to one repository chooses what lists what, and should not be able to fill the memory or waste the time of anyone
 * who lists all images. An image has some tens of parts, an index in an index is rare, and a configuration has some kilobytes.
 */
const mostParts = 50_000;
const mostDepth = 8;
const mostConfiguration = 4 * 1024 * 1024;

/** The images of a registry. */
export class Registry {
  private readonly client: RegistryClient;
  private readonly images = new Map<string, Promise<Image>>();
  private readonly manifests: Manifests;

  constructor(access: RegistryAccess) {
    this.client = new RegistryClient(access);
    this.manifests = new Manifests(this.client);
  }

  repositories(): Promise<string[]> {
    return this.pages<string>("/v2/_catalog?n=1000", "repositories");
  }

  /** The tags of a repository; none if it is unknown, or if all are deleted. */
  async tags(repository: string): Promise<string[]> {
    return (await unlessAnswered([404], this.pages<string>(`/v2/${repository}/tags/list?n=1000`, "tags"))) ?? [];
  }

  /** The manifest that a tag or digest stands for; undefined when there is none. */
  async find(repository: string, reference: string): Promise<Target | undefined> {
    const answer = await unlessAnswered([404], this.manifests.request("HEAD", repository, reference));
    if (answer === undefined) {
      return undefined;
    }
    const digest = digestIn(answer) ?? digestOf((await this.manifests.request("GET", repository, reference)).body);
    return { digest, mediaType: answer.headers["content-type"] };
  }

  /** The manifests that a manifest lists, as an index does. */
  parts(repository: string, target: Target): Promise<Target[]> {
    return this.manifests.listedBy(repository, target);
  }

  /** The manifests about another one, such as signatures; none if the registry knows of none. */
  async referrers(repository: string, digest: string): Promise<Target[]> {
    const list = this.pages<Target>(`/v2/${repository}/referrers/${digest}`, "manifests");
    return distinct((await unlessAnswered([400, 404, 405, 406, 501], list)) ?? []).filter(isManifest);
  }

  /** An image by its tag. For an index, the size is that of all its images, and the time is that of the first. */
  async image(repository: string, tag: string): Promise<Image> {
    const found = await this.find(repository, tag).catch(noneIfBroken);
    if (found === undefined) {
      // The answer to a full request, not only to a HEAD, says why.
      return this.described(repository, await this.manifests.read(repository, tag));
    }
    const key = `${repository}@${found.digest}`;
    const image =
      this.images.get(key) ??
      this.manifests.known(repository, found.digest).then((contents) => this.described(repository, contents));
    this.images.set(key, image);
    return image;
  }

  /** Deletes a tag, or with a digest an image and all its tags. */
  async delete(repository: string, reference: string): Promise<void> {
    await this.client.expect(done, "DELETE", `/v2/${repository}/manifests/${reference}`);
  }

  close(): void {
    this.client.close();
  }

  private async described(repository: string, root: Contents): Promise<Image> {
    const sizes = new Map(root.sizes);
    const listed = new Map(root.children.map((each) => [each.digest, each]));
    const full = (): boolean => sizes.size + listed.size > mostParts;
    let missing = 0;
    let level = root.children;
    for (let depth = 0; depth < mostDepth && level.length > 0; depth++) {
      const before = listed.size;
      await forAll(level, async (descriptor) => {
        const child = full() ? undefined : await this.child(repository, descriptor);
        child?.sizes.forEach((size, digest) => sizes.set(digest, size));
        child?.children.filter(({ digest }) => !listed.has(digest)).forEach((each) => listed.set(each.digest, each));
        missing += child?.lost === true ? 1 : 0;
      });
      level = [...listed.values()].slice(before);
    }
    return {
      digest: root.digest,
      size: [...sizes.values()].reduce((sum, size) => sum + size, 0),
      created: await this.created(repository, root),
      missing,
      more: full() || level.length > 0,
    };
  }

  /** If an index was pushed only in part, images may be missing; and the entries of a build cache are layers, not manifests. */
  private async child(repository: string, descriptor: Descriptor): Promise<Contents & { lost?: boolean }> {
    try {
      return await this.manifests.known(repository, descriptor.digest);
    } catch (error) {
      faultOf(error);
      const { digest, size } = descriptor;
      return { digest, sizes: new Map([[digest, size]]), children: [], lost: isManifest(descriptor) };
    }
  }

  private async created(repository: string, root: Contents): Promise<string> {
    let { config, children } = root;
    for (let depth = 0; depth < mostDepth && children[0] !== undefined; depth++) {
      ({ config, children } = await this.child(repository, children[0]));
    }
    if (config === undefined || config.size > mostConfiguration) {
      return "";
    }
    try {
      const { body } = await this.client.expect(done, "GET", `/v2/${repository}/blobs/${config.digest}`);
      const { created } = JSON.parse(body.toString()) as { created?: unknown };
      // The client that pushes chooses the time, and it is printed.
      return typeof created === "string" && /^\d{4}-\d{2}-\d{2}/.test(created) ? created : "";
    } catch (error) {
      // An artifact that is not a container image may have a configuration of another kind, and a damaged image has lost its own.
      faultOf(error);
      return "";
    }
  }

  /** A list that comes page by page, each with a link to the next. */
  private async pages<T>(first: string, field: string): Promise<T[]> {
    const all: T[][] = [];
    for (let path: string | undefined = first; path !== undefined;) {
      const { json, headers } = await this.client.json(path);
      all.push((json as Record<string, T[] | null>)[field] ?? []);
      path = /<([^>]+)>; *rel="?next/.exec(String(headers.link ?? ""))?.[1];
    }
    return all.flat();
  }
}
