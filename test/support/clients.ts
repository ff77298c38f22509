import { randomBytes } from "crypto";
import * as fs from "fs";
import * as http from "http";
import * as https from "https";
import { isIP } from "net";
import * as os from "os";
import * as path from "path";
import * as tls from "tls";
import { attempt, Result, run, RunOptions } from "./run";
import { Environment, RegistryOutputs } from "./testStack";

export { digestOf } from "../../commands/randomImage";

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

  /** The environment that makes other programs use this client's login and engine. */
  readonly env: Environment;

  /** `environment` can name an engine (`DOCKER_HOST`). */
  constructor(environment: Environment = {}) {
    this.env = { ...environment, DOCKER_CONFIG: this.workspace.folder };
  }

  attempt(...args: string[]): Promise<Result> {
    return attempt("docker", args, { env: this.env });
  }

  run(...args: string[]): Promise<string> {
    return run("docker", args, { env: this.env });
  }

  login(outputs: RegistryOutputs, password = outputs.password): Promise<Result> {
    const words = ["login", outputs.repositoryPrefix, "--username", outputs.username, "--password-stdin"];
    return attempt("docker", words, { env: this.env, input: password });
  }

  /** Builds an image of random layers of the given sizes, FROM scratch: no registry on the internet can be reached. */
  buildImage(name: string, layerBytes: readonly number[]): Promise<string> {
    const layers = layerBytes.map((size, index): [string, number] => [`layer${index}`, size]);
    const copies = layers.map(([file]) => `COPY ${file} /${file}`);
    const dockerfile = Buffer.from(["FROM scratch", ...copies, 'CMD ["/layer0"]', ""].join("\n"));
    return this.buildFrom(name, { ...Object.fromEntries(layers), Dockerfile: dockerfile });
  }

  /** Builds an image of files: each is a path to copy from, a content, or a number of random bytes. */
  async buildFrom(name: string, files: Record<string, string | Buffer | number>): Promise<string> {
    const context = new Workspace();
    try {
      for (const [file, source] of Object.entries(files)) {
        const target = path.join(context.folder, file);
        if (typeof source === "string") {
          fs.copyFileSync(source, target);
        } else if (typeof source === "number") {
          writeRandomFile(target, source);
        } else {
          fs.writeFileSync(target, source);
        }
      }
      this.willHave(name);
      await this.run("build", "--quiet", "--tag", name, context.folder);
    } finally {
      context.dispose();
    }
    return name;
  }

  async tag(image: string, name: string): Promise<void> {
    this.willHave(name);
    await this.run("tag", image, name);
  }

  /** Announces an image that the engine will have, so that `dispose` removes it. */
  willHave(image: string): void {
    this.images.push(image);
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

/** A client that needs no engine, with a login and a trusted CA of its own. */
export abstract class Tool {
  protected readonly workspace = new Workspace();

  protected constructor(
    private readonly command: string,
    protected readonly outputs: RegistryOutputs,
  ) {
    const auth = Buffer.from(`${outputs.username}:${outputs.password}`).toString("base64");
    const auths = outputs.username === "" ? {} : { [outputs.repositoryPrefix]: { auth } };
    this.workspace.write("config.json", JSON.stringify({ auths }));
    this.workspace.write("ca.crt", outputs.caCertificate);
  }

  protected abstract arguments(words: readonly string[]): string[];
  protected abstract options(): RunOptions;

  attempt(...words: string[]): Promise<Result> {
    return attempt(this.command, this.arguments(words), this.options());
  }

  run(...words: string[]): Promise<string> {
    return run(this.command, this.arguments(words), this.options());
  }

  /** A path in this client's own folder. */
  path(name: string): string {
    return path.join(this.workspace.folder, name);
  }

  dispose(): void {
    this.workspace.dispose();
  }
}

export class Skopeo extends Tool {
  constructor(outputs: RegistryOutputs) {
    super("skopeo", outputs);
  }

  /** Copies from or to the registry; the other side is a folder or another kind that has no certificates. */
  copy(from: string, to: string): Promise<string> {
    const folder = this.workspace.folder;
    return this.run("copy", "--src-cert-dir", folder, "--dest-cert-dir", folder, from, to);
  }

  protected override arguments(words: readonly string[]): string[] {
    return [...words.slice(0, 1), "--authfile", this.path("config.json"), ...words.slice(1)];
  }

  protected override options(): RunOptions {
    return {};
  }
}

/** A client that follows Go's and Docker's settings. */
export abstract class GoTool extends Tool {
  protected override arguments(words: readonly string[]): string[] {
    return [...words];
  }

  protected override options(): RunOptions {
    return {
      env: {
        DOCKER_CONFIG: this.workspace.folder,
        SSL_CERT_FILE: this.path("ca.crt"),
        // The test must not use anybody's settings of regctl on this machine.
        REGCTL_CONFIG: this.path("regctl.json"),
      },
    };
  }
}

export class Crane extends GoTool {
  constructor(outputs: RegistryOutputs) {
    super("crane", outputs);
  }
}

export class Oras extends GoTool {
  constructor(outputs: RegistryOutputs) {
    super("oras", outputs);
  }

  /** It assumes that a registry on localhost has no TLS. */
  protected override arguments(words: readonly string[]): string[] {
    const sides = words[0] === "copy" ? ["from-", "to-"] : [""];
    return [...words, ...sides.map((side) => `--${side}plain-http=false`)];
  }
}

export class Regctl extends GoTool {
  constructor(outputs: RegistryOutputs) {
    super("regctl", outputs);
  }
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
  /** Credentials; the stack's first user unless given, none for null. */
  login?: { username: string; password: string } | null;
  agent?: http.Agent;
  /** Connects to this address instead of the endpoint's, which is still the one that is verified. */
  host?: string;
  /** Addresses that are tried one after the other if there is no answer. */
  others?: readonly string[];
  tls?: https.RequestOptions;
}

/** Sends a request to the registry's API at its endpoint, trusting only the stack's CA. */
export function request(outputs: RegistryOutputs, target: string, options: RequestOptions = {}): Promise<Answer> {
  const answer = new Promise<Answer>((resolve, reject) => {
    const sent = open(outputs, target, options);
    sent.on("response", (response) => void answerOf(response).then(resolve, reject));
    sent.on("error", reject);
    sent.end(options.body);
  });
  const [host, ...others] = options.others ?? [];
  return host === undefined ? answer : answer.catch(() => request(outputs, target, { ...options, host, others }));
}

/** A request fails after this time without a byte in either direction: with an error of its own, before the test's time is over. */
const silenceSeconds = 120;

/** Starts a request whose body the caller sends. */
export function open(outputs: RegistryOutputs, target: string, options: RequestOptions = {}): http.ClientRequest {
  const url = new URL(target, outputs.endpoint);
  const login = options.login === undefined ? outputs : options.login;
  const secure = url.protocol === "https:";
  const sent = (secure ? https : http).request({
    // The address in a URL has brackets if it is an IPv6 one; a socket takes it without.
    host: options.host ?? url.hostname.replace(/^\[|\]$/g, ""),
    // The name that is requested and verified, whatever address is connected to; by RFC 6066 an address is not a name.
    ...(options.host === undefined ? {} : verifiedAs(url.hostname)),
    port: url.port,
    path: `${url.pathname}${url.search}`,
    method: options.method ?? "GET",
    headers: { Host: url.host, ...options.headers },
    auth: login === null ? undefined : `${login.username}:${login.password}`,
    // No connection and no TLS session of an earlier request: the certificate is verified every time.
    agent: options.agent ?? false,
    ...(secure && outputs.caCertificate !== "" ? { ca: outputs.caCertificate } : {}),
    timeout: silenceSeconds * 1000,
    ...options.tls,
  });
  sent.on("timeout", () => sent.destroy(new Error(`${sent.method} ${sent.path}: silence for ${silenceSeconds} s`)));
  return sent;
}

function verifiedAs(host: string): https.RequestOptions {
  return isIP(host) === 0
    ? { servername: host }
    : { checkServerIdentity: (_, certificate) => tls.checkServerIdentity(host, certificate) };
}

async function answerOf(response: http.IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

/** The fingerprint of the certificate that a new connection gets. */
export function servedFingerprint(outputs: RegistryOutputs): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(outputs.endpoint);
    const socket = tls.connect({ host: hostname, port: Number(port), servername: hostname, ca: outputs.caCertificate }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}
