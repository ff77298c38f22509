import * as fs from "fs/promises";
import * as os from "os";
import * as path from "path";
import { dockerCommand, EngineAddress, inspectImage, printedBy } from "./engine";
import { isHubName, loginKey } from "../checks/dockerHub";
import { failure } from "../checks/failure";

/** A registry's login; none with an empty name. */
export interface Login {
  username: string;
  password: string;
}

/** Pushes an engine's image under a name with a tag; returns the reference with its digest. */
export async function pushImage(engine: EngineAddress, image: string, name: string, login: Login): Promise<string> {
  const repository = name.replace(/:[^:/]*$/, "");
  // A folder of its own: passwords have no place in arguments, and the user's own login stays as it is.
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "container-registry-push-"));
  try {
    if (login.username !== "") {
      const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
      const auths = { [loginKey(hostAndPath(repository)[0])]: { auth } };
      await fs.writeFile(path.join(folder, "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
    }
    await dockerCommand(engine, "tag", image, name);
    const printed = await dockerCommand(engine, ...(login.username === "" ? [] : ["--config", folder]), "push", name);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(printed)?.[1];
    if (digest === undefined) {
      throw new Error(`no digest in what docker push printed: ${printed}`);
    }
    return `${familiarName(repository)}@${digest}`;
  } catch (error) {
    throw failure(`swarm.imageDistribution.repository: the image could not be pushed to ${repository}: ${printedBy(error)}`);
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

/** The reference that an engine's image got in a repository when it was pushed there; undefined before. */
export async function pushedReference(engine: EngineAddress, image: string, repository: string): Promise<string | undefined> {
  const digests = await inspectImage<string[]>(engine, image, "{{json .RepoDigests}}");
  return digests?.find((each) => each.startsWith(`${familiarName(repository)}@`));
}

function hostAndPath(repository: string): [string, string] {
  const slash = repository.indexOf("/");
  return [repository.slice(0, slash), repository.slice(slash + 1)];
}

/**
 * A repository's name as engines and services show it: they leave out Docker Hub's host, and `library/` before a name of one part.
 * Under another name, a service that has not changed would look changed in each preview.
 */
function familiarName(repository: string): string {
  const [host, name] = hostAndPath(repository);
  return isHubName(host) ? name.replace(/^library\/([^/]+)$/, "$1") : repository;
}
