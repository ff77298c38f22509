import * as pulumi from "@pulumi/pulumi";
import { failure } from "../checks/failure";
import { EngineAddress, inspectVolume, localEngine } from "./engine";

/** The label of a volume that says which deployment it belongs to. */
export const ownerLabel = "container-registry.deployment";

/**
 * Stops if a volume belongs to another deployment than the given one: Docker would silently hand it over, to be overwritten and
 * deleted. Returns whether the engine has the volume.
 */
export async function checkOwner(engine: EngineAddress, volume: string, deployment?: string): Promise<boolean> {
  const asked = inspectVolume<Record<string, string> | null>(engine, volume, "{{json .Labels}}");
  // A preview need not reach the engine.
  const labels = await (pulumi.runtime.isDryRun() ? asked.catch(() => undefined) : asked);
  if (deployment !== undefined && (labels?.[ownerLabel] ?? deployment) !== deployment) {
    throw failure(
      `The volume ${volume} on this Docker engine is of another registry by that name, of another clone, of a state that is gone or ` +
        "of another stack (a mirror has the name of its registry with -mirror), or of this component under another parent " +
        "(put it back, run pulumi up, and move it with the option aliases: [{ parent: the one of before }]). Take " +
        'that one down where it was made, or give this one another name; see "Another registry by that name" in docs/troubleshooting.md',
    );
  }
  return labels !== undefined;
}

/**
 * Stops if a volume that Pulumi has made is missing, mostly because this is another engine. Docker would silently make an empty one
 * for the first container that mounts it, when the previous container is already gone.
 */
export async function checkPresence(engine: EngineAddress, volume: string): Promise<void> {
  const asked = inspectVolume<string>(engine, volume, "{{json .Name}}");
  // A preview need not reach the engine.
  const found = await (pulumi.runtime.isDryRun() ? asked.catch(() => volume) : asked);
  if (found === undefined) {
    const host = engine.host ?? localEngine;
    throw failure(
      `The Docker engine ${host} does not have the volume ${volume}. Is it the one that it was made on (DOCKER_HOST, ` +
        "docker context, docker:host)? If it is, make what is gone anew, without the images of its own volume, with: pulumi up --refresh. If the registry is " +
        "to go on here without its images, or with those of a copy, make the volume, with its driver and options where it has some: " +
        `docker --host ${host} volume create ${volume}, and then: pulumi up` +
        // After an `up` the state has the address of this engine.
        (pulumi.runtime.isDryRun()
          ? ""
          : ". After an up without a preview, go back to the other engine and run pulumi up there before anything else: until then a destroy goes to this one"),
    );
  }
}
