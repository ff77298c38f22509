import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { containerPort, filesFolder, proxiedPort } from "../render/configuration";
import { SwarmSettings } from "./checks";
import {
  addedBySwarm,
  confinement,
  logDriver,
  MiB,
  portOfNode,
  restartPolicy,
  rollout,
  stopSeconds,
  swarmSecret,
} from "./swarmService";
import { SwarmImage } from "./swarmImage";

/** What a forwarder is made with. */
export interface ForwarderParts {
  network: docker.Network;
  image: SwarmImage;
  /** By which the registry knows it. Secret. */
  key: pulumi.Output<string>;
}

/** Makes the service that gives every node the registry's port, wherever the registry's tasks are. */
export function createForwarder(
  name: string,
  { port, swarm }: SwarmSettings,
  { network, image, key }: ForwarderParts,
  parent: pulumi.ComponentResource,
): docker.Service {
  const keyFile = { path: `${filesFolder}/forwarder.key`, content: key };
  return new docker.Service(
    `${name}-forwarder`,
    {
      name: `${name}-forwarder`,
      mode: { global: true },
      taskSpec: {
        containerSpec: {
          image: image.reference,
          args: [
            ...["forward", "--proxied", `${proxiedPort}`, "--key", keyFile.path],
            ...[`:${containerPort}`, `tasks.${name}:${containerPort}`],
          ],
          ...confinement,
          stopGracePeriod: `${stopSeconds}s`,
          secrets: [swarmSecret(`${name}-forwarder-key`, keyFile, image.user.id, { parent })],
          healthcheck: {
            tests: ["CMD", "/registry", "forward", "--check"],
            interval: "5s",
            timeout: "10s",
            startPeriod: "5s",
            retries: 3,
          },
        },
        resources: { limits: { memoryBytes: 128 * MiB }, reservation: { memoryBytes: 16 * MiB } },
        networksAdvanceds: [{ id: network.id }],
        restartPolicy,
        logDriver,
      },
      endpointSpec: { mode: "dnsrr", ports: [portOfNode(port)] },
      ...rollout(swarm, { order: "stop-first" }),
      auth: image.login,
    },
    { parent, ignoreChanges: addedBySwarm },
  );
}
