import * as http from "http";
import { digestOf } from "../../commands/randomImage";
import { Disposable } from "./cleanUp";
import { listening } from "./ports";

const imageType = "application/vnd.oci.image.manifest.v1+json";
export const indexType = "application/vnd.oci.image.index.v1+json";

interface Held {
  body: Buffer;
  mediaType: string;
  subject?: string;
}

/** A registry with one repository, `app`, in memory; it accepts any manifest, whether its parts exist or not. */
export class FakeRegistry implements Disposable {
  readonly tags = new Map<string, string>();
  readonly manifests = new Map<string, Held>();
  /** What was deleted, in order. */
  readonly deleted: string[] = [];
  /** Method and reference of every request for a manifest, in order. */
  readonly asked: string[] = [];
  /** The blobs that were asked for; the registry has none. */
  readonly blobs: string[] = [];
  /** The statuses with which the next requests for a tag or digest are refused. */
  readonly refusals = new Map<string, number[]>();
  /** The digest that it gives for a manifest. */
  tell = (digest: string): string | undefined => digest;
  takesTags = true;
  /** Whether it deletes an image that has a tag. */
  takesTagged = true;
  /** Whether it deletes an image. */
  takesImage: (digest: string) => boolean = () => true;
  endpoint = "";
  private readonly server = http.createServer((request, response) => {
    const [status, body, headers] = this.answer(request.method ?? "", new URL(request.url ?? "", "http://registry").pathname);
    response.writeHead(status, headers).end(body);
  });

  async start(): Promise<this> {
    this.endpoint = `http://127.0.0.1:${await listening(this.server)}`;
    return this;
  }

  dispose(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** Adds an image that is different for each name; about another one, if that is given. */
  image(name: string, subject?: string, parts: { config?: object; layers?: object[] } = {}): string {
    return this.hold({
      mediaType: imageType,
      annotations: { name },
      subject: subject === undefined ? undefined : { digest: subject },
      ...parts,
    });
  }

  index(...digests: string[]): string {
    const manifests = digests.map((digest) => ({
      digest,
      size: 1,
      mediaType: this.manifests.get(digest)?.mediaType ?? imageType,
    }));
    return this.hold({ mediaType: indexType, manifests });
  }

  private hold(manifest: { mediaType: string; subject?: { digest: string } } & Record<string, unknown>): string {
    const body = Buffer.from(JSON.stringify(manifest));
    this.manifests.set(digestOf(body), { body, mediaType: manifest.mediaType, subject: manifest.subject?.digest });
    return digestOf(body);
  }

  private answer(method: string, path: string): [number, Buffer | string, http.OutgoingHttpHeaders?] {
    const [, kind, reference = ""] = /^\/v2\/app\/(tags|manifests|referrers|blobs)\/(.+)$/.exec(path) ?? [];
    if (kind === "manifests") {
      this.asked.push(`${method} ${reference}`);
    }
    if (kind === "blobs") {
      this.blobs.push(reference);
      return [404, ""];
    }
    const refusal = this.refusals.get(reference)?.shift();
    const digest = this.tags.get(reference) ?? reference;
    const held = this.manifests.get(digest);
    if (refusal !== undefined) {
      return [refusal, ""];
    }
    if (kind === "tags") {
      return [200, JSON.stringify({ tags: [...this.tags.keys()] })];
    }
    if (kind === "referrers") {
      const about = [...this.manifests].filter(([, { subject }]) => subject === reference);
      return [200, JSON.stringify({ manifests: about.map(([each, { mediaType }]) => ({ digest: each, size: 1, mediaType })) })];
    }
    if (method === "DELETE" && !this.takesTags && !reference.includes(":")) {
      return [405, ""];
    }
    if (method === "DELETE" && reference.includes(":") && !this.takesTagged && [...this.tags.values()].includes(reference)) {
      return [400, ""];
    }
    if (method === "DELETE" && reference.includes(":") && !this.takesImage(reference)) {
      return [500, ""];
    }
    if (held === undefined) {
      return [404, ""];
    }
    if (method === "DELETE") {
      this.delete(reference);
      return [202, ""];
    }
    const told = this.tell(digest);
    return [200, held.body, { "Content-Type": held.mediaType, ...(told === undefined ? {} : { "Docker-Content-Digest": told }) }];
  }

  private delete(reference: string): void {
    this.deleted.push(reference);
    this.manifests.delete(reference);
    [...this.tags].filter((each) => each.includes(reference)).forEach(([tag]) => this.tags.delete(tag));
  }
}
