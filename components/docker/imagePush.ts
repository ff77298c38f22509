import * as fs from "fs/promises";
import * as os from "os";
import * as path from "path";
import { dockerCommand, EngineAddress, inspectImage, printedBy } from "./engine";
import { failure } from "../checks/failure";

/** A registry's login; none with an empty name. */
export interface Login {
  username: string;
  password: string;
}

/** Pushes an engine's image under a name with a tag; returns the reference with its digest. */
export async function pushImage(engine: EngineAddress, imageId: string, name: string, login: Login): Promise<string> {
  const repository = name.replace(/:[^:/]*$/, "");
  // A folder of its own: passwords have no place in arguments, and the user's own login stays as it is.
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "container-registry-push-"));
  try {
    if (login.username !== "") {
      const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
      const auths = { [name.split("/")[0] ?? ""]: { auth } };
      await fs.writeFile(path.join(folder, "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
    }
    await dockerCommand(engine, "tag", imageId, name);
    const printed = await dockerCommand(engine, ...(login.username === "" ? [] : ["--config", folder]), "push", name);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(printed)?.[1];
    if (digest === undefined) {
      throw new Error(`no digest in what docker push printed: ${printed}`);
    }
    return `${repository}@${digest}`;
  } catch (error) {
    throw failure(`swarm.imageDistribution.repository: the image could not be pushed to ${repository}: ${printedBy(error)}`);
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

/** The reference that an engine's image got in a repository when it was pushed there; undefined before. */
export async function pushedReference(engine: EngineAddress, imageId: string, repository: string): Promise<string | undefined> {
  const digests = await inspectImage<string[]>(engine, imageId, "{{json .RepoDigests}}");
  return digests?.find((each) => each.startsWith(`${repository}@`));
}
