import { execFileSync } from "child_process";
import * as fs from "fs";
import * as os from "os";
import * as path from "path";

/** Who somebody is to a registry, as the Engine API takes it. */
export interface Login {
  username: string;
  password: string;
  serveraddress: string;
}

/** The part of the docker command's config.json that is read. */
interface DockerConfig {
  auths?: Record<string, { auth?: string }>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

/** Docker Hub, under the name by which logins are kept. */
const hub = "https://index.docker.io/v1/";

/** The registry in an image's name. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}

/** The login that the docker command has stored for a registry. */
export function storedLogin(registry: string): Login | undefined {
  const file = path.join(process.env.DOCKER_CONFIG ?? path.join(os.homedir(), ".docker"), "config.json");
  if (!fs.existsSync(file)) {
    return undefined;
  }
  const config = JSON.parse(fs.readFileSync(file, "utf8")) as DockerConfig;
  const names = /^((index|registry-1)\.)?docker\.io$/.test(registry)
    ? [hub, "docker.io"]
    : [registry, `https://${registry}`, `http://${registry}`];
  for (const name of names) {
    const helper = config.credHelpers?.[name] ?? config.credsStore;
    const found = helper === undefined ? inFile(config, name) : byHelper(helper, name);
    if (found !== undefined) {
      return { ...found, serveraddress: registry };
    }
  }
  return undefined;
}

type Credential = Pick<Login, "username" | "password">;

function inFile({ auths }: DockerConfig, name: string): Credential | undefined {
  const auth = auths?.[name]?.auth;
  if (!auth) {
    return undefined;
  }
  const [username = "", ...password] = Buffer.from(auth, "base64").toString().split(":");
  return { username, password: password.join(":") };
}

/** Asks one of Docker's credential helpers, which fails for what it does not know. */
function byHelper(helper: string, name: string): Credential | undefined {
  try {
    const printed = execFileSync(`docker-credential-${helper}`, ["get"], {
      input: name,
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
    });
    const { Username, Secret } = JSON.parse(printed) as { Username: string; Secret: string };
    return { username: Username, password: Secret };
  } catch {
    return undefined;
  }
}
