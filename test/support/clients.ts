import { createHash, randomBytes } from "crypto";
import * as fs from "fs";
import * as https from "https";
import * as os from "os";
import * as path from "path";
import { attempt, Result, run } from "./run";
import { RegistryOutputs } from "./testStack";

/** A folder that is deleted by `dispose`. */
export class Workspace {
  public readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-client-"));

  write(name: string, content: string | Buffer): string {
    const file = path.join(this.folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
    return file;
  }

  dispose(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The docker command with a login of its own. Images it builds are removed by `dispose`. */
export class DockerClient {
  private readonly workspace = new Workspace();
  private readonly images: string[] = [];

  attempt(...args: string[]): Promise<Result> {
    return attempt("docker", args, { env: { DOCKER_CONFIG: this.workspace.folder } });
  }

  run(...args: string[]): Promise<string> {
    return run("docker", args, { env: { DOCKER_CONFIG: this.workspace.folder } });
  }

  async login(outputs: RegistryOutputs, password = outputs.password): Promise<Result> {
    return attempt("docker", ["login", outputs.repositoryPrefix, "--username", outputs.username, "--password-stdin"], {
      env: { DOCKER_CONFIG: this.workspace.folder },
      input: password,
    });
  }

  /** Builds an image of random layers of the given sizes, FROM scratch: no registry on the internet can be reached. */
  async buildImage(name: string, layerBytes: readonly number[]): Promise<string> {
    const context = path.join(this.workspace.folder, randomBytes(6).toString("hex"));
    fs.mkdirSync(context);
    const lines = layerBytes.map((size, index) => {
      writeRandomFile(path.join(context, `layer${index}`), size);
      return `COPY layer${index} /layer${index}`;
    });
    fs.writeFileSync(path.join(context, "Dockerfile"), ["FROM scratch", ...lines, 'CMD ["/layer0"]', ""].join("\n"));
    await this.run("build", "--quiet", "--tag", name, context);
    fs.rmSync(context, { recursive: true });
    this.images.push(name);
    return name;
  }

  async tag(image: string, name: string): Promise<void> {
    await this.run("tag", image, name);
    this.images.push(name);
  }

  async dispose(): Promise<void> {
    for (const image of this.images) {
      await this.attempt("image", "rm", "--force", image);
    }
    this.workspace.dispose();
  }
}

function writeRandomFile(file: string, size: number): void {
  const descriptor = fs.openSync(file, "w");
  for (let left = size; left > 0; left -= 1 << 20) {
    fs.writeSync(descriptor, randomBytes(Math.min(left, 1 << 20)));
  }
  fs.closeSync(descriptor);
}

/** An answer of the registry's HTTP API. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

export interface RequestOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** Credentials; the stack's first user unless given, nobody for null. */
  login?: { username: string; password: string } | null;
  agent?: https.Agent;
  /** Connects to this host instead of the one in the endpoint. */
  host?: string;
  tls?: https.RequestOptions;
}

/** Speaks to the registry's API over TLS, trusting the stack's CA and nothing else. */
export function request(outputs: RegistryOutputs, target: string, options: RequestOptions = {}): Promise<Answer> {
  const url = new URL(target, outputs.endpoint);
  const login = options.login === undefined ? outputs : options.login;
  return new Promise((resolve, reject) => {
    const sent = https.request(
      {
        host: options.host ?? url.hostname,
        port: url.port,
        path: `${url.pathname}${url.search}`,
        method: options.method ?? "GET",
        headers: options.headers,
        auth: login === null ? undefined : `${login.username}:${login.password}`,
        ca: outputs.caCertificate === "" ? undefined : outputs.caCertificate,
        agent: options.agent,
        ...options.tls,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(options.body);
  });
}

/** `sha256:…` of bytes, as the registry names blobs. */
export function digestOf(content: Buffer | string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
