import { TlsMode } from "../args/registry";
import { Storage } from "../args/storage";
import { ImageDistribution, Publish, Swarm, UpdateOrder } from "../args/swarm";
import { dockerName } from "../checks/container";
import { pinnedImageProblems } from "../checks/image";
import { knownNow } from "../checks/inputs";
import { registryProblems, RegistrySettings } from "../checks/registry";
import { Problem, shown } from "../checks/problems";
import { repositoryAddress } from "../checks/repositories";
import { inOneLine, oneOf, texts, together, when, wholeNumbers } from "../checks/rules";
import { parseConstraint, pinOf, topologyOf } from "./topology";

/** Everything that a registry on a Swarm is made from. */
export interface SwarmSettings extends RegistrySettings {
  swarm: Swarm;
  /** The user's network on which Prometheus reaches the tasks. */
  metricsNetwork?: string;
  /** Memory that is set aside for a task, in MiB. */
  reservedMemory: number;
}

/** Longest name of a component: Swarm allows 63 characters, and the names of secrets are longer than that of the service. */
const longestName = 36;

export function serviceNameProblems(name: string): Problem[] {
  return when(
    !(name.length <= longestName && /^[a-zA-Z0-9]+([-_]+[a-zA-Z0-9]+)*$/.test(name)),
    "name",
    `${shown(name)} is not allowed as the name of a Swarm's service; use ${longestName} letters, digits and inner - or _ at most`,
  );
}

/** All that is wrong with the settings. */
export function swarmRegistryProblems(settings: SwarmSettings): Problem[] {
  return [...registryProblems(settings), ...swarmProblems(settings)];
}

/** All that is wrong with how a registry is to run on a Swarm, without what would be wrong anywhere. */
function swarmProblems(settings: SwarmSettings): Problem[] {
  const { swarm, hosts, reservedMemory } = settings;
  const values = [
    ...oneOf("swarm.", { publish: swarm.publish }, Object.values(Publish)),
    ...oneOf("swarm.update.", { order: swarm.update?.order }, Object.values(UpdateOrder)),
    ...wholeNumbers("swarm.", { replicas: swarm.replicas }, 1, 1000),
    ...wholeNumbers("swarm.update.", { parallelism: swarm.update?.parallelism }, 1, 1000),
    ...wholeNumbers("swarm.update.", { monitorSeconds: swarm.update?.monitorSeconds }, 1, 3600),
    ...wholeNumbers("resources.", { reservedMemory }, 6, settings.resources.memory),
    ...constraintProblems(swarm.constraints ?? []),
    ...(swarm.networks ?? []).flatMap((network, index) => networkProblems(`swarm.networks[${index}]`, network)),
    ...(settings.metricsNetwork === undefined ? [] : networkProblems("metrics.network", settings.metricsNetwork)),
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

function networkProblems(key: string, network: string): Problem[] {
  return when(!dockerName.test(network), key, `${shown(network)} is not allowed; give the name of an overlay network`);
}

function constraintProblems(constraints: readonly string[]): Problem[] {
  return constraints.flatMap((constraint, index) =>
    when(
      parseConstraint(constraint) === undefined,
      `swarm.constraints[${index}]`,
      `${shown(constraint)} is not allowed; give node.id, node.hostname, node.role, node.platform.os, node.platform.arch, ` +
        "node.labels.<name> or engine.labels.<name>, then == or !=, then a value",
    ),
  );
}

function nodeProblems(nodes: readonly string[]): Problem[] {
  return nodes.flatMap((node, index) =>
    when(
      !(
        /^(ssh|tcp|unix|npipe):\/\/[^\s@]*(@([^\s:@]+|\[[^\s@\]]+\])(:\d+)?)?$/.test(node) &&
        !/^\w+:\/\/[^@/]*:[^@/]*@/.test(node)
      ),
      `swarm.nodes[${index}]`,
      "not a Docker host; give ssh://user@node, tcp://node:2376 or unix:///path, without a password",
    ),
  );
}

function distributionProblems(image: string, { repository, username, password }: ImageDistribution): Problem[] {
  const at = "swarm.imageDistribution.";
  const bundled = image === "bundled";
  return [
    ...when(
      repository !== undefined && !bundled,
      `${at}repository`,
      "is for the bundled image, and image names another; remove one of them",
    ),
    ...texts(
      at,
      { repository },
      repositoryAddress,
      "host[:port]/path without a tag, as registry.example.com/tools/registry or docker.io/team/registry",
    ),
    ...together(at, { username, password }),
    ...inOneLine(at, { username, password }),
    ...when(
      username !== undefined && repository === undefined && bundled,
      `${at}username`,
      "is for a registry that the nodes pull from; set swarm.imageDistribution.repository beside it",
    ),
  ];
}

function trustProblems({ swarm, tls, image }: SwarmSettings): Problem[] {
  if (!swarm.trustNodes) {
    return [];
  }
  const key = "swarm.trustNodes";
  return [
    ...when(tls.mode === TlsMode.Off, key, "is for a certificate, and tls.mode is off; remove one of them"),
    ...when(image !== "bundled", key, "is done by the bundled server, and image names another; remove one of them"),
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
    ...pinnedImageProblems("swarm.redis.image", redis.image),
    ...redisPasswordProblems(knownNow(redis.password)),
    ...when(image !== "bundled", "swarm.redis", "is for the bundled server, and image names another; remove one of them"),
  ];
}

export function redisPasswordProblems(password: string | undefined): Problem[] {
  return when(password === "", "swarm.redis.password", "is empty; leave it out for a generated one");
}

/** What is wrong with the combination of the tasks, the way to them and the storage. */
function relationProblems(settings: SwarmSettings): Problem[] {
  const { storage, swarm, image } = settings;
  const { replicas, forwarders, pinned, order } = topologyOf(storage, swarm);
  return [
    ...(pinned ? pinnedProblems(settings, replicas) : volumeProblems(storage)),
    ...when(
      forwarders && image !== "bundled",
      "image",
      "is one without the forwarder that gives every node the port when the registry runs on some of them only; use bundled, " +
        "or swarm.publish ingress",
    ),
    ...when(
      swarm.redis !== undefined && replicas === 1,
      "swarm.redis",
      "is for several tasks, and the registry has one, which has its cache at hand; remove it, or run more tasks",
    ),
    ...when(
      swarm.encryptNetworks === true &&
        !(forwarders || swarm.redis !== undefined || (settings.measured && settings.metricsNetwork === undefined)),
      "swarm.encryptNetworks",
      "is for networks made for the registry, and none is: every node has a task of its own, and there is no Redis; remove it",
    ),
    ...when(
      order === UpdateOrder.StartFirst && replicas === undefined,
      "swarm.update.order",
      '"start-first" is not allowed where every node has a task on its port: the port is free only when the old task has ended. ' +
        "Leave it out, or set swarm.replicas",
    ),
  ];
}

/** What is wrong if images are on one node. */
function pinnedProblems({ storage, swarm }: SwarmSettings, replicas: number | undefined): Problem[] {
  const where = storage.filesystem?.hostPath === undefined ? "a volume" : "a folder";
  return [
    ...when(
      replicas !== 1,
      "swarm.replicas",
      `${shown(replicas)} is not allowed with images in ${where} of one node, where only its own task sees them; leave it out, or choose a ` +
        "store that all tasks share: an object store by storage.driver, or a network file system by storage.filesystem.volumeDriver",
    ),
    ...when(
      pinOf(swarm) === undefined,
      "swarm.constraints",
      `none names a node, and images are in ${where} of one: on another node the task would find none of them. Add ` +
        '"node.hostname == <name>" or "node.id == <ID>" (see docker node ls), or choose a store that all nodes share by storage.driver',
    ),
  ];
}

/** The names that drivers give secrets; `pass` only as a word of its own, as in `share_pass`, because `bypass` is not one. */
const secretName = /password|passwd|passphrase|(^|[^a-z])pass\d*$|secret|token|credential|(access|account|api|private)[-_.]?key/i;
/** Options that say where a secret is kept. */
const placeName = /(file|path)$/i;
/** Options within an option's value, such as Ceph's `secret=AQ…`; not `secretfile=` and `credentials=`, which are names of files. */
const secretInValue =
  /(pass(word|wd|phrase)?\d*|secret|token|(secret|access|account|api|private)[-_.]?key)\s*=|\/\/[^/@\s]*:[^/@\s]*@/i;

/** What is wrong with a volume that each node makes for itself. */
function volumeProblems({ filesystem }: Storage): Problem[] {
  const secrets = Object.entries(filesystem?.volumeOptions ?? {})
    .filter(([name, value]) => (secretName.test(name) && !placeName.test(name)) || secretInValue.test(value))
    .map(([name]) => name);
  return when(
    secrets.length > 0,
    "storage.filesystem.volumeOptions",
    `has a password or another secret (${secrets.join(", ")}), which would stand in the service's definition in clear; make the volume ` +
      "on every node yourself, and give its storage.filesystem.volume and volumeDriver only",
  );
}
