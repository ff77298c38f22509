import * as pulumi from "@pulumi/pulumi";

/** How clients reach the registry on the nodes of a Swarm. */
export const Publish = {
  /** Each node has the registry on a port of its own, without the routing mesh. */
  Host: "host",
  /** By Swarm's routing mesh, which needs IPVS in the kernel of every node. */
  Ingress: "ingress",
} as const;
export type Publish = (typeof Publish)[keyof typeof Publish];

/** What comes first when a task is replaced. */
export const UpdateOrder = {
  /** The old task ends before the new one starts. */
  StopFirst: "stop-first",
  /** The old task ends when the new one is healthy. */
  StartFirst: "start-first",
} as const;
export type UpdateOrder = (typeof UpdateOrder)[keyof typeof UpdateOrder];

/** How a changed configuration, certificate or password gets to the tasks. An update that fails is rolled back by Swarm. */
export interface SwarmUpdate {
  /** Tasks replaced at once, 1 or more. Default: `1`. */
  parallelism?: number;
  /** `stop-first` or `start-first`. Default: `stop-first` where tasks take a port of their node, else `start-first`. */
  order?: UpdateOrder;
  /** Seconds a new task is watched for a failure before the next one is replaced, 1 to 3600. Default: `5`. */
  monitorSeconds?: number;
}

/** How nodes get the bundled image, where it is not loaded on them by `swarm.nodes`; and the login for an image of one's own. */
export interface ImageDistribution {
  /** Repository that the bundled image is pushed to, and that the nodes pull it from: `registry.example.com/tools/registry`. */
  repository?: string;
  /** Login for `repository`, or for the registry that `image` names. Default: none. */
  username?: string;
  /** Password for it. Kept secret. */
  password?: pulumi.Input<string>;
}

/** A Redis on the Swarm in which the registry's tasks share what they know of blobs, so that none asks the store for what another one did. */
export interface Redis {
  /** Image with the command `redis-server`, pinned by digest (`name@sha256:…`), that nodes can pull; with the login of `imageDistribution` where that is for the same registry. */
  image: string;
  /** Password of the Redis, which only the registry's tasks need. Kept secret. Default: a generated one. */
  password?: pulumi.Input<string>;
  /** Memory of its container in MiB, 16 or more; what was not asked for longest gives way. Default: `128`. */
  memory?: number;
}

/** How the registry runs on a Swarm. */
export interface Swarm {
  /** `host` or `ingress`. Default: `host`. */
  publish?: Publish;
  /** Tasks of the registry, 1 or more. Default: one on every node; `1` with `ingress`, and where images are kept on one node. */
  replicas?: number;
  /** Placement constraints of the tasks, as `node.labels.registry == true`. Images on one node need one that names it: `node.hostname == node1`. */
  constraints?: string[];
  /** Names of overlay networks that the tasks join too, e.g. that of an object store. */
  networks?: string[];
  /** Docker hosts of the other nodes (`ssh://user@node2`, `tcp://…`, `unix://…`): the bundled image is loaded on them, and a volume on one of them is managed. */
  nodes?: string[];
  /** How nodes get the image that `nodes` does not lead to. */
  imageDistribution?: ImageDistribution;
  /** A cache that the tasks share. For the bundled server with more than one task. Default: each task has a cache of its own. */
  redis?: Redis;
  /**
   * Every node's engine trusts the registry's CA, by a file in its `/etc/docker/certs.d` that is there as long as the registry is.
   * A task on each node has access to `/etc/docker` for that. For the bundled server. Default: `false`.
   */
  trustNodes?: boolean;
  /** How tasks are replaced. */
  update?: SwarmUpdate;
}

/** What each task of the registry may take from its node. */
export interface SwarmResources {
  /** Memory in MiB, 64 or more. Default: `512`. */
  memory?: number;
  /** Memory in MiB that is set aside for the task, `memory` at most. Default: `64`. */
  reservedMemory?: number;
}
