import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { ServerFile } from "../selfHosted/serverFiles";
import { Swarm } from "../args/swarm";
import { containerPort, drainSeconds } from "../render/configuration";
import { Topology } from "./topology";

/** What every service of a registry on a Swarm has in common. */

export const MiB = 1 << 20;

export const confinement = { readOnly: true, capDrops: ["ALL"] };
// The window is the default; without it the provider finds a change in every run.
export const restartPolicy = { condition: "any", delay: "1s", window: "0s" };
export const logDriver = { name: "json-file", options: { "max-size": "10m", "max-file": "3" } };

/** Grace beyond the time that requests get to end, in seconds. */
export const stopSeconds = drainSeconds + 5;

/** The registry's port on a node, without the routing mesh. */
export function portOfNode(port: number): docker.types.input.ServiceEndpointSpecPort {
  return { protocol: "tcp", publishMode: "host", publishedPort: port, targetPort: containerPort };
}

/** Swarm itself adds the platforms of an image that it finds in a registry. */
export const addedBySwarm = ["taskSpec.placement.platforms"];

/** How new tasks take the place of old ones. */
export function rollout(
  { update }: Swarm,
  { order }: Pick<Topology, "order">,
): Pick<docker.ServiceArgs, "updateConfig" | "rollbackConfig"> {
  const common = { parallelism: update?.parallelism ?? 1, order, monitor: `${update?.monitorSeconds ?? 5}s` };
  return {
    updateConfig: { ...common, failureAction: "rollback" },
    rollbackConfig: { ...common, failureAction: "pause" },
  };
}

/**
 * A file for tasks. Swarm's secrets can't be changed: for another content Pulumi makes another secret, moves the service on to it,
 * and deletes the old one at the end. The name is Pulumi's, which is new each time: with a hash of the content instead, the secret of
 * an update that Swarm has rolled back could not be made again when the configuration goes back too.
 */
export function swarmSecret(
  name: string,
  { path, content }: ServerFile,
  user: string,
  opts: pulumi.CustomResourceOptions,
): docker.types.input.ServiceTaskSpecContainerSpecSecret {
  const data = pulumi.secret(content).apply((text) => Buffer.from(text).toString("base64"));
  const secret = new docker.Secret(name, { data }, opts);
  return { secretId: secret.id, secretName: secret.name, fileName: path, fileUid: user, fileGid: user, fileMode: 0o400 };
}
