import { digestOf } from "../randomImage";
import { Answer, RegistryClient, RegistryError } from "../registryClient";
import { digestPattern } from "./arguments";

/** What a tag, an index or a list of referrers leads to. */
export interface Target {
  digest: string;
  mediaType?: string;
}

/** The parts of manifests and configurations (https://github.com/opencontainers/image-spec) that are read here. */
export interface Descriptor extends Target {
  size: number;
}
interface Manifest {
  config?: Descriptor | null;
  layers?: Descriptor[] | null;
  manifests?: Descriptor[] | null;
}

/** What is kept of a manifest: each digest once, however often it is listed. */
export interface Contents {
  digest: string;
  /** Bytes by digest of the manifest itself, its configuration and its layers; platforms of an index share layers. */
  sizes: Map<string, number>;
  config?: Descriptor;
  /** What an index lists. */
  children: Descriptor[];
}

/** How many parts of manifests are remembered, some 40 MB: tags and indexes share what they lead to. */
const mostRemembered = 200_000;

/** Types of manifests that list no others. */
const plainTypes = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  ...plainTypes,
];

export const done = [200, 202, 204];

/** Whether a status concerns the client or the whole registry, and not one image. */
const notOfOneImage = (status: number): boolean => [401, 403, 429].includes(status) || status > 500;

/** Why one image can't be read, if the fault is its own; any other error is rethrown. */
export function faultOf(error: unknown): string {
  if (error instanceof SyntaxError) {
    return "its manifest isn't JSON";
  }
  if (error instanceof RegistryError && !notOfOneImage(error.status)) {
    return error.answer;
  }
  throw error;
}

/** Replaces an image that can't be read because of a fault of its own. */
export function noneIfBroken(error: unknown): undefined {
  faultOf(error);
  return undefined;
}

/** Whether a registry answered with one of these statuses. */
export function isAnswer(error: unknown, ...statuses: number[]): error is RegistryError {
  return error instanceof RegistryError && statuses.includes(error.status);
}

/** The manifests of a registry. */
export class Manifests {
  private readonly contents = new Map<string, Promise<Contents>>();
  private remembered = 0;

  constructor(private readonly client: RegistryClient) {}

  async request(method: string, repository: string, reference: string): Promise<Answer> {
    const ask = (): Promise<Answer> =>
      this.client.expect(done, method, `/v2/${repository}/manifests/${reference}`, {
        headers: { Accept: manifestTypes.join(", ") },
      });
    // A damaged manifest fails the second time too; a registry with a momentary fault does not.
    return (await unlessAnswered([500], ask())) ?? ask();
  }

  /** The manifests that a manifest lists, as an index does. */
  async listedBy(repository: string, { digest, mediaType = "" }: Target): Promise<Target[]> {
    if (plainTypes.includes(mediaType)) {
      return [];
    }
    const { body } = await this.request("GET", repository, digest);
    return distinct((JSON.parse(body.toString()) as Manifest).manifests ?? []).filter(isManifest);
  }

  /** The contents of a manifest by its digest, read once for as long as there is room for them. */
  known(repository: string, digest: string): Promise<Contents> {
    const key = `${repository}@${digest}`;
    const known = this.contents.get(key);
    if (known !== undefined) {
      return known;
    }
    if (this.remembered > mostRemembered) {
      this.contents.clear();
      this.remembered = 0;
    }
    const contents = this.read(repository, digest);
    this.contents.set(key, contents);
    this.remembered++;
    contents.then(
      ({ sizes, children }) => (this.remembered += sizes.size + children.length),
      // The caller that asked for it gets the error.
      () => undefined,
    );
    return contents;
  }

  async read(repository: string, reference: string): Promise<Contents> {
    const answer = await this.request("GET", repository, reference);
    // Programs in Go write an empty list as null.
    const { config, layers, manifests } = JSON.parse(answer.body.toString()) as Manifest;
    const digest = digestIn(answer) ?? digestOf(answer.body);
    const blobs = [...(config ? [config] : []), ...(layers ?? [])];
    return {
      digest,
      sizes: new Map([[digest, answer.body.length], ...blobs.map((blob): [string, number] => [blob.digest, blob.size])]),
      config: config ?? undefined,
      children: distinct(manifests ?? []),
    };
  }
}

/** An answer, or undefined if it has one of these statuses. */
export async function unlessAnswered<T>(statuses: readonly number[], answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isAnswer(error, ...statuses)) {
      return undefined;
    }
    throw error;
  }
}

/** Each digest once, with only those fields that are needed here: annotations can be long. */
export function distinct<T extends Target & { size?: number }>(list: readonly T[]): Pick<T, "digest" | "mediaType" | "size">[] {
  return [...new Map(list.map(({ digest, mediaType, size }) => [digest, { digest, mediaType, size }])).values()];
}

/** Whether a target is a manifest: the index of a build cache lists layers. */
export function isManifest({ digest, mediaType = "" }: Target): boolean {
  return isDigest(digest) && manifestTypes.includes(mediaType);
}

/** The digest that an answer gives; it need not give one. */
export function digestIn({ headers }: Answer): string | undefined {
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
