import { randomBytes } from "crypto";
import { resource } from "../provider/resource";
import { string } from "../provider/types";
import { Engine } from "./engine";
import { base64 } from "./types";

const at = (id: string): string => `/secrets/${id}`;

export const secret = resource({
  type: "docker:index/secret:Secret",
  inputs: {
    name: { type: string, required: true, replaces: true, unique: true },
    data: { type: base64, required: true, replaces: true, secret: true },
  },
  outputs: {},
  meta: { schema_version: "1" },
  completed(given, { name, before }) {
    if (typeof given.name === "string") {
      return {};
    }
    // A name that was made up stays, until there is a new resource.
    const kept = Array.isArray(before.__defaults) && before.__defaults.includes("name") ? before.name : undefined;
    return { name: kept ?? `${name}-${randomBytes(4).toString("hex").slice(0, 7)}`, __defaults: ["name"] };
  },
  async create({ name, data }, { configuration }: { configuration: Engine }) {
    const body = { Name: name, Data: data };
    const { ID } = await configuration.call<{ ID: string }>("POST", "/secrets/create", { body });
    return { id: ID, outputs: {} };
  },
  async read(id, state, { configuration }) {
    // The engine never tells a secret's content.
    const found = await configuration.find<{ Spec: { Name: string } }>(at(id));
    return found && { ...state, name: found.Spec.Name };
  },
  async delete(id, _, { configuration }) {
    await configuration.remove(at(id));
  },
});
