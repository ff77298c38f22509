import { failure } from "../checks/failure";
import { EngineAddress, inspectVolume } from "./engine";

/** Says on a volume which deployment it goes with. */
export const ownerLabel = "container-registry.deployment";

/** Stops where a volume is another deployment's: Docker would hand it over without a word, to be overwritten and deleted. */
export async function checkOwner(engine: EngineAddress, volume: string, deployment: string): Promise<void> {
  const labels = await inspectVolume<Record<string, string> | null>(engine, volume, "{{json .Labels}}");
  if ((labels?.[ownerLabel] ?? deployment) !== deployment) {
    throw failure(
      `The volume ${volume} on this Docker engine is of another registry by that name, of another clone or of a state that is gone. Take ` +
        'that one down where it was made, or give this one another name; see "Another registry by that name" in docs/troubleshooting.md',
    );
  }
}
