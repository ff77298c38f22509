import { createHash } from "crypto";
import { resource, Resource } from "../../provider/resource";
import { string, Values } from "../../provider/types";
import { Engine } from "../engine";
import { base64 } from "../types";

/** A file that a Swarm keeps for its tasks, as a secret or as a config: the two differ in who may see what is in it. */
function swarmFile(type: string, collection: string, secret: boolean, meta?: Values): Resource<Engine> {
  const at = (id: string): string => `/${collection}/${id}`;
  return resource({
    type,
    inputs: {
      name: { type: string, required: true, replaces: true, unique: true },
      data: { type: base64, required: true, replaces: true, secret },
    },
    outputs: {},
    meta,
    completed(given, { name, before, seed }) {
      if (typeof given.name === "string") {
        return {};
      }
      // A name that was made up stays, until there is a new resource.
      const kept = Array.isArray(before.__defaults) && before.__defaults.includes("name") ? before.name : undefined;
      const made = createHash("sha256").update(seed).digest("hex").slice(0, 7);
      return { name: kept ?? `${name}-${made}`, __defaults: ["name"] };
    },
    async create({ name, data }, { configuration }: { configuration: Engine }) {
      const body = { Name: name, Data: data };
      const { ID } = await configuration.call<{ ID: string }>("POST", `/${collection}/create`, { body });
      return { id: ID, outputs: {} };
    },
    async read(id, state, { configuration }) {
      // The engine never tells a secret's content, and nobody can change that of a config.
      const found = await configuration.find<{ Spec: { Name: string } }>(at(id));
      return found && { ...state, name: found.Spec.Name };
    },
    async delete(id, _, { configuration }) {
      await configuration.remove(at(id));
    },
  });
}

export const secret = swarmFile("docker:index/secret:Secret", "secrets", true, { schema_version: "1" });
export const serviceConfig = swarmFile("docker:index/serviceConfig:ServiceConfig", "configs", false);
