import * as childProcess from "child_process";
import * as path from "path";
import { promisify } from "util";
import { failure } from "../checks/failure";
import { once } from "./once";

const execFile = promisify(childProcess.execFile);

/** Where a Docker engine is. */
export interface EngineAddress {
  host?: string;
  /**
   * The folder with the files for TLS to the engine: `ca.pem`, `cert.pem` and `key.pem`. Empty: there are none, whatever the environment
   * says.
   */
  certPath?: string;
}

/** The address of an engine if none is given. */
export const localEngine = "unix:///var/run/docker.sock";

/** The exit code of `docker run` if it could not even start the container. */
export const dockerFailed = 125;

/** Words of a `docker run` whose container only tries something. */
export const trialRun = ["run", "--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];

/** Runs the docker command against an engine and returns what it printed; the error of a failed one has what it printed for people. */
export function dockerCommand(engine: EngineAddress, ...words: string[]): Promise<string> {
  return dockerCommandWith("", engine, ...words);
}

/** Runs the docker command with a text on standard input, where no list of processes shows it. */
export async function dockerCommandWith(input: string, engine: EngineAddress, ...words: string[]): Promise<string> {
  // Given in full, so that no context of the docker command takes effect.
  const address = ["--host", engine.host ?? localEngine, ...tlsOptions(engine)];
  const running = execFile("docker", [...address, ...words], { maxBuffer: 1 << 24, env: environmentFor(engine) });
  // A command that ends early does not read all of it.
  running.child.stdin?.on("error", () => undefined).end(input);
  const { stdout, stderr } = await running.catch((error: unknown) => {
    throw withoutArguments(error, words[0]);
  });
  return stdout.trim() === "" ? stderr.trim() : stdout.trim();
}

/** Node.js puts the whole command into its error, and with it options of volume drivers that may be secret. */
function withoutArguments(error: unknown, command?: string): Error {
  const { code, signal, stderr, path: program } = error as childProcess.ExecFileException & { stderr?: string };
  const ended = new Error(`docker ${command} ended with ${signal ?? code} and said nothing`);
  return Object.assign(ended, { code, stderr, path: program });
}

function tlsOptions({ certPath }: EngineAddress): string[] {
  const files = { tlscacert: "ca.pem", tlscert: "cert.pem", tlskey: "key.pem" };
  return certPath
    ? ["--tlsverify", ...Object.entries(files).map(([option, file]) => `--${option}=${path.join(certPath, file)}`)]
    : [];
}

/** With a host the docker command heeds variables that it ignores for a context. */
function environmentFor({ certPath }: EngineAddress): NodeJS.ProcessEnv {
  return certPath === "" ? { ...process.env, DOCKER_CERT_PATH: "", DOCKER_TLS: "", DOCKER_TLS_VERIFY: "" } : process.env;
}

/** By host. */
const platforms = new Map<string, Promise<string>>();

/** The platform that an engine builds for unless another one is given: `linux/amd64`. The engine is asked once in a run. */
export function enginePlatform(engine: EngineAddress): Promise<string> {
  return once(platforms, engine.host ?? localEngine, () => askForPlatform(engine));
}

async function askForPlatform(engine: EngineAddress): Promise<string> {
  try {
    return await dockerCommand(engine, "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}");
  } catch (error) {
    throw unanswered("its platform", error);
  }
}

/** What `docker inspect` says of a container, by a template; undefined when there is none. */
export function inspectContainer<T>(engine: EngineAddress, container: string, template: string): Promise<T | undefined> {
  return inspect(engine, "container", container, template);
}

/** The last lines of a container's log, since a time by the engine's clock. */
export function lastLines(engine: EngineAddress, container: string, since?: string): Promise<string> {
  return dockerCommand(engine, "logs", "--tail", "20", ...(since === undefined ? [] : ["--since", since]), container);
}

/** What `docker service inspect` says of a service, by a template; undefined when there is none. */
export function inspectService<T>(engine: EngineAddress, service: string, template: string): Promise<T | undefined> {
  return inspect(engine, "service", service, template);
}

/** What `docker image inspect` says of an image, by a template; undefined when there is none. */
export function inspectImage<T>(engine: EngineAddress, image: string, template: string): Promise<T | undefined> {
  return inspect(engine, "image", image, template);
}

/** What `docker volume inspect` says of a volume, by a template; undefined when there is none. */
export function inspectVolume<T>(engine: EngineAddress, volume: string, template: string): Promise<T | undefined> {
  return inspect(engine, "volume", volume, template);
}

async function inspect<T>(engine: EngineAddress, kind: string, name: string, template: string): Promise<T | undefined> {
  try {
    return JSON.parse(await dockerCommand(engine, kind, "inspect", "--format", template, name)) as T;
  } catch (error) {
    // The last message is a Swarm's, which from Engine 23 on looks for a volume of the cluster as well.
    if (/No such (container|service|image|volume)|volume \S+ not found/i.test(printedBy(error))) {
      return undefined;
    }
    throw unanswered(name, error);
  }
}

/** The error that ends a deployment if an engine gives no answer. */
export function unanswered(what: string, error: unknown): Error {
  return failure(`The Docker engine could not be asked for ${what}: ${printedBy(error)}`);
}

/** What a failed command printed for people. */
export function printedBy(error: unknown): string {
  const { stderr = "", code, path: command } = error as NodeJS.ErrnoException & { stderr?: string };
  if (code === "ENOENT" && command === "docker") {
    return "the docker command is not installed; it is needed beside Pulumi's provider";
  }
  return stderr.trim() === "" ? (error instanceof Error ? error.message : String(error)) : stderr.trim();
}
