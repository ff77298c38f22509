import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { localEngine } from "../docker/engine";
import { noContext } from "../docker/engineChoice";
import { withName } from "../docker/takenNames";
import { dataName } from "../render/names";
import { soleOwner } from "../selfHosted/deployment";
import { ServerImage } from "../selfHosted/serverImage";
import { isForeign, ServerVolume } from "../selfHosted/serverVolume";
import { SwarmSettings } from "./checks";
import { pinnedNode, SwarmNode } from "./nodes";
import { parseConstraint } from "./topology";

/** Makes the volume or folder on the one node that has the images, through that node's engine. */
export function createPinnedVolume(
  name: string,
  lab: boolean,
  { swarm, storage, image }: SwarmSettings,
  nodes: pulumi.Output<SwarmNode[]>,
  deployment: pulumi.Output<string>,
  parent: pulumi.ComponentResource,
): ServerVolume {
  const constraints = (swarm.constraints ?? []).flatMap((each) => parseConstraint(each) ?? []);
  const address = nodes.apply((known) => pinnedNode(known, constraints).engine);
  const data = dataName(name);
  const provider = new docker.Provider(
    `${data}-node`,
    {
      ...noContext,
      host: address.apply(({ host = localEngine }) => host),
      // It may be missing, which the type does not know.
      certPath: address.apply(({ certPath }) => certPath) as pulumi.Output<string>,
    },
    { parent },
  );
  const onNode = { parent, providers: [provider] };
  const unprivileged = image === "bundled";
  // The node may have another ID for the image than the manager.
  const own = unprivileged && isForeign(storage) ? new ServerImage(`${data}-image`, {}, onNode) : undefined;
  const owner = soleOwner(deployment, withName(address, parent, name), [data]);
  const args = { server: name, storage, lab, imageId: own?.imageId ?? "", unprivileged, owner };
  return new ServerVolume(data, args, onNode);
}
