import { resource } from "../provider/resource";
import { map, object, set, string } from "../provider/types";
import { Engine } from "./engine";
import { removeOnceFree } from "./waiting";

/** The part of an engine's volume that is read. */
interface Volume {
  Name: string;
  Driver: string;
  Mountpoint: string;
  Options: Record<string, string> | null;
  Labels: Record<string, string> | null;
}

const at = (name: string): string => `/volumes/${encodeURIComponent(name)}`;

export const volume = resource({
  type: "docker:index/volume:Volume",
  inputs: {
    name: { type: string, required: true, replaces: true, unique: true },
    driver: { type: string, default: "local", replaces: true },
    driverOpts: { type: map(string), replaces: true },
    labels: {
      type: set(object({ label: { type: string, required: true }, value: { type: string, required: true } })),
      replaces: true,
    },
  },
  outputs: { mountpoint: { type: string } },
  meta: { schema_version: "1" },
  async create({ name, driver, driverOpts = {}, labels = [] }, { configuration }: { configuration: Engine }) {
    // One that is there already is taken over, as the official provider does.
    const own = Object.fromEntries(labels.map(({ label, value }) => [label, value]));
    const body = { Name: name, Driver: driver, DriverOpts: driverOpts, Labels: own };
    const { Mountpoint } = await configuration.call<Volume>("POST", "/volumes/create", { body });
    return { id: name, outputs: { mountpoint: Mountpoint } };
  },
  async read(id, state, { configuration }) {
    const found = await configuration.find<Volume>(at(id));
    return (
      found && {
        ...state,
        name: found.Name,
        driver: found.Driver,
        driverOpts: found.Options ?? {},
        labels: Object.entries(found.Labels ?? {}).map(([label, value]) => ({ label, value })),
        mountpoint: found.Mountpoint,
      }
    );
  },
  async delete(id, _, { configuration, signal }) {
    await removeOnceFree(configuration, at(id), /volume is in use/, signal);
  },
});
