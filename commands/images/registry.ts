import { Answer, RegistryAccess, RegistryClient, RegistryError } from "../registryClient";

/** The parts of manifests and configurations (https://github.com/opencontainers/image-spec) that are read here. */
interface Descriptor {
  digest: string;
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
}

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const done = [200, 202, 204];

/** Statuses that concern whoever asks, or the whole registry. */
const notOfOneImage = [401, 403, 429, 503];

/** Why one image can't be read, if that is a fault of its own; an error of another kind is thrown on. */
export function faultOf(error: unknown): string {
  if (error instanceof SyntaxError) {
    return "its manifest isn't JSON";
  }
  if (error instanceof RegistryError && !notOfOneImage.includes(error.status)) {
    return error.answer;
  }
  throw error;
}

/** The images of a registry. */
export class Registry {
  private readonly client: RegistryClient;

  constructor(access: RegistryAccess) {
    this.client = new RegistryClient(access);
  }

  repositories(): Promise<string[]> {
    return this.pages("/v2/_catalog?n=1000", "repositories");
  }

  /** The tags of a repository; none when it is unknown, or when all are deleted. */
  async tags(repository: string): Promise<string[]> {
    try {
      return await this.pages(`/v2/${repository}/tags/list?n=1000`, "tags");
    } catch (error) {
      if (error instanceof RegistryError && error.status === 404) {
        return [];
      }
      throw error;
    }
  }

  /** The digest that a tag stands for; undefined when there is no such tag. */
  async digest(repository: string, reference: string): Promise<string | undefined> {
    try {
      return digestIn(await this.manifest(repository, reference, "HEAD"));
    } catch (error) {
      if (error instanceof RegistryError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }

  /** An image by tag or digest; of an index the size is that of all its images, and the time that of the first. */
  async image(repository: string, reference: string): Promise<Image> {
    const answer = await this.manifest(repository, reference, "GET");
    const manifest = JSON.parse(answer.body.toString()) as Manifest;
    const parts = new Map([manifest.config, ...(manifest.layers ?? [])].filter((each) => each !== undefined).map(sized));
    const children = await Promise.all((manifest.manifests ?? []).map((each) => this.child(repository, each)));
    const own = answer.body.length;
    return {
      digest: digestIn(answer),
      size: [...parts.values(), ...children.map(({ size }) => size)].reduce((sum, size) => sum + size, own),
      created: children[0]?.created ?? (await this.created(repository, manifest.config)),
    };
  }

  /** Deletes a tag, or with a digest an image and all its tags. */
  async delete(repository: string, reference: string): Promise<void> {
    await this.client.expect(done, "DELETE", `/v2/${repository}/manifests/${reference}`);
  }

  close(): void {
    this.client.close();
  }

  /** Of an index that was pushed in part, images may be missing; and those of a build cache are layers, which are no manifests. */
  private async child(repository: string, { digest, size }: Descriptor): Promise<Image> {
    try {
      return await this.image(repository, digest);
    } catch (error) {
      faultOf(error);
      return { digest, size, created: "" };
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

  private manifest(repository: string, reference: string, method: string): Promise<Answer> {
    return this.client.expect(done, method, `/v2/${repository}/manifests/${reference}`, { headers: { Accept: manifestTypes } });
  }

  /** A list that comes page by page, each with a link to the next. */
  private async pages(first: string, field: string): Promise<string[]> {
    const all: string[] = [];
    for (let path: string | undefined = first; path !== undefined;) {
      const { body, headers }: Answer = await this.client.expect(done, "GET", path);
      all.push(...((JSON.parse(body.toString()) as Record<string, string[] | null>)[field] ?? []));
      path = /<([^>]+)>; *rel="?next/.exec(String(headers.link ?? ""))?.[1];
    }
    return all;
  }
}

function sized({ digest, size }: Descriptor): [string, number] {
  return [digest, size];
}

function digestIn({ headers }: Answer): string {
  return String(headers["docker-content-digest"]);
}
