import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { lock } from "../args/lock";
import { isAudited } from "../checks/observation/logs";
import { RegistrySettings } from "../checks/registry";
import { auditName } from "../render/names";
import { auditFolder } from "../render/own";
import { Mounted } from "./serverContainer";

/**
 * What the server's container mounts for the audit. Its volume outlives the component, and an `up` that turns the audit off:
 * otherwise anyone who may deploy could remove the record. The next audit of that name goes on in the same volume.
 */
export function auditVolumes(
  name: string,
  { logs }: RegistrySettings,
  lab: boolean,
  opts: pulumi.CustomResourceOptions,
): Mounted[] {
  if (!isAudited(logs)) {
    return [];
  }
  const audit = auditName(name);
  const volume = new docker.Volume(audit, { name: audit }, { ...opts, retainOnDelete: lock(lab), deleteBeforeReplace: true });
  return [{ volumeName: volume.name, containerPath: auditFolder }];
}
