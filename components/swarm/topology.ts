import { FilesystemStorage, Storage } from "../args/storage";
import { Publish, Swarm, UpdateOrder } from "../args/swarm";
import { driverOf } from "../render/driverParameters";

/** What runs where on a Swarm. */
export interface Topology {
  /** Tasks of the registry; undefined for one on every node that the constraints allow. */
  replicas: number | undefined;
  /** Every node has a forwarder on the port, because the tasks are not on every node. */
  forwarders: boolean;
  publish: Publish;
  /** Images are on one node, with the one task. */
  pinned: boolean;
  /** What the manager tries a remote store with before tasks are switched to it; a file system is tried where tasks may have it. */
  trial?: "container" | "task";
  order: UpdateOrder;
}

/** File systems that all nodes can mount at once. */
const networkFileSystems = ["nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs"];

/** Whether a volume has the same files on every node. For a driver other than Docker's own this is assumed. */
export function isShared({ volumeDriver = "local", volumeOptions = {} }: FilesystemStorage): boolean {
  return volumeDriver !== "local" || networkFileSystems.includes(volumeOptions.type ?? "");
}

export function topologyOf(storage: Storage, swarm: Swarm): Topology {
  const publish = swarm.publish ?? Publish.Host;
  const pinned = driverOf(storage) === "filesystem" && !isShared(storage.filesystem ?? {});
  const replicas = swarm.replicas ?? (pinned || publish === Publish.Ingress ? 1 : undefined);
  return {
    replicas,
    forwarders: publish === Publish.Host && replicas !== undefined,
    publish,
    pinned,
    trial: trialOf(storage, swarm),
    // A port of a node has room for one task at a time.
    order: swarm.update?.order ?? (replicas === undefined ? UpdateOrder.StopFirst : UpdateOrder.StartFirst),
  };
}

/** A container is quicker to try a store with than a task, but has neither the store's CA nor a network of the Swarm. */
function trialOf(storage: Storage, { networks = [] }: Swarm): Topology["trial"] {
  const byTask = storage.caCertificates !== undefined || networks.length > 0;
  return driverOf(storage) === "filesystem" ? undefined : byTask ? "task" : "container";
}

/** A placement constraint: `node.labels.disk != slow`. */
export interface Constraint {
  key: string;
  equal: boolean;
  value: string;
}

const constraintKeys = /^(node\.(id|hostname|role|platform\.(os|arch)|labels\.[\w.-]+)|engine\.labels\.[\w.-]+)$/i;

/** Reads a constraint; undefined when Swarm would not take it. */
export function parseConstraint(text: string): Constraint | undefined {
  const [, key = "", operator, value = ""] = /^\s*([\w.-]+)\s*(==|!=)\s*([\w.:/ -]*[\w.:/-])\s*$/.exec(text) ?? [];
  return constraintKeys.test(key) && value !== "" ? { key, equal: operator === "==", value } : undefined;
}

/** The constraint that names one node. */
export function pinOf(swarm: Swarm): Constraint | undefined {
  return (swarm.constraints ?? [])
    .map(parseConstraint)
    .find((each) => each?.equal === true && /^node\.(id|hostname)$/i.test(each.key));
}
