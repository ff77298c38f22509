import { resource } from "../provider/resource";
import { boolean, map, string } from "../provider/types";
import { Engine } from "./engine";
import { removeOnceFree } from "./waiting";

/** The part of an engine's network that is read. */
interface NetworkFound {
  Name: string;
  Driver: string;
  Scope: string;
  Attachable: boolean;
  Options: Record<string, string> | null;
  IPAM: { Driver: string };
}

const factsOf = ({ Scope, Options }: NetworkFound): { scope: string; options: Record<string, string> } => ({
  scope: Scope,
  options: Options ?? {},
});

const at = (id: string): string => `/networks/${id}`;

export const network = resource({
  type: "docker:index/network:Network",
  inputs: {
    name: { type: string, required: true, replaces: true, unique: true },
    driver: { type: string, default: "bridge", replaces: true },
    attachable: { type: boolean, replaces: true },
    options: { type: map(string), replaces: true },
    ipamDriver: { type: string, default: "default", replaces: true },
  },
  outputs: { scope: { type: string }, options: { type: map(string) } },
  meta: { schema_version: "1" },
  async create({ name, driver, attachable, options, ipamDriver }, { configuration }: { configuration: Engine }) {
    const body = { Name: name, Driver: driver, Attachable: attachable ?? false, Options: options, IPAM: { Driver: ipamDriver } };
    const { Id } = await configuration.call<{ Id: string }>("POST", "/networks/create", { body });
    return { id: Id, outputs: factsOf(await configuration.call<NetworkFound>("GET", at(Id))) };
  },
  async read(id, state, { configuration }) {
    const found = await configuration.find<NetworkFound>(at(id));
    return (
      found && {
        ...state,
        name: found.Name,
        driver: found.Driver,
        ...(found.Attachable ? { attachable: true } : {}),
        ipamDriver: found.IPAM.Driver || "default",
        ...factsOf(found),
      }
    );
  },
  async delete(id, _, { configuration, signal }) {
    await removeOnceFree(configuration, at(id), /has active endpoints|in use by/, signal);
  },
});
