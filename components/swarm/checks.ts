import { TlsMode } from "../args/registry";
import { ImageDistribution, Publish, Swarm, UpdateOrder } from "../args/swarm";
import { pinnedImage, RegistrySettings } from "../checks/registry";
import { wholeNumbers } from "../checks/numbers";
import { Problem, shown } from "../checks/problems";
import { repositoryAddress } from "../checks/repositories";
import { dockerName } from "../checks/storage";
import { parseConstraint, pinOf, topologyOf } from "./topology";

/** Everything that a registry on a Swarm is made from. */
export interface SwarmSettings extends RegistrySettings {
  swarm: Swarm;
  /** Memory that is set aside for a task, in MiB. */
  reservedMemory: number;
}

/** Longest name of a component: Swarm allows 63 characters, and the names of secrets are longer than that of the service. */
const longestName = 36;

export function serviceNameProblems(name: string): Problem[] {
  return name.length <= longestName && /^[a-zA-Z0-9]+([-_]+[a-zA-Z0-9]+)*$/.test(name)
    ? []
    : [
        {
          key: "name",
          message: `${shown(name)} is not allowed as the name of a Swarm's service; use ${longestName} letters, digits and inner - or _ at most`,
        },
      ];
}

function oneOf(key: string, value: string | undefined, allowed: readonly string[]): Problem[] {
  return value === undefined || allowed.includes(value)
    ? []
    : [{ key, message: `${shown(value)} is not allowed; choose ${allowed.join(", ")}` }];
}

/** All that is wrong with how a registry is to run on a Swarm, beside what is wrong with it anywhere. */
export function swarmProblems(settings: SwarmSettings): Problem[] {
  const { swarm, hosts, reservedMemory } = settings;
  const values = [
    ...oneOf("swarm.publish", swarm.publish, Object.values(Publish)),
    ...oneOf("swarm.update.order", swarm.update?.order, Object.values(UpdateOrder)),
    ...wholeNumbers("swarm.", { replicas: swarm.replicas }, 1, 1000),
    ...wholeNumbers("swarm.update.", { parallelism: swarm.update?.parallelism }, 1, 1000),
    ...wholeNumbers("swarm.update.", { monitorSeconds: swarm.update?.monitorSeconds }, 1, 3600),
    ...wholeNumbers("resources.", { reservedMemory }, 6, settings.resources.memory),
    ...constraintProblems(swarm.constraints ?? []),
    ...(swarm.networks ?? []).flatMap((network, index) =>
      dockerName.test(network)
        ? []
        : [{ key: `swarm.networks[${index}]`, message: `${shown(network)} is not allowed; give the name of an overlay network` }],
    ),
    ...nodeProblems(swarm.nodes ?? []),
    ...distributionProblems(settings.image, swarm.imageDistribution ?? {}),
    ...trustProblems(settings),
    ...redisProblems(settings),
    ...Object.entries(hosts)
      .filter(([, ip]) => ip === "host-gateway")
      .map(([host]) => ({
        key: `hosts.${host}`,
        message: '"host-gateway" is not allowed on a Swarm, whose tasks have no one host; give an IP address',
      })),
  ];
  return [...values, ...(values.length > 0 ? [] : relationProblems(settings))];
}

function constraintProblems(constraints: readonly string[]): Problem[] {
  return constraints.flatMap((constraint, index) =>
    parseConstraint(constraint) === undefined
      ? [
          {
            key: `swarm.constraints[${index}]`,
            message:
              `${shown(constraint)} is not allowed; give node.id, node.hostname, node.role, node.platform.os, node.platform.arch, ` +
              "node.labels.<name> or engine.labels.<name>, then == or !=, then a value",
          },
        ]
      : [],
  );
}

function nodeProblems(nodes: readonly string[]): Problem[] {
  return nodes.flatMap((node, index) =>
    /^(ssh|tcp|unix|npipe):\/\/[^\s@]*(@[^\s:@]+(:\d+)?)?$/.test(node) && !/^\w+:\/\/[^@/]*:[^@/]*@/.test(node)
      ? []
      : [
          {
            key: `swarm.nodes[${index}]`,
            // Somebody may have put a password into it.
            message: "is no Docker host; give ssh://user@node, tcp://node:2376 or unix:///path, without a password",
          },
        ],
  );
}

function distributionProblems(image: string, { repository, username, password }: ImageDistribution): Problem[] {
  const problems: Problem[] = [];
  const note = (key: string, message: string): number => problems.push({ key: `swarm.imageDistribution.${key}`, message });
  if (repository !== undefined && image !== "bundled") {
    note("repository", "is for the bundled image, and image names another; remove one of them");
  }
  if (repository !== undefined && !repositoryAddress.test(repository)) {
    note(
      "repository",
      `${shown(repository)} is not allowed; give host[:port]/path without a tag, as registry.example.com/tools/registry`,
    );
  }
  if (username === undefined && password !== undefined) {
    note("username", "is missing; it belongs to swarm.imageDistribution.password");
  }
  if (username !== undefined && password === undefined) {
    note("password", "is missing; it belongs to swarm.imageDistribution.username");
  }
  if (username !== undefined && repository === undefined && image === "bundled") {
    note("username", "is for a registry that the nodes pull from; set swarm.imageDistribution.repository beside it");
  }
  return problems;
}

function trustProblems({ swarm, tls, image }: SwarmSettings): Problem[] {
  if (!swarm.trustNodes) {
    return [];
  }
  const problem = (message: string): Problem => ({ key: "swarm.trustNodes", message });
  return [
    ...(tls.mode === TlsMode.Off ? [problem("is for a certificate, and tls.mode is off; remove one of them")] : []),
    ...(image === "bundled" ? [] : [problem("is done by the bundled server, and image names another; remove one of them")]),
  ];
}

/** Memory of a Redis, in MiB. */
export const defaultRedisMemory = 128;

function redisProblems({ swarm: { redis }, image }: SwarmSettings): Problem[] {
  if (redis === undefined) {
    return [];
  }
  return [
    ...wholeNumbers("swarm.redis.", { memory: redis.memory }, 16, 1 << 20),
    ...(pinnedImage.test(redis.image)
      ? []
      : [
          {
            key: "swarm.redis.image",
            message: `${shown(redis.image)} is not allowed; use a reference pinned by digest: name@sha256:<64 hex digits>`,
          },
        ]),
    ...(image === "bundled"
      ? []
      : [{ key: "swarm.redis", message: "is for the bundled server, and image names another; remove one of them" }]),
  ];
}

/** How the tasks, the way to them and the storage go together. */
function relationProblems({ storage, swarm, image }: SwarmSettings): Problem[] {
  const problems: Problem[] = [];
  const { replicas, forwarders, pinned, order } = topologyOf(storage, swarm);
  if (pinned) {
    const where = storage.filesystem?.hostPath === undefined ? "a volume" : "a folder";
    if (replicas !== 1) {
      problems.push({
        key: "swarm.replicas",
        message:
          `${shown(replicas)} is not allowed with images in ${where} of one node, where only its own task sees them; leave it out, or choose a ` +
          "store that all tasks share: an object store by storage.driver, or a network file system by storage.filesystem.volumeDriver",
      });
    }
    if (pinOf(swarm) === undefined) {
      problems.push({
        key: "swarm.constraints",
        message:
          `none names a node, and images are in ${where} of one: on another node the task would find none of them. Add ` +
          '"node.hostname == <name>" or "node.id == <ID>" (see docker node ls), or choose a store that all nodes share by storage.driver',
      });
    }
  }
  if (!pinned && Object.values(storage.filesystem?.volumeOptions ?? {}).some((option) => /pass(word|wd)?\s*=/i.test(option))) {
    problems.push({
      key: "storage.filesystem.volumeOptions",
      message:
        "has a password, which would stand in the service's definition in clear; make the volume on every node yourself, and give " +
        "its storage.filesystem.volume and volumeDriver only",
    });
  }
  if (forwarders && image !== "bundled") {
    problems.push({
      key: "image",
      message:
        "is one without the forwarder that gives every node the port when the registry runs on some of them only; use bundled, " +
        "or swarm.publish ingress",
    });
  }
  if (swarm.redis !== undefined && replicas === 1) {
    problems.push({
      key: "swarm.redis",
      message: "is for several tasks, and the registry has one, which has its cache at hand; remove it, or run more tasks",
    });
  }
  if (order === UpdateOrder.StartFirst && replicas === undefined) {
    problems.push({
      key: "swarm.update.order",
      message:
        '"start-first" is not allowed where every node has a task on its port: the port is free only when the old task has ended. ' +
        "Leave it out, or set swarm.replicas",
    });
  }
  return problems;
}
