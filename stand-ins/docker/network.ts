import { resource } from "../provider/resource";
import { string } from "../provider/types";
import { Engine } from "./engine";
import { removeOnceFree } from "./waiting";

const at = (id: string): string => `/networks/${id}`;

export const network = resource({
  type: "docker:index/network:Network",
  inputs: {
    name: { type: string, required: true, replaces: true, unique: true },
    driver: { type: string, default: "bridge", replaces: true },
    ipamDriver: { type: string, default: "default", replaces: true },
  },
  outputs: { scope: { type: string } },
  meta: { schema_version: "1" },
  async create({ name, driver, ipamDriver }, { configuration }: { configuration: Engine }) {
    const body = { Name: name, Driver: driver, IPAM: { Driver: ipamDriver } };
    const { Id } = await configuration.call<{ Id: string }>("POST", "/networks/create", { body });
    return { id: Id, outputs: { scope: (await configuration.call<{ Scope: string }>("GET", at(Id))).Scope } };
  },
  async read(id, state, { configuration }) {
    const found = await configuration.find<{ Name: string; Driver: string; Scope: string; IPAM: { Driver: string } }>(at(id));
    return (
      found && {
        ...state,
        name: found.Name,
        driver: found.Driver,
        ipamDriver: found.IPAM.Driver || "default",
        scope: found.Scope,
      }
    );
  },
  async delete(id, _, { configuration, signal }) {
    await removeOnceFree(configuration, at(id), /has active endpoints|in use by/, signal);
  },
});
