import { resource } from "../provider/resource";
import { boolean, string } from "../provider/types";
import { Engine } from "./engine";
import { registryOf } from "./logins";

/** The part of an engine's image that is read. */
interface Image {
  Id: string;
  RepoDigests: string[] | null;
}

/** What the engine has under an image's name or ID. */
const findImage = (engine: Engine, name: string): Promise<Image | undefined> => engine.find<Image>(`/images/${name}/json`);

/** An image by its name or ID, pulled if the engine does not have it. */
export const presentImage = async (engine: Engine, name: string): Promise<Image> =>
  (await findImage(engine, name)) ?? (await pulled(engine, name));

/** Pulls an image that the engine does not have. */
async function pulled(engine: Engine, name: string): Promise<Image> {
  const query = { fromImage: /[:@][^/]*$/.test(name) ? name : `${name}:latest` };
  await engine.follow("/images/create", { query, login: engine.login(registryOf(name)) });
  const found = await findImage(engine, name);
  if (found === undefined) {
    throw new Error(`The image ${name} was pulled and is not there`);
  }
  return found;
}

function outputsOf(name: string, { Id, RepoDigests }: Image): { imageId: string; repoDigest: string } {
  const repository = name.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
  const digest = RepoDigests?.find((each) => each === name) ?? RepoDigests?.find((each) => each.startsWith(`${repository}@`));
  return { imageId: Id, repoDigest: digest ?? "" };
}

export const remoteImage = resource({
  type: "docker:index/remoteImage:RemoteImage",
  inputs: {
    name: { type: string, required: true, replaces: true },
    keepLocally: { type: boolean, default: false },
    forceRemove: { type: boolean, default: false },
  },
  outputs: { imageId: { type: string }, repoDigest: { type: string } },
  async create({ name }, { configuration }: { configuration: Engine }) {
    const found = await presentImage(configuration, name);
    // The official provider's ID: an image may have many names.
    return { id: found.Id + name, outputs: outputsOf(name, found) };
  },
  async read(_, state, { configuration }) {
    const found = await findImage(configuration, state.name);
    return found && { ...state, ...outputsOf(state.name, found) };
  },
  async update(_, __, { name }, { configuration }) {
    return outputsOf(name, await presentImage(configuration, name));
  },
  async delete(_, { name, keepLocally, forceRemove }, { configuration }) {
    if (!keepLocally) {
      await configuration.remove(`/images/${name}`, { query: { force: forceRemove } });
    }
  },
});
