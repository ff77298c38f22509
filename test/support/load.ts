import { randomBytes } from "crypto";
import * as https from "https";
import { setTimeout as pause } from "timers/promises";
import { request, RequestOptions } from "./clients";
import { checkImage, pushImage, randomImage } from "./images";
import { RegistryOutputs } from "./testStack";

/** What a client has done so far, and every failure it met. */
export interface Tally {
  /** Requests that only ask for the API's root; those for images come on top. */
  requests: number;
  images: number;
  failures: string[];
}

/**
 * How long a client waits after each request, after one with a connection of its own, and after each image, in milliseconds. Without
 * these waits the load takes both cores of a small machine, mostly for connections, and the deployment that it watches takes minutes.
 */
const pace = { request: 2, connection: 25, image: 250 };

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
      this.repeat(() => this.ping(kept), pace.request),
      this.repeat(() => this.ping(kept), pace.request),
      this.repeat(() => this.ping({}), pace.connection),
      this.repeat(() => this.pushAndPull(kept), pace.image),
      this.repeat(() => this.pushAndPull({}), pace.image),
    );
  }

  /** Ends when every request under way has its answer. */
  async stop(): Promise<Tally> {
    this.stopped = true;
    await Promise.all(this.workers);
    this.agent.destroy();
    return this.tally;
  }

  private async repeat(work: () => Promise<void>, wait: number): Promise<void> {
    while (!this.stopped) {
      await work().catch((error: unknown) => this.tally.failures.push(String(error)));
      await pause(wait);
    }
  }

  private async ping(options: RequestOptions): Promise<void> {
    const { status } = await request(this.outputs, "/v2/", { ...options, login: this.login });
    this.tally.requests++;
    if (status !== 200) {
      throw new Error(`GET /v2/ was answered ${status}`);
    }
  }

  private async pushAndPull(options: RequestOptions): Promise<void> {
    const repository = `load-${randomBytes(2).toString("hex")}`;
    const image = randomImage([2000]);
    await pushImage(this.outputs, repository, "latest", image, { ...options, login: this.login });
    await checkImage(this.outputs, repository, "latest", image, { ...options, login: this.login });
    this.tally.images++;
  }
}
