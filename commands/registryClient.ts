import { createHash } from "crypto";
import * as http from "http";
import * as https from "https";
import { finished } from "stream/promises";
import * as tls from "tls";

/** Where a registry is and how to log in; a stack's outputs have all of this. */
export interface RegistryAccess {
  endpoint: string;
  /** Without a name: anonymous. */
  username?: string;
  password?: string;
  /** A CA to trust beside the known ones, PEM. */
  caCertificate?: string;
}

export interface RequestOptions {
  headers?: Record<string, string>;
  body?: Buffer;
  /** Another repository that is read, to mount a blob from it. */
  alsoReads?: string;
}

/** An answer whose body has been read. */
export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** An answer whose body has been read and forgotten. */
export interface Download {
  digest: string;
  bytes: number;
  /** Seconds from the request to the first byte of the body. */
  firstByte: number;
  /** The host that sent the bytes. */
  host: string;
}

/** A request has failed after this time without a byte in either direction. */
const silenceSeconds = 60;

/** How a registry wants clients to authenticate. */
type Scheme = "none" | "Basic" | "Bearer";

/** A registry refused a request, or gave an answer that the specification does not allow. */
export class RegistryError extends Error {
  /** The status and the registry's own words. */
  public readonly answer: string;

  constructor(
    request: string,
    public readonly status: number,
    body: Buffer,
  ) {
    const answer = `${status}${reason(body)}`;
    super(`${request} was answered ${answer}`);
    this.answer = answer;
  }
}

/** A client of the OCI distribution API: Basic and Bearer authentication, a CA of its own, redirects, and a count of its requests. */
export class RegistryClient {
  /** Requests sent so far, those for tokens and after redirects included. */
  public requests = 0;
  /** How the registry asked for a login; undefined before the first request. */
  public scheme: Scheme | undefined;
  /** What protects the connection: `TLSv1.3`, or `none`. */
  public encryption = "none";

  private readonly origin: string;
  /** Values of the header Authorization, by what they allow. */
  private readonly authorizations = new Map<string, string>();
  private readonly agents: { "http:": http.Agent; "https:": https.Agent };

  constructor(private readonly access: RegistryAccess) {
    this.origin = new URL(access.endpoint).origin;
    const ca = access.caCertificate ? [...tls.rootCertificates, access.caCertificate] : undefined;
    const options = { keepAlive: true, maxSockets: 8 };
    this.agents = { "http:": new http.Agent(options), "https:": new https.Agent({ ...options, ca }) };
  }

  /** Sends a request and reads the answer, whatever its status. */
  async request(method: string, target: string, options: RequestOptions = {}): Promise<Answer> {
    const response = await this.send(method, target, options);
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    await finished(response);
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
  }

  /** Sends a request that must be answered with one of these statuses. */
  async expect(statuses: readonly number[], method: string, target: string, options: RequestOptions = {}): Promise<Answer> {
    const answer = await this.request(method, target, options);
    if (!statuses.includes(answer.status)) {
      throw new RegistryError(`${method} ${pathOf(target)}`, answer.status, answer.body);
    }
    return answer;
  }

  /** Fetches a list or the like. */
  async json(target: string): Promise<{ json: unknown; headers: http.IncomingHttpHeaders }> {
    const { body, headers } = await this.expect([200], "GET", target);
    return { json: parsed(new URL(target, this.origin), body), headers };
  }

  /** Fetches something large: only its digest is kept. */
  async download(target: string, headers: Record<string, string> = {}): Promise<Download> {
    const start = performance.now();
    const response = await this.send("GET", target, { headers });
    const hash = createHash("sha256");
    let bytes = 0;
    let firstByte: number | undefined;
    const refusal: Buffer[] = [];
    response.on("data", (chunk: Buffer) => {
      firstByte ??= (performance.now() - start) / 1000;
      bytes += chunk.length;
      hash.update(chunk);
      if (response.statusCode !== 200) {
        refusal.push(chunk);
      }
    });
    await finished(response);
    if (response.statusCode !== 200) {
      throw new RegistryError(`GET ${pathOf(target)}`, response.statusCode ?? 0, Buffer.concat(refusal));
    }
    return { digest: `sha256:${hash.digest("hex")}`, bytes, firstByte: firstByte ?? 0, host: hostOf(response) };
  }

  close(): void {
    this.agents["http:"].destroy();
    this.agents["https:"].destroy();
  }

  /** Sends a request with the login it needs, and follows redirects. */
  private async send(method: string, target: string, options: RequestOptions): Promise<http.IncomingMessage> {
    const url = new URL(target, this.origin);
    const allowed = `${method === "GET" || method === "HEAD" ? "read" : method} ${repositoryOf(url)} ${options.alsoReads ?? ""}`;
    // A signed URL of the store carries its own permission, and must not get the registry's; a link may lead anywhere.
    const known = (to: URL): string | undefined => (to.origin === this.origin ? this.authorizations.get(allowed) : undefined);
    let response = await this.once(method, url, options, known(url));
    this.scheme ??= response.statusCode === 401 ? schemeOf(response) : "none";
    if (response.statusCode === 401 && url.origin === this.origin && this.access.username) {
      const challenge = response.headers["www-authenticate"] ?? "";
      await discard(response);
      this.authorizations.set(allowed, await this.authorization(challenge, options.alsoReads));
      response = await this.once(method, url, options, known(url));
    }
    for (let redirects = 0; isRedirect(response) && redirects < 5; redirects++) {
      const next = new URL(response.headers.location ?? "", url);
      await discard(response);
      response = await this.once(method, next, options, known(next));
    }
    return response;
  }

  private async authorization(challenge: string, alsoReads?: string): Promise<string> {
    const login = `Basic ${Buffer.from(`${this.access.username}:${this.access.password ?? ""}`).toString("base64")}`;
    if (!/^bearer /i.test(challenge)) {
      return login;
    }
    const { realm = "", service, scope } = parameters(challenge);
    const url = new URL(realm);
    const scopes = new Set(scope?.split(" ") ?? []);
    if (alsoReads !== undefined) {
      scopes.add(`repository:${alsoReads}:pull`);
    }
    if (service !== undefined) {
      url.searchParams.set("service", service);
    }
    scopes.forEach((each) => url.searchParams.append("scope", each));
    const response = await this.once("GET", url, {}, login);
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    await finished(response);
    if (response.statusCode !== 200) {
      throw new RegistryError(`GET ${url.origin}${url.pathname} (token)`, response.statusCode ?? 0, Buffer.concat(chunks));
    }
    const { token, access_token } = parsed(url, Buffer.concat(chunks)) as { token?: string; access_token?: string };
    return `Bearer ${token ?? access_token}`;
  }

  private once(method: string, url: URL, options: RequestOptions, authorization?: string): Promise<http.IncomingMessage> {
    this.requests++;
    const secure = url.protocol === "https:";
    return new Promise((resolve, reject) => {
      const sent = (secure ? https : http).request(url, {
        method,
        agent: secure ? this.agents["https:"] : this.agents["http:"],
        timeout: silenceSeconds * 1000,
        headers: {
          ...options.headers,
          ...(options.body === undefined && method === "GET" ? {} : { "Content-Length": String(options.body?.length ?? 0) }),
          ...(authorization === undefined ? {} : { Authorization: authorization }),
        },
      });
      sent.on("timeout", () => sent.destroy(new Error(`silence for ${silenceSeconds} s`)));
      sent.on("error", (error) => reject(new Error(`${method} ${url.origin}${url.pathname}: ${messageOf(error, url)}`)));
      sent.on("response", (response) => {
        const { socket } = response;
        if (url.origin === this.origin && socket instanceof tls.TLSSocket) {
          this.encryption = socket.getProtocol() ?? this.encryption;
        }
        resolve(response);
      });
      sent.end(options.body);
    });
  }
}

/** The message of an error. That of a refused connection to several addresses is empty, and OpenSSL's names its own source code. */
function messageOf(error: NodeJS.ErrnoException, { hostname }: URL): string {
  if (/wrong version number|packet length too long/.test(error.message)) {
    return "what answers there does not speak TLS; is it http://?";
  }
  const message = error instanceof AggregateError ? error.errors.map((each: Error) => each.message).join("; ") : error.message;
  return error.code === "ECONNREFUSED" && /^(localhost|127\..*|\[::1\])$/.test(hostname)
    ? `${message}; ${hostname} is this machine: where the registry is on another one, as a Swarm's node, run the command there`
    : message;
}

/** Only the path of a URL: the query of an upload contains its state. */
function pathOf(target: string): string {
  return new URL(target, "http://registry").pathname;
}

/** The JSON of an answer, unless a proxy has answered with a page of its own. */
function parsed({ origin, pathname }: URL, body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Error(`GET ${origin}${pathname} was answered with something other than JSON; is there a registry?`);
  }
}

/** The registry's own reason for a refusal. */
function reason(body: Buffer): string {
  try {
    const { errors } = JSON.parse(body.toString()) as { errors?: { code?: string; message?: string }[] };
    const first = errors?.[0];
    return first === undefined ? "" : `: ${first.code ?? ""} ${first.message ?? ""}`.trimEnd();
  } catch {
    return "";
  }
}

function repositoryOf(url: URL): string {
  return /^\/v2\/(.+)\/(blobs|manifests|tags|referrers)\//.exec(url.pathname)?.[1] ?? "";
}

function schemeOf(response: http.IncomingMessage): Scheme {
  return /^bearer /i.test(response.headers["www-authenticate"] ?? "") ? "Bearer" : "Basic";
}

/** The parameters of a challenge, `realm="…",service="…"`. */
function parameters(challenge: string): Record<string, string | undefined> {
  return Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value]) => [name.toLowerCase(), value]),
  );
}

function isRedirect({ statusCode, headers }: http.IncomingMessage): boolean {
  return [301, 302, 303, 307, 308].includes(statusCode ?? 0) && headers.location !== undefined;
}

function hostOf(response: http.IncomingMessage): string {
  return (response as http.IncomingMessage & { req: http.ClientRequest }).req.host;
}

async function discard(response: http.IncomingMessage): Promise<void> {
  response.resume();
  await finished(response);
}
