import * as childProcess from "child_process";
import { promisify } from "util";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { failure } from "./failure";

const execFile = promisify(childProcess.execFile);

/** Where a Docker engine is: by address or by the name of a context. */
export interface EngineAddress {
  host?: string;
  context?: string;
}

/** The engine that a component's docker provider talks to, for the few things that the provider has no resource for. */
export function engineOf(component: pulumi.ComponentResource): pulumi.Output<EngineAddress> {
  const provider = component.getProvider("docker:index/container:Container");
  if (provider instanceof docker.Provider) {
    return pulumi.all([provider.host, provider.context]).apply(([host, context]) => ({ host, context }));
  }
  const config = new pulumi.Config("docker");
  return pulumi.output({
    host: config.get("host") ?? process.env.DOCKER_HOST,
    context: config.get("context") ?? process.env.DOCKER_CONTEXT,
  });
}

/** Runs the docker command against an engine and returns what it printed; the error of a failed one has that too. */
export async function dockerCommand(engine: EngineAddress, ...words: string[]): Promise<string> {
  // The provider does not know the current context of the docker command; nor must we.
  const address = engine.context ? ["--context", engine.context] : ["--host", engine.host ?? "unix:///var/run/docker.sock"];
  const { stdout, stderr } = await execFile("docker", [...address, ...words], { maxBuffer: 1 << 24 });
  return stdout.trim() === "" ? stderr.trim() : stdout.trim();
}

/** The platform an engine builds for when nobody says another: `linux/amd64`. */
export async function enginePlatform(engine: EngineAddress): Promise<string> {
  try {
    return await dockerCommand(engine, "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}");
  } catch (error) {
    throw failure(`The Docker engine could not be asked for its platform: ${printedBy(error)}`);
  }
}

/** What `docker inspect` says of a container, by a template; undefined when there is none. */
export async function inspectContainer<T>(engine: EngineAddress, container: string, template: string): Promise<T | undefined> {
  try {
    return JSON.parse(await dockerCommand(engine, "container", "inspect", "--format", template, container)) as T;
  } catch (error) {
    if (/No such container/i.test(printedBy(error))) {
      return undefined;
    }
    throw failure(`The Docker engine could not be asked for ${container}: ${printedBy(error)}`);
  }
}

/** What a failed command printed for people. */
export function printedBy(error: unknown): string {
  const { stderr = "" } = error as { stderr?: string };
  return stderr.trim() === "" ? String(error) : stderr.trim();
}
