import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { givesWay } from "../args/lock";
import { UpdateOrder } from "../args/swarm";
import { containerPort, filesFolder, proxiedPort } from "../render/configuration";
import { forwarderName } from "../render/names";
import { SwarmSettings } from "./checks";
import { SwarmImage } from "./swarmImage";
import { addedBySwarm, checkedBy, portOfNode, serviceArgs, swarmSecret } from "./swarmService";

/** The parts that a forwarder is made with. */
export interface ForwarderParts {
  /** The registry's service; and the same service once it is updated. */
  service: docker.Service;
  updated: pulumi.Output<docker.Service>;
  network: docker.Network;
  image: SwarmImage;
  /** The key by which the registry recognizes it. Secret. */
  key: pulumi.Output<string>;
}

/** Makes the service that gives every node the registry's port, wherever the registry's tasks are. */
export function createForwarder(
  name: string,
  { port, swarm }: SwarmSettings,
  { service, updated, network, image, key }: ForwarderParts,
  parent: pulumi.ComponentResource,
): docker.Service {
  const keyFile = { path: `${filesFolder}/forwarder.key`, content: key };
  const forwarder = forwarderName(name);
  return new docker.Service(
    forwarder,
    serviceArgs(
      forwarder,
      swarm,
      { order: UpdateOrder.StopFirst },
      {
        mode: { global: true },
        container: {
          image: image.reference,
          args: [
            ...["forward", "--proxied", `${proxiedPort}`, "--key", keyFile.path],
            ...[`:${containerPort}`, `tasks.${name}:${containerPort}`],
          ],
          secrets: [swarmSecret(`${forwarder}-key`, keyFile, image.user.id, { parent })],
          healthcheck: checkedBy("forward", "--check"),
        },
        memory: 128,
        reservedMemory: 16,
        networks: [{ id: network.id }],
        endpoint: { mode: "dnsrr", ports: [portOfNode(port)] },
        auth: image.login,
      },
    ),
    {
      parent,
      // Without forwarders, the registry's service has the nodes' port itself: whichever of the two gives the port up goes first.
      // Otherwise Pulumi deletes what is no longer in the program only at its end, for which the service's tasks would wait in vain.
      dependsOn: updated,
      replaceWith: [service],
      ...givesWay,
      ignoreChanges: addedBySwarm,
    },
  );
}
