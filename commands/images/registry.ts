import { digestOf } from "../randomImage";
import { Answer, RegistryAccess, RegistryClient, RegistryError } from "../registryClient";
import { digestPattern } from "./arguments";

/** What a tag, an index or a list of referrers leads to. */
export interface Target {
  digest: string;
  mediaType?: string;
}

/** The parts of manifests and configurations (https://github.com/opencontainers/image-spec) that are read here. */
interface Descriptor extends Target {
  size: number;
}
interface Manifest {
  config?: Descriptor;
  layers?: Descriptor[];
  manifests?: Descriptor[];
}

/** An image in a repository. */
export interface Image {
  digest: string;
  /** Bytes of it and of all it is made of. */
  size: number;
  /** ISO 8601; empty when it does not say. */
  created: string;
  /** How many images an index lists that can't be read. */
  missing: number;
}

/** An image with what it is made of, itself among it: bytes by digest, as platforms of an index share layers. */
interface Whole extends Omit<Image, "size"> {
  parts: Map<string, number>;
}

/** Types of manifests that list no others. */
const plainTypes = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  ...plainTypes,
];

const done = [200, 202, 204];

/** Tells statuses that concern whoever asks, or the whole registry. */
const notOfOneImage = (status: number): boolean => [401, 403, 429].includes(status) || status > 500;

/** Why one image can't be read, if that is a fault of its own; an error of another kind is thrown on. */
export function faultOf(error: unknown): string {
  if (error instanceof SyntaxError) {
    return "its manifest isn't JSON";
  }
  if (error instanceof RegistryError && !notOfOneImage(error.status)) {
    return error.answer;
  }
  throw error;
}

/** For what can't be read by a fault of its own. */
export function noneIfBroken(error: unknown): undefined {
  faultOf(error);
  return undefined;
}

/** Tells whether a registry answered with one of these statuses. */
export function isAnswer(error: unknown, ...statuses: number[]): error is RegistryError {
  return error instanceof RegistryError && statuses.includes(error.status);
}

/** The images of a registry. */
export class Registry {
  private readonly client: RegistryClient;

  constructor(access: RegistryAccess) {
    this.client = new RegistryClient(access);
  }

  repositories(): Promise<string[]> {
    return this.pages<string>("/v2/_catalog?n=1000", "repositories");
  }

  /** The tags of a repository; none when it is unknown, or when all are deleted. */
  async tags(repository: string): Promise<string[]> {
    return (await unlessAnswered([404], this.pages<string>(`/v2/${repository}/tags/list?n=1000`, "tags"))) ?? [];
  }

  /** The manifest that a tag or digest stands for; undefined when there is none. */
  async find(repository: string, reference: string): Promise<Target | undefined> {
    const answer = await unlessAnswered([404], this.manifest(repository, reference, "HEAD"));
    if (answer === undefined) {
      return undefined;
    }
    const digest = digestIn(answer) ?? digestOf((await this.manifest(repository, reference, "GET")).body);
    return { digest, mediaType: answer.headers["content-type"] };
  }

  /** The manifests that a manifest lists, as an index does. */
  async parts(repository: string, { digest, mediaType = "" }: Target): Promise<Target[]> {
    if (plainTypes.includes(mediaType)) {
      return [];
    }
    const { body } = await this.manifest(repository, digest, "GET");
    return ((JSON.parse(body.toString()) as Manifest).manifests ?? []).filter(isManifest);
  }

  /** The manifests about another one, as signatures; none where a registry does not know of any. */
  async referrers(repository: string, digest: string): Promise<Target[]> {
    const list = this.pages<Target>(`/v2/${repository}/referrers/${digest}`, "manifests");
    return ((await unlessAnswered([400, 404, 405, 406, 501], list)) ?? []).filter(isManifest);
  }

  /** An image by tag or digest; of an index the size is that of all its images, and the time that of the first. */
  async image(repository: string, reference: string): Promise<Image> {
    const { parts, ...image } = await this.whole(repository, reference);
    return { ...image, size: [...parts.values()].reduce((sum, size) => sum + size, 0) };
  }

  /** Deletes a tag, or with a digest an image and all its tags. */
  async delete(repository: string, reference: string): Promise<void> {
    await this.client.expect(done, "DELETE", `/v2/${repository}/manifests/${reference}`);
  }

  close(): void {
    this.client.close();
  }

  private async whole(repository: string, reference: string): Promise<Whole> {
    const answer = await this.manifest(repository, reference, "GET");
    const manifest = JSON.parse(answer.body.toString()) as Manifest;
    const blobs = [manifest.config, ...(manifest.layers ?? [])].filter((each) => each !== undefined).map(sized);
    const children = await Promise.all((manifest.manifests ?? []).map((each) => this.child(repository, each)));
    const digest = digestIn(answer) ?? digestOf(answer.body);
    return {
      digest,
      parts: new Map([[digest, answer.body.length], ...blobs, ...children.flatMap(({ parts }) => [...parts])]),
      created: children[0]?.created ?? (await this.created(repository, manifest.config)),
      missing: children.reduce((sum, { missing }) => sum + missing, 0),
    };
  }

  /** Of an index that was pushed in part, images may be missing; and those of a build cache are layers, which are no manifests. */
  private async child(repository: string, descriptor: Descriptor): Promise<Whole> {
    try {
      return await this.whole(repository, descriptor.digest);
    } catch (error) {
      faultOf(error);
      return {
        digest: descriptor.digest,
        parts: new Map([sized(descriptor)]),
        created: "",
        missing: isManifest(descriptor) ? 1 : 0,
      };
    }
  }

  private async created(repository: string, config: Descriptor | undefined): Promise<string> {
    if (config === undefined) {
      return "";
    }
    try {
      const { body } = await this.client.expect(done, "GET", `/v2/${repository}/blobs/${config.digest}`);
      const { created } = JSON.parse(body.toString()) as { created?: unknown };
      // Who pushes chooses it, and it is printed.
      return typeof created === "string" && /^\d{4}-\d{2}-\d{2}/.test(created) ? created : "";
    } catch (error) {
      // What is no container image may have a configuration of another kind, and a damaged one has lost it.
      faultOf(error);
      return "";
    }
  }

  private async manifest(repository: string, reference: string, method: string): Promise<Answer> {
    const ask = (): Promise<Answer> =>
      this.client.expect(done, method, `/v2/${repository}/manifests/${reference}`, {
        headers: { Accept: manifestTypes.join(", ") },
      });
    // What is damaged is so the second time too; a registry that had a fault for a moment is not.
    return (await unlessAnswered([500], ask())) ?? ask();
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

/** An answer, or undefined where it has one of these statuses. */
async function unlessAnswered<T>(statuses: readonly number[], answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isAnswer(error, ...statuses)) {
      return undefined;
    }
    throw error;
  }
}

function sized({ digest, size }: Descriptor): [string, number] {
  return [digest, size];
}

/** Tells whether it leads to a manifest: what an index of a build cache lists are layers. */
function isManifest({ digest, mediaType = "" }: Target): boolean {
  return isDigest(digest) && manifestTypes.includes(mediaType);
}

/** The digest that an answer gives, which it need not. */
function digestIn({ headers }: Answer): string | undefined {
  const digest = headers["docker-content-digest"];
  if (!digest) {
    return undefined;
  }
  if (!isDigest(digest)) {
    throw new Error(`The registry gave ${JSON.stringify(digest)} for a digest.`);
  }
  return digest;
}

export function isDigest(digest: unknown): digest is string {
  return typeof digest === "string" && new RegExp(`^${digestPattern}$`).test(digest);
}
