import { execFileSync } from "child_process";
import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { EngineAddress, localEngine, printedBy } from "./engine";
import { failure } from "../checks/failure";
import { valueIfKnown } from "../checks/inputs";

/** The engine of a context of the docker command, one of which `docker context use NAME` makes the current one. */
type ContextEngine = EngineAddress & { host: string };

/** The part of `docker context inspect` that is read. */
interface InspectedContext {
  Name: string;
  Endpoints: { docker?: { Host: string; SkipTLSVerify?: boolean } };
  TLSMaterial?: { docker?: string[] };
  Storage: { TLSPath: string };
}

/** What a client needs to show who it is, and to know the engine. */
const tlsFiles = ["ca.pem", "cert.pem", "key.pem"];

function contextNamed(name: string): ContextEngine {
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
  return { host, certPath: files && path.join(Storage.TLSPath, "docker") };
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

/** A variable of the environment; set to nothing is not set, for the docker command. */
function variable(name: "DOCKER_CONFIG" | "DOCKER_CONTEXT" | "DOCKER_HOST"): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}

/** The name of the context that the docker command uses while no host is given; undefined for its default one. */
function currentName(): string | undefined {
  const name = variable("DOCKER_CONTEXT") ?? nameInConfiguration();
  return name === "default" ? undefined : name;
}

function nameInConfiguration(): string | undefined {
  const folder = variable("DOCKER_CONFIG") ?? path.join(os.homedir(), ".docker");
  try {
    return (JSON.parse(fs.readFileSync(path.join(folder, "config.json"), "utf8")) as { currentContext?: string }).currentContext;
  } catch {
    // Without a file, or with one that the docker command can't read either, it uses its default context.
    return undefined;
  }
}

/** Stops where DOCKER_CONTEXT names another engine: the provider heeds it before any host it is given. */
export function checkDockerContext(host: string, from: string): void {
  const name = variable("DOCKER_CONTEXT");
  const context = name !== undefined && name !== "default" ? contextNamed(name) : undefined;
  if (context !== undefined && !sameEngine(context.host, host)) {
    throw failure(
      `Two Docker engines are named: ${from} is ${host}, and DOCKER_CONTEXT=${name} is ${context.host}. Unset DOCKER_CONTEXT`,
    );
  }
}

/**
 * The context whose engine is meant, where the default docker provider does not get there: it knows nothing of a current one, and of
 * one by name neither the certificates nor, for images that are built, the host.
 */
function contextBeyondProvider(): ContextEngine | undefined {
  const config = new pulumi.Config("docker");
  const configured = config.get("context");
  const host = config.get("host") ?? variable("DOCKER_HOST");
  if (configured === undefined && host !== undefined) {
    checkDockerContext(host, config.get("host") === undefined ? "DOCKER_HOST" : "docker:host");
    return undefined;
  }
  const name = configured ?? currentName();
  if (name === undefined) {
    return undefined;
  }
  const context = contextNamed(name);
  checkDockerContext(context.host, "docker:context");
  return sameEngine(context.host, localEngine) ? undefined : context;
}

/** Whether two addresses are one: Docker Desktop's socket has a link at the usual place. */
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

/** Certificates and keys that the docker provider takes as text. */
const materials = ["caMaterial", "certMaterial", "keyMaterial"] as const;

function asText(key: string): Error {
  return failure(
    `${key} would reach Pulumi's docker provider, but not the docker command, which takes no certificates as text. Write ca.pem, ` +
      "cert.pem and key.pem into a folder, and give that as certPath",
  );
}

/**
 * The options of a component that works on a Docker engine. Without a word of the user's it is the engine that the docker command
 * talks to; where that takes a provider of its own, they have one.
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
  const context = contextBeyondProvider();
  if (context === undefined) {
    return opts;
  }
  const engine = new docker.Provider(
    `${name}-engine`,
    {
      host: context.host,
      certPath: context.certPath,
      registryAuth: config.getSecretObject<docker.types.input.ProviderRegistryAuth[]>("registryAuth"),
    },
    { parent },
  );
  return { ...opts, providers: [...Object.values(providers), engine] };
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
        return context === undefined
          ? provider.host.apply((host) => withDockerContext({ host, certPath }))
          : pulumi.output<EngineAddress>(contextNamed(context));
      });
  }
  const config = new pulumi.Config("docker");
  return pulumi.output({ host: config.get("host") ?? variable("DOCKER_HOST"), certPath: config.get("certPath") });
}

/** What the docker provider makes of its settings: DOCKER_CONTEXT has a say too. */
function withDockerContext(engine: EngineAddress): EngineAddress {
  const context = variable("DOCKER_CONTEXT");
  if (engine.host === undefined && context !== undefined) {
    return contextNamed(context);
  }
  checkDockerContext(engine.host ?? localEngine, "the host of the docker provider");
  return engine;
}
