import { randomBytes } from "crypto";
import * as https from "https";
import { Answer, digestOf, request, RequestOptions } from "./clients";
import { RegistryOutputs } from "./testStack";

/** What a client has done so far, and every failure it met. */
export interface Tally {
  requests: number;
  images: number;
  failures: string[];
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** A client that works until it is stopped: some connections are kept, others are new for every request. */
export class Load {
  public readonly tally: Tally = { requests: 0, images: 0, failures: [] };
  private readonly agent = new https.Agent({ keepAlive: true, maxSockets: 4 });
  private readonly workers: Promise<void>[] = [];
  private stopped = false;

  constructor(
    private readonly outputs: RegistryOutputs,
    private readonly login: { username: string; password: string },
  ) {}

  start(): void {
    const kept = { agent: this.agent };
    this.workers.push(
      this.repeat(() => this.ping(kept)),
      this.repeat(() => this.ping(kept)),
      this.repeat(() => this.ping({})),
    );
    this.workers.push(
      this.repeat(() => this.pushAndPull(kept)),
      this.repeat(() => this.pushAndPull({})),
    );
  }

  /** Ends when every request under way has its answer. */
  async stop(): Promise<Tally> {
    this.stopped = true;
    await Promise.all(this.workers);
    this.agent.destroy();
    return this.tally;
  }

  private async repeat(work: () => Promise<void>): Promise<void> {
    while (!this.stopped) {
      await work().catch((error: unknown) => this.tally.failures.push(String(error)));
    }
  }

  private async ask(wanted: number, target: string, options: RequestOptions): Promise<Buffer> {
    const answer = await request(this.outputs, target, { ...options, login: this.login });
    this.tally.requests++;
    if (answer.status !== wanted) {
      throw new Error(`${options.method ?? "GET"} ${target}: ${answer.status} ${answer.body.toString()}`);
    }
    return answer.body;
  }

  private async ping(options: RequestOptions): Promise<void> {
    await this.ask(200, "/v2/", options);
  }

  /** Pushes an image of one small layer and pulls it again. */
  private async pushAndPull(options: RequestOptions): Promise<void> {
    const name = `load-${randomBytes(2).toString("hex")}`;
    const image = await pushImage({ ...this.outputs, ...this.login }, name, randomBytes(2000), options);
    this.tally.requests += image.requests;
    const manifest = await this.ask(200, `/v2/${name}/manifests/latest`, { ...options, headers: { Accept: manifestType } });
    if (digestOf(manifest) !== image.digest) {
      throw new Error(`${name}: pulled ${digestOf(manifest)}, pushed ${image.digest}`);
    }
    this.tally.images++;
  }
}

/** Pushes an image of one layer by the plain API, as the outputs' user. */
export async function pushImage(
  outputs: RegistryOutputs,
  name: string,
  layer: Buffer,
  options: RequestOptions = {},
): Promise<{ digest: string; requests: number }> {
  let requests = 0;
  const ask = async (wanted: number, target: string, more: RequestOptions): Promise<Answer> => {
    requests++;
    const answer = await request(outputs, target, { ...options, ...more });
    if (answer.status !== wanted) {
      throw new Error(`${more.method ?? "GET"} ${target}: ${answer.status} ${answer.body.toString()}`);
    }
    return answer;
  };
  const config = Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [digestOf(layer)] } }),
  );
  for (const blob of [config, layer]) {
    const upload = await ask(202, `/v2/${name}/blobs/uploads/`, { method: "POST" });
    const location = new URL(String(upload.headers.location), outputs.endpoint);
    location.searchParams.set("digest", digestOf(blob));
    await ask(201, `${location.pathname}${location.search}`, {
      method: "PUT",
      headers: { "Content-Type": "application/octet-stream" },
      body: blob,
    });
  }
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digestOf(layer), size: layer.length }],
  });
  await ask(201, `/v2/${name}/manifests/latest`, { method: "PUT", headers: { "Content-Type": manifestType }, body: manifest });
  return { digest: digestOf(manifest), requests };
}
