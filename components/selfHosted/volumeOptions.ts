import { EngineAddress, inspectVolume } from "../docker/engine";
import { failure } from "../checks/failure";

type Options = Readonly<Record<string, string>>;

/** Stops if an engine has a volume of that name with other options: it would keep those, and the images would be in another place. */
export async function checkVolumeOptions(engine: EngineAddress, volume: string, driver: string, options: Options): Promise<void> {
  const existing = await inspectVolume<Options | null>(engine, volume, "{{json .Options}}");
  // An engine knows the options of a plugin's volume only if it made the volume itself.
  const unknown = existing === undefined || (existing === null && driver !== "local");
  const other = unknown ? [] : differing(existing ?? {}, options);
  if (other.length > 0) {
    // Their names alone: the options of a network share may hold its password.
    throw failure(
      `storage.filesystem.volumeOptions: the volume ${volume} exists with other options (${other.join(", ")}), and Docker keeps those ` +
        "that it made a volume with; leave volumeOptions out to take it as it is, name another volume, or remove this one",
    );
  }
}

/** The names of the options that are not the same in both. */
function differing(some: Options, others: Options): string[] {
  const names = new Set(Object.keys({ ...some, ...others }));
  return [...names].filter((name) => some[name] !== others[name]).sort();
}
