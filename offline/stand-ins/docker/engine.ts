import { spawn } from "child_process";
import * as http from "http";
import { Duplex, Readable } from "stream";
import type * as Docker from "dockerode";
import { Login } from "./logins";

/** A call of the Docker Engine API. */
export interface Call {
  query?: Record<string, string | number | boolean>;
  body?: unknown;
  /** A body that is no JSON. */
  file?: Readable | Buffer;
  /** For the registry that the engine talks to. */
  login?: Login;
}

/** What the engine says against a call, in its own words. */
export class EngineError extends Error {
  constructor(
    message: string,
    /** HTTP status; undefined when the engine was not reached. */
    public readonly status?: number,
  ) {
    super(message);
  }
}

const succeeded = { 200: true, 201: true, 204: true, 304: true } as const;

/** A Docker engine: every call of its API goes through here. */
export class Engine {
  private client?: Promise<Docker>;

  constructor(
    private readonly address: string,
    private readonly options: Docker.Options,
    /** Logins for registries, as the provider was given them. */
    private readonly logins: Record<string, Login> = {},
  ) {}

  /** Loaded with the first call: a deployment that changes nothing makes none. */
  private docker(): Promise<Docker> {
    return (this.client ??= import("dockerode").then((Client) => new Client(this.options)));
  }

  /** Calls the engine and returns its answer. */
  call<T>(method: string, path: string, call: Call = {}): Promise<T> {
    return this.dial<T>(method, path, call);
  }

  /** What there is at a path; undefined if the engine knows nothing of it. */
  async find<T>(path: string, call: Call = {}): Promise<T | undefined> {
    return this.call<T>("GET", path, call).catch(unlessMissing);
  }

  /** Deletes what is at a path, or finds it deleted. */
  async remove(path: string, call: Call = {}): Promise<void> {
    await this.call("DELETE", path, call).catch(unlessMissing);
  }

  /** Calls the engine and passes on the messages that it sends while it works; a message of an error ends it. */
  async follow(path: string, call: Call, seen: (message: Progress) => void = () => undefined): Promise<void> {
    const stream = await this.dial<Readable>("POST", path, call, { isStream: true });
    let rest = "";
    for await (const chunk of stream.setEncoding("utf8")) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines.filter((each) => each.trim() !== "")) {
        const message = JSON.parse(line) as Progress;
        if (message.error !== undefined) {
          throw new EngineError(message.error);
        }
        seen(message);
      }
    }
  }

  /** A connection to the engine on which something else than its API is spoken. */
  hijack(path: string, headers: Record<string, string>): Promise<Duplex> {
    return this.dial<Duplex>("POST", path, {}, { hijack: true, headers });
  }

  /** The login for a registry, of those that the provider was given. */
  login(registry: string): Login | undefined {
    return this.logins[registry];
  }

  private async dial<T>(method: string, path: string, call: Call, more: Partial<Docker.Request> = {}): Promise<T> {
    const { modem } = await this.docker();
    return new Promise((resolve, reject) => {
      if (call.file instanceof Readable) {
        call.file.once("error", (error) => reject(new EngineError(`what was to be sent can't be read: ${error.message}`)));
      }
      const request = {
        method,
        path: `${path}?`,
        options: { _query: call.query ?? {}, _body: call.body ?? {} },
        file: call.file,
        statusCodes: succeeded,
        authconfig: call.login,
        ...more,
      };
      modem.dial(request, (error, answer) => (error === null ? resolve(answer as T) : reject(this.refused(error))));
    });
  }

  private refused(error: Docker.Refusal): EngineError {
    return error.statusCode === undefined
      ? new EngineError(`The Docker engine at ${this.address} could not be reached: ${error.message}`)
      : new EngineError((error.json?.message ?? error.message).trim(), error.statusCode);
  }
}

/** A message of an engine that builds, pushes or pulls. */
export interface Progress {
  error?: string;
  id?: string;
  status?: string;
  stream?: string;
  aux?: unknown;
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof EngineError && error.status === 404) {
    return undefined;
  }
  throw error;
}

/** Where engines are in lack of any word. */
const localSocket = "/var/run/docker.sock";

/** A client's certificate, and the CA that the engine's is of. */
export interface TlsMaterial {
  ca: string;
  cert: string;
  key: string;
}

/** How the engine at an address is reached: `unix://…`, `tcp://…`, `http://…`, `https://…` or `ssh://…`. */
export function connection(address: string | undefined, tls: TlsMaterial | undefined, sshOptions: string[]): Docker.Options {
  if (address === undefined) {
    return { socketPath: localSocket };
  }
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.*)$/.exec(address) ?? [];
  switch (scheme) {
    case "unix":
    case "npipe":
      return { socketPath: rest || localSocket };
    case "tcp":
    case "http":
    case "https": {
      const { hostname, port } = new URL(`http://${rest}`);
      const secure = tls !== undefined || scheme === "https";
      return { protocol: secure ? "https" : "http", host: hostname, port: Number(port || (secure ? 2376 : 2375)), ...tls };
    }
    case "ssh":
      return { protocol: "http", host: "docker", agent: new SshAgent(address, sshOptions) };
    default:
      throw new Error(`docker:host: ${JSON.stringify(address)} not a Docker host; give unix://…, tcp://… or ssh://…`);
  }
}

/** Connections by the ssh command, as the docker command makes them: with the user's configuration, keys and known hosts. */
class SshAgent extends http.Agent {
  constructor(
    private readonly address: string,
    private readonly options: string[],
  ) {
    super();
  }

  override createConnection(): Duplex {
    const words = [...this.options, "-o", "ConnectTimeout=30", "-T", "--", this.address, "docker", "system", "dial-stdio"];
    const ssh = spawn("ssh", words, { stdio: ["pipe", "pipe", "pipe"] });
    const stream = Duplex.from({ readable: ssh.stdout, writable: ssh.stdin });
    let said = "";
    ssh.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    ssh.on("error", (error) => stream.destroy(error));
    ssh.on("close", (code) => (code === 0 ? undefined : stream.destroy(new Error(said.trim() || `ssh ended with code ${code}`))));
    stream.on("close", () => ssh.kill());
    return stream;
  }
}
