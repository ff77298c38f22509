import { execFileSync } from "child_process";
import * as fs from "fs";
import * as path from "path";
import { InputsOf, list, object, problemsOf, string, Values } from "../provider/types";
import { connection, Engine, TlsMaterial } from "./engine";
import { Login } from "./logins";

/** The settings of `pulumi:providers:docker`. Lists come as JSON. */
export const settings = {
  host: { type: string },
  context: { type: string },
  caMaterial: { type: string },
  certMaterial: { type: string, secret: true },
  keyMaterial: { type: string, secret: true },
  certPath: { type: string },
  sshOpts: { type: string },
  registryAuth: { type: string },
} as const;

const lists = {
  sshOpts: { type: list(string) },
  registryAuth: {
    type: list(object({ address: { type: string, required: true }, username: { type: string }, password: { type: string } })),
  },
} as const;

/** The engine that the settings name, or else the environment. */
export function engineOf(given: InputsOf<typeof settings>): Engine {
  const { sshOpts = [], registryAuth = [] } = parsedLists(given);
  const context = given.context ?? process.env.DOCKER_CONTEXT;
  const { host, certPath } = context
    ? contextNamed(context)
    : { host: given.host ?? process.env.DOCKER_HOST, certPath: given.certPath };
  const tls = tlsMaterial(context ? { certPath } : { ...given, certPath: certPath ?? process.env.DOCKER_CERT_PATH });
  const logins = registryAuth.map(({ address, username = "", password = "" }): [string, Login] => {
    const registry = address.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
    return [registry, { username, password, serveraddress: registry }];
  });
  return new Engine(host ?? "unix:///var/run/docker.sock", connection(host, tls, sshOpts), Object.fromEntries(logins));
}

function parsedLists(given: InputsOf<typeof settings>): InputsOf<typeof lists> {
  const parsed: Values = {};
  for (const name of ["sshOpts", "registryAuth"] as const) {
    if (given[name] !== undefined) {
      parsed[name] = JSON.parse(given[name]);
    }
  }
  const problems = problemsOf(lists, parsed, "docker:");
  if (problems.length > 0) {
    throw new Error(problems.join("\n"));
  }
  return parsed;
}

/** Where the engine of a context of the docker command is, and the folder with its certificates. */
function contextNamed(name: string): { host: string; certPath?: string } {
  const [context] = JSON.parse(execFileSync("docker", ["context", "inspect", name], { encoding: "utf8" })) as {
    Endpoints: { docker: { Host: string } };
    TLSMaterial?: { docker?: string[] };
    Storage: { TLSPath: string };
  }[];
  if (context === undefined) {
    throw new Error(`docker:context: there is no context ${JSON.stringify(name)}`);
  }
  const { Endpoints, TLSMaterial, Storage } = context;
  return { host: Endpoints.docker.Host, certPath: TLSMaterial?.docker && path.join(Storage.TLSPath, "docker") };
}

function tlsMaterial(
  given: Pick<InputsOf<typeof settings>, "caMaterial" | "certMaterial" | "keyMaterial" | "certPath">,
): TlsMaterial | undefined {
  const { caMaterial: ca, certMaterial: cert, keyMaterial: key, certPath } = given;
  if (certPath) {
    const read = (file: string): string => fs.readFileSync(path.join(certPath, `${file}.pem`), "utf8");
    return { ca: read("ca"), cert: read("cert"), key: read("key") };
  }
  if (!ca && !cert && !key) {
    return undefined;
  }
  if (!ca || !cert || !key) {
    throw new Error("docker:caMaterial, docker:certMaterial and docker:keyMaterial must be given together");
  }
  return { ca, cert, key };
}
