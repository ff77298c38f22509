import * as pulumi from "@pulumi/pulumi";

/** How clients reach the registry on the nodes of a Swarm. */
export const Publish = {
  /** Each node has the registry on a port of its own, without the routing mesh. */
  Host: "host",
  /** Through Swarm's routing mesh, which needs IPVS in the kernel of every node. */
  Ingress: "ingress",
} as const;
export type Publish = (typeof Publish)[keyof typeof Publish];

/** Whether the old or the new task comes first in an update. */
export const UpdateOrder = {
  /** The old task ends before the new one starts. */
  StopFirst: "stop-first",
  /** The old task ends when the new one is healthy. */
  StartFirst: "start-first",
} as const;
export type UpdateOrder = (typeof UpdateOrder)[keyof typeof UpdateOrder];

/** How a changed configuration, certificate or password is rolled out. Swarm rolls back an update that fails. */
export interface SwarmUpdate {
  /** Tasks replaced at once, 1 or more. Default: `1`. */
  parallelism?: number;
  /** Whether the old or the new task comes first. Default: `stop-first` where tasks take a port of their node, otherwise `start-first`. */
  order?: UpdateOrder;
  /** Seconds for which a new task is watched before the next one is replaced, 1 to 3600. Default: `5`. */
  monitorSeconds?: number;
}

/** How nodes that are not in `swarm.nodes` get the server's image, and the login for that. */
export interface ImageDistribution {
  /** Repository to which `up` pushes the bundled image, and from which the nodes pull it: `registry.example.com/tools/registry`. Default: none. */
  repository?: string;
  /** Login for `repository`, or for the registry that `image` names. Default: none. */
  username?: string;
  /** Password for it. Kept secret. */
  password?: pulumi.Input<string>;
}

/** A Redis on the Swarm in which the registry's tasks share their cache of blob descriptors. */
export interface Redis {
  /** Image with the command `redis-server`, pinned by digest (`name@sha256:…`), which nodes can pull. The login of `imageDistribution` is used if it is for the same registry. */
  image: string;
  /** Password of the Redis, which only the registry's tasks need. Kept secret. Default: a generated one. */
  password?: pulumi.Input<string>;
  /** Memory of its container in MiB, 16 or more. The least recently used entries are dropped. Default: `128`. */
  memory?: number;
}

/** How the registry runs on a Swarm. */
export interface Swarm {
  /** How clients reach the registry on the nodes. Default: `host`. */
  publish?: Publish;
  /** Tasks of the registry, 1 or more. Default: one on every node; `1` with `ingress`, and where images are kept on one node. */
  replicas?: number;
  /** Placement constraints of the tasks, such as `node.labels.registry == true`. Required where images are on one node, to name it: `node.hostname == node1`. Default: none. */
  constraints?: string[];
  /** Overlay networks that the tasks join, e.g. that of an object store. Default: none. */
  networks?: string[];
  /**
   * Encrypts the traffic between nodes on the overlay networks that are made for the registry, with IPsec: every node's kernel needs
   * ESP, and nodes have to let IP protocol 50 through to each other. A change replaces the services. Default: `false`.
   */
  encryptNetworks?: boolean;
  /** Docker hosts of the other nodes (`ssh://user@node2`, `tcp://…`, `unix://…`): the bundled image is loaded on them, and a volume on one of them is managed. */
  nodes?: string[];
  /** How nodes that are not in `nodes` get the image. Default: the image is loaded on `nodes` only. */
  imageDistribution?: ImageDistribution;
  /** A cache that the tasks share. Requires the bundled server and more than one task. Default: each task has a cache of its own. */
  redis?: Redis;
  /**
   * Makes every node's engine trust the registry's CA, through a file in `/etc/docker/certs.d` that is removed with the registry.
   * For this, a task on each node can write to `/etc/docker`. Requires the bundled server. Default: `false`.
   */
  trustNodes?: boolean;
  /** How tasks are replaced. */
  update?: SwarmUpdate;
}

/** Metrics of the tasks for Prometheus, on an overlay network and never on a port of a node. */
export interface SwarmMetrics {
  /** Overlay network on which Prometheus reaches the tasks. Default: one that is made for it, `<name>-metrics`, and that containers can join. */
  network?: string;
}

/** Resources of each of the registry's tasks. */
export interface SwarmResources {
  /** Memory in MiB, 64 or more. Default: `512`. */
  memory?: number;
  /** Memory in MiB that Swarm reserves for each task, `memory` at most. Default: `64`. */
  reservedMemory?: number;
}
