import { randomBytes } from "crypto";
import { newImage, pull, push, sizeOf } from "./transfer";
import { offerOf, Usage } from "./offers";
import { RegistryAccess, RegistryClient } from "../registryClient";
import { probe, removed, Support } from "./features";

/** A registry to measure: how to reach it, or why that is not known. */
export interface Candidate {
  name: string;
  access?: RegistryAccess;
  /** What goes before an image's name, host included. */
  repositoryPrefix?: string;
  error?: string;
}

/** An image to push and pull. */
export interface ImageKind {
  name: string;
  layers: number;
  layerBytes: number;
}

/** One push and one pull. */
export interface Sample {
  pushSeconds: number;
  pullSeconds: number;
  pushRequests: number;
  pullRequests: number;
  /** Seconds to the first byte of each blob. */
  firstBytes: number[];
  bytes: number;
}

/** Everything that was found out about a registry. */
export interface Row {
  name: string;
  endpoint: string;
  /** ID of the offer in the price file. */
  offer?: string;
  /** By the image's name, one sample for each round that was done. */
  samples: Record<string, Sample[]>;
  support?: Support;
  authentication: string;
  encryption: string;
  /** Who sends the blobs: the registry, or the host of its store. */
  storage: string;
  /** The error that ended the measurements early. */
  error?: string;
}

/** The result of a whole run. */
export interface Comparison {
  date: string;
  rounds: number;
  images: ImageKind[];
  usage: Usage;
  rows: Row[];
}

export interface Plan {
  rounds: number;
  images: ImageKind[];
  usage: Usage;
  /** Called with a line for everything that happens. */
  progress: (line: string) => void;
}

/** A registry while it is measured. */
class Measured {
  readonly row: Row;
  private readonly client: RegistryClient | undefined;
  private readonly path: string;
  /** Manifests that were pushed, by repository. */
  private readonly pushed: [repository: string, digest: string][] = [];
  private readonly hosts = new Set<string>();

  constructor(candidate: Candidate, run: string) {
    const { name, access, repositoryPrefix = "", error } = candidate;
    const inside = repositoryPrefix.split("/").slice(1);
    this.path = [...inside, `compare-${run}`].join("/");
    this.client = access === undefined ? undefined : new RegistryClient(access);
    this.row = {
      name,
      endpoint: access?.endpoint ?? "",
      offer: access === undefined ? undefined : offerOf(new URL(access.endpoint).hostname)?.id,
      samples: {},
      authentication: "",
      encryption: "",
      storage: "",
      error,
    };
  }

  /** Does something with the registry, unless it failed before. A failure ends up in its row. */
  async attempt(work: (client: RegistryClient) => Promise<void>): Promise<void> {
    if (this.client === undefined || this.row.error !== undefined) {
      return;
    }
    try {
      await work(this.client);
    } catch (error) {
      this.row.error = error instanceof Error ? error.message : String(error);
    }
  }

  async probe(): Promise<void> {
    await this.attempt(async (client) => {
      await client.expect([200], "GET", "/v2/");
      this.row.authentication = client.scheme ?? "";
      this.row.encryption = client.encryption;
      this.row.support = await probe(client, this.path, `${this.path}-other`, (...one) => this.pushed.push(one));
    });
  }

  /** A round with an image. */
  async sample(kind: ImageKind, round: number, image: ReturnType<typeof newImage>): Promise<void> {
    await this.attempt(async (client) => {
      this.pushed.push([this.path, image.digest]);
      // In some registries a tag can't be moved to another image later.
      const tag = `${kind.name}-${round}`;
      const up = await push(client, this.path, tag, image);
      const down = await pull(client, this.path, tag, image);
      down.hosts.forEach((host) => this.hosts.add(host));
      const foreign = [...this.hosts].filter((host) => host !== new URL(this.row.endpoint).hostname.replace(/^\[|\]$/g, ""));
      this.row.storage = foreign.length === 0 ? "through the registry" : `from ${foreign.join(", ")}`;
      (this.row.samples[kind.name] ??= []).push({
        pushSeconds: up.seconds,
        pullSeconds: down.seconds,
        pushRequests: up.requests,
        pullRequests: down.requests,
        firstBytes: down.firstBytes,
        bytes: sizeOf(image),
      });
    });
  }

  /** Deletes what was pushed, if the registry allows it; what it refuses to delete stays. */
  async cleanUp(): Promise<void> {
    for (const [repository, digest] of this.pushed) {
      await (this.client === undefined ? undefined : removed(this.client, repository, digest).catch(() => undefined));
    }
    this.client?.close();
  }
}

/** Pushes and pulls the same images to every registry in turn, in several rounds, so that other work of the machine affects all of them. */
export async function compare(candidates: readonly Candidate[], plan: Plan): Promise<Comparison> {
  const run = randomBytes(4).toString("hex");
  const measured = candidates.map((candidate) => new Measured(candidate, run));
  try {
    for (const each of measured) {
      await each.probe();
      plan.progress(`${each.row.name}: ${each.row.error ?? `authentication ${each.row.authentication}, ${each.row.encryption}`}`);
    }
    if (measured.every(({ row }) => row.error !== undefined)) {
      throw new Error("There is nothing to compare.");
    }
    for (let round = 1; round <= plan.rounds; round++) {
      for (const kind of plan.images) {
        const image = newImage(kind.layers, kind.layerBytes);
        // A different registry begins each round.
        const first = round % measured.length;
        const turns = [...measured.slice(first), ...measured.slice(0, first)];
        for (const each of turns.filter(({ row }) => row.error === undefined)) {
          await each.sample(kind, round, image);
          const last = each.row.samples[kind.name]?.at(-1);
          const outcome =
            each.row.error ?? `push ${last?.pushSeconds.toFixed(2) ?? ""} s, pull ${last?.pullSeconds.toFixed(2) ?? ""} s`;
          plan.progress(`round ${round}/${plan.rounds}, ${kind.name}, ${each.row.name}: ${outcome}`);
        }
      }
    }
  } finally {
    for (const each of measured) {
      await each.cleanUp();
    }
  }
  const { rounds, images, usage } = plan;
  return { date: new Date().toISOString(), rounds, images, usage, rows: measured.map(({ row }) => row) };
}
