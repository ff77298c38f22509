import { execFileSync } from "child_process";
import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { EngineAddress, localEngine, printedBy } from "./engine";
import { failure } from "../checks/failure";
import { valueIfKnown } from "../checks/inputs";
import { PerRun } from "./perRun";

/** An engine with all that the docker command would take from the environment or a context. */
type NamedEngine = Required<EngineAddress>;

/** The part of `docker context inspect` that is read. */
interface InspectedContext {
  Name: string;
  Endpoints: { docker?: { Host: string; SkipTLSVerify?: boolean } };
  TLSMaterial?: { docker?: string[] };
  Storage: { TLSPath: string };
}

/** The files that a client needs to prove who it is, and to recognize the engine. */
const tlsFiles = ["ca.pem", "cert.pem", "key.pem"];

/** The engine of a context of the docker command; `docker context use NAME` makes one of them the current one. */
function contextNamed(name: string): NamedEngine {
  const { Endpoints, TLSMaterial, Storage } = inspected(name);
  const host = Endpoints.docker?.Host ?? localEngine;
  const files = TLSMaterial?.docker;
  const lacking = Endpoints.docker?.SkipTLSVerify
    ? "a look at its certificate"
    : files && !tlsFiles.every((file) => files.includes(file))
      ? `one of ${tlsFiles.join(", ")}`
      : undefined;
  if (lacking !== undefined) {
    throw failure(
      `The docker context ${JSON.stringify(name)} leads to ${host} without ${lacking}, and Pulumi's docker provider knows no such way. ` +
        "Make the context anew with a CA and a client certificate, or set docker:host to another address",
    );
  }
  return { host, certPath: files === undefined ? "" : path.join(Storage.TLSPath, "docker") };
}

function inspected(name: string): InspectedContext {
  try {
    const printed = execFileSync("docker", ["context", "inspect", name], { encoding: "utf8", stdio: "pipe", env: process.env });
    const [context] = JSON.parse(printed) as InspectedContext[];
    if (context !== undefined) {
      return context;
    }
  } catch (error) {
    throw failure(`The docker context ${JSON.stringify(name)} can't be read: ${printedBy(error)}`);
  }
  throw failure(`There is no docker context ${JSON.stringify(name)}`);
}

/** An environment variable; to the docker command, an empty one is not set. */
function variable(name: `DOCKER_${"CERT_PATH" | "CONFIG" | "CONTEXT" | "HOST" | "TLS" | "TLS_VERIFY"}`): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}

/** The name of the context that the docker command uses while no host is given; undefined for its default one. */
function currentName(): string | undefined {
  const name = variable("DOCKER_CONTEXT") ?? nameInConfiguration();
  return name === "default" ? undefined : name;
}

function nameInConfiguration(): string | undefined {
  try {
    return (JSON.parse(fs.readFileSync(path.join(configurationFolder(), "config.json"), "utf8")) as { currentContext?: string })
      .currentContext;
  } catch {
    // Without a file, or with one that the docker command can't read either, it uses its default context.
    return undefined;
  }
}

function configurationFolder(): string {
  return variable("DOCKER_CONFIG") ?? path.join(os.homedir(), ".docker");
}

/** The folder of certificates for an engine by address, as the docker command finds it; over ssh it uses none. */
function certificatesFor(host: string): string {
  const tls = variable("DOCKER_TLS_VERIFY") ?? variable("DOCKER_TLS");
  return tls === undefined || host.startsWith("ssh://") ? "" : (variable("DOCKER_CERT_PATH") ?? configurationFolder());
}

/** Stops if DOCKER_CONTEXT names another engine: the provider prefers it to any host that it is given. */
function checkDockerContext(host: string, from: string): void {
  const name = variable("DOCKER_CONTEXT");
  const context = name !== undefined && name !== "default" ? contextNamed(name) : undefined;
  if (context !== undefined && !sameEngine(context.host, host)) {
    throw failure(
      `Two Docker engines are named: ${from} is ${host}, and DOCKER_CONTEXT=${name} is ${context.host}. Unset DOCKER_CONTEXT`,
    );
  }
}

/**
 * The engine that is meant, if it is not this machine's own. The default docker provider does not reach the engine of the current
 * context, and for a context by name it lacks the certificates and, for images that are built, the host. Nor does its state record
 * DOCKER_HOST: a `destroy` without that variable would look on another engine, find nothing, and forget what runs.
 */
function engineElsewhere(): NamedEngine | undefined {
  const engine = namedEngine();
  return engine === undefined || sameEngine(engine.host, localEngine) ? undefined : engine;
}

function namedEngine(): NamedEngine | undefined {
  const config = new pulumi.Config("docker");
  const configured = config.get("context");
  const host = config.get("host") ?? variable("DOCKER_HOST");
  if (configured === undefined && host !== undefined) {
    checkDockerContext(host, config.get("host") === undefined ? "DOCKER_HOST" : "docker:host");
    return { host, certPath: config.get("certPath") ?? certificatesFor(host) };
  }
  const name = configured ?? currentName();
  const context = name === undefined ? undefined : contextNamed(name);
  if (context !== undefined) {
    checkDockerContext(context.host, "docker:context");
  }
  return context;
}

/** Whether two addresses lead to the same engine: Docker Desktop's socket has a link at the usual place. */
function sameEngine(one: string, other: string): boolean {
  const place = (host: string): string => {
    try {
      return host.startsWith("unix://") ? fs.realpathSync(host.slice("unix://".length)) : host;
    } catch {
      return host;
    }
  };
  return one === other || place(one) === place(other);
}

/** Keeps the docker provider from using DOCKER_CONTEXT, which it would prefer to any host. */
export const noContext = { context: "" };

/** Certificates and keys that the docker provider takes as text. */
const materials = ["caMaterial", "certMaterial", "keyMaterial"] as const;

function asText(key: string): Error {
  return failure(
    `${key} would reach Pulumi's docker provider, but not the docker command, which takes no certificates as text. Write ca.pem, ` +
      "cert.pem and key.pem into a folder, and give that as certPath",
  );
}

/**
 * The options of a component that works on a Docker engine. If the user names none, it is the engine that the docker command
 * talks to; if that takes a provider of its own, the options include one.
 */
export function onDockerEngine(name: string, opts: pulumi.ComponentResourceOptions = {}): pulumi.ComponentResourceOptions {
  const { provider, providers = [], parent } = opts;
  const given = [...(provider === undefined ? [] : [provider]), ...Object.values(providers)];
  if (given.some((each) => docker.Provider.isInstance(each)) || parent?.getProvider("docker:index/container:Container")) {
    return opts;
  }
  const config = new pulumi.Config("docker");
  if (config.get("sshOpts") !== undefined) {
    throw failure(
      "docker:sshOpts would reach Pulumi's docker provider, but not the docker command, which loads the server's image and has no " +
        "such options. Put them into ~/.ssh/config, which both read, and remove the key",
    );
  }
  const material = materials.find((key) => config.get(key) !== undefined);
  if (material !== undefined) {
    throw asText(`docker:${material}`);
  }
  const address = engineElsewhere();
  if (address === undefined) {
    return opts;
  }
  const registryAuth = config.getSecretObject<docker.types.input.ProviderRegistryAuth[]>("registryAuth");
  const engine = providerFor(name, { ...address, ...noContext, registryAuth }, parent);
  return { ...opts, providers: [...Object.values(providers), engine] };
}

/** The providers that were made, by their parent and name. */
const made = new PerRun(() => new Map<pulumi.Resource | undefined, Map<string, docker.Provider>>());

/** Components of different classes may share a name, and then share the provider. */
function providerFor(name: string, args: docker.ProviderArgs, parent: pulumi.Resource | undefined): docker.Provider {
  const siblings = made.get().get(parent) ?? new Map<string, docker.Provider>();
  made.get().set(parent, siblings);
  const engine = siblings.get(name) ?? new docker.Provider(`${name}-engine`, args, { parent });
  siblings.set(name, engine);
  return engine;
}

/** The engine that a component's docker provider talks to, for the few things that the provider has no resource for. */
export function engineOf(component: pulumi.ComponentResource): pulumi.Output<EngineAddress> {
  const provider = component.getProvider("docker:index/container:Container");
  if (docker.Provider.isInstance(provider)) {
    // In a preview the SDK takes a setting that was not given for one that is not known yet.
    return pulumi
      .all([provider.context, provider.certPath, ...materials.map((key) => provider[key])].map(valueIfKnown))
      .apply(([context, certPath, ...texts]) => {
        const material = materials.find((_, index) => texts[index] !== undefined);
        if (material !== undefined) {
          throw asText(`The docker provider's ${material}`);
        }
        return context
          ? pulumi.output<EngineAddress>(contextNamed(context))
          : provider.host.apply((host) => engineBy({ host, context, certPath }));
      });
  }
  const config = new pulumi.Config("docker");
  return pulumi.output({ host: config.get("host") ?? variable("DOCKER_HOST"), certPath: config.get("certPath") });
}

/**
 * A value, once an engine was asked about it. A preview asks nothing, but its result has the same dependencies: an `up` with an update
 * plan stops at a resource with other dependencies.
 */
export function whenAsked<T>(
  engine: pulumi.Output<EngineAddress>,
  value: pulumi.Input<T>,
  ask: (engine: EngineAddress, value: pulumi.Unwrap<T>) => Promise<unknown>,
): pulumi.Output<pulumi.Unwrap<T>> {
  return pulumi.all([engine, value]).apply(async ([address, known]) => {
    if (!pulumi.runtime.isDryRun()) {
      await ask(address, known);
    }
    return known;
  });
}

/** The engine that the docker provider derives from its settings: a setting that is not given comes from the environment. */
export function engineBy({
  host = variable("DOCKER_HOST"),
  context = host === undefined ? variable("DOCKER_CONTEXT") : undefined,
  certPath,
}: EngineAddress & { context?: string }): EngineAddress {
  if (context) {
    return contextNamed(context);
  }
  if (context === undefined) {
    checkDockerContext(host ?? localEngine, "the host of the docker provider");
  }
  return { host, certPath };
}
