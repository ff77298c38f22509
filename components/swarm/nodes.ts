import * as pulumi from "@pulumi/pulumi";
import { dockerCommand, EngineAddress, printedBy } from "../docker/engine";
import { failure } from "../checks/failure";
import { Constraint, Topology } from "./topology";

/** A node of the Swarm, and the way to its engine if there is one. */
export interface SwarmNode {
  id: string;
  hostname: string;
  /** It runs, and takes tasks. */
  ready: boolean;
  /** The values that constraints compare, by key in lower case. */
  facts: Record<string, string>;
  engine?: EngineAddress;
  /** Docker hosts that gave no answer. Where the node has no other, one of them may be its own. */
  silent?: readonly string[];
}

/** Swarm takes a node for ready for some seconds after it has gone down. */
export const onceItIsDown = 'Where a node has just gone down, wait until "docker node ls" has it as Down, and run: pulumi up';

/** The part of `docker node inspect` that is read. */
interface InspectedNode {
  ID: string;
  Spec: { Role: string; Availability: string; Labels?: Record<string, string> };
  Description: {
    Hostname: string;
    Platform?: { OS?: string; Architecture?: string };
    Engine?: { Labels?: Record<string, string> };
  };
  Status: { State: string };
}

/** The nodes as the Swarm's manager knows them; a node that one of the addresses leads to has that address. */
export async function swarmNodes(manager: EngineAddress, hosts: readonly string[]): Promise<SwarmNode[]> {
  const ids = (await asked(manager, "node", "ls", "--quiet")).split("\n").filter(Boolean);
  const inspected = JSON.parse(await asked(manager, "node", "inspect", ...ids)) as InspectedNode[];
  const engines = new Map<string, EngineAddress>();
  const silent: string[] = [];
  await Promise.all(
    hosts.map(async (host) => {
      // The files for TLS to the manager are also for the other nodes. By convention 2375 is the port without TLS.
      const engine = /^tcp:(?!.*:2375\/?$)/.test(host) ? { ...manager, host } : { host, certPath: "" };
      try {
        engines.set(await nodeId(engine), engine);
      } catch (error) {
        silent.push(host);
        await pulumi.log.warn(`swarm.nodes: the Docker host ${host} gives no answer: ${printedBy(error)}`);
      }
    }),
  );
  // The provider's own way to the manager comes first.
  engines.set(await nodeId(manager), manager);
  return inspected.map((node) => ({ ...nodeOf(node), engine: engines.get(node.ID), silent }));
}

function nodeOf({ ID, Spec, Description, Status }: InspectedNode): SwarmNode {
  const labels = (prefix: string, all: Record<string, string> = {}): [string, string][] =>
    Object.entries(all).map(([label, value]) => [`${prefix}.labels.${label}`.toLowerCase(), value]);
  return {
    id: ID,
    hostname: Description.Hostname,
    ready: Status.State === "ready" && Spec.Availability === "active",
    facts: {
      "node.id": ID,
      "node.hostname": Description.Hostname,
      "node.role": Spec.Role,
      "node.platform.os": Description.Platform?.OS ?? "",
      "node.platform.arch": Description.Platform?.Architecture ?? "",
      ...Object.fromEntries([...labels("node", Spec.Labels), ...labels("engine", Description.Engine?.Labels)]),
    },
  };
}

function nodeId(engine: EngineAddress): Promise<string> {
  return dockerCommand(engine, "info", "--format", "{{.Swarm.NodeID}}");
}

async function asked(manager: EngineAddress, ...words: string[]): Promise<string> {
  try {
    return await dockerCommand(manager, ...words);
  } catch (error) {
    throw failure(
      `target "swarm" needs a Docker engine that is a manager of a Swarm (docker swarm init; another one by docker:host): ${printedBy(error)}`,
    );
  }
}

/** Whether a task with these constraints may run on a node; values are compared as Swarm does, without regard to capitals. */
export function allows(constraints: readonly Constraint[], node: SwarmNode): boolean {
  return constraints.every(
    ({ key, equal, value }) => ((node.facts[key.toLowerCase()] ?? "").toLowerCase() === value.toLowerCase()) === equal,
  );
}

/** Stops if a task would wait for an image that its node can't get: an address must lead to every running node that will have tasks. */
export function checkReach(nodes: readonly SwarmNode[]): void {
  const lacking = nodes.filter(({ ready, engine }) => ready && engine === undefined);
  const [first] = lacking;
  if (first !== undefined) {
    const { silent = [] } = first;
    throw failure(
      "image: these nodes of the Swarm need the bundled image, and no Docker host in swarm.nodes that answers leads to them: " +
        `${lacking.map(({ hostname }) => hostname).join(", ")}. ` +
        (silent.length > 0 ? `No answer came from ${silent.join(", ")}. ${onceItIsDown}. Otherwise add` : "Add") +
        " their Docker hosts (ssh://user@node), or have the image pushed where they can pull it (swarm.imageDistribution.repository)",
    );
  }
}

/**
 * The one processor that the bundled image is built for, which all nodes that run it must have: those that take its tasks, and the
 * manager if that tries the store. Undefined if none is known.
 */
export function processorFor(
  nodes: readonly SwarmNode[],
  constraints: readonly Constraint[],
  manager: EngineAddress,
  trial: Topology["trial"],
): string | undefined {
  const tries = ({ engine, ready }: SwarmNode): boolean =>
    engine !== undefined && engine.host === manager.host && (trial === "container" || (trial === "task" && ready));
  const running = nodes.filter((node) => tries(node) || (node.ready && allows(constraints, node)));
  const processor = ({ facts }: SwarmNode): string | undefined => facts["node.platform.arch"];
  const [first, ...others] = new Set(running.map(processor));
  if (others.length > 0) {
    throw failure(
      "image: the bundled image is for one kind of processor, and the nodes that need it have several: " +
        `${running.map((node) => `${node.hostname} (${processor(node)})`).join(", ")}. Name an image for all of them (image), or keep ` +
        "the registry to nodes of one kind (swarm.constraints: node.platform.arch == …), which is the manager's where that tries " +
        "the store, without forwarders (swarm.publish ingress)",
    );
  }
  return first === "" ? undefined : first;
}

/** The node that images are kept on, with the way to it. */
export function pinnedNode(
  nodes: readonly SwarmNode[],
  constraints: readonly Constraint[],
): SwarmNode & { engine: EngineAddress } {
  const [node, ...others] = nodes.filter((each) => allows(constraints, each));
  if (node === undefined || others.length > 0) {
    // A node that left the Swarm and joined it again is another node of the same name.
    throw failure(
      `swarm.constraints: ${node === undefined ? "no node fits" : "more than one node fits"}, and images are on one; the nodes are ` +
        nodes.map(described).join(", ") +
        (node === undefined ? "" : ". Name it by its ID (node.id == …), or remove one that will not come back (docker node rm)"),
    );
  }
  if (node.engine === undefined) {
    throw failure(
      `swarm.nodes: images are to be kept on ${described(node)}, and no Docker host that answers leads to it; ` +
        `add one (ssh://user@${node.hostname}), or bring the node back`,
    );
  }
  return { ...node, engine: node.engine };
}

function described({ hostname, id, ready }: SwarmNode): string {
  return `${hostname} (${id}${ready ? "" : ", down, drained or paused"})`;
}

/** The ID of an overlay network. The provider's own function for it fails without a word on what to do. */
export async function overlayNetworkId(manager: EngineAddress, name: string): Promise<string> {
  const [id = "", driver = ""] = await dockerCommand(manager, "network", "inspect", "--format", "{{.ID}} {{.Driver}}", name).then(
    (printed) => printed.split(" "),
    () => [],
  );
  if (driver !== "overlay") {
    throw failure(
      `swarm.networks: the Swarm has no overlay network ${name}; make it with docker network create --driver overlay ${name}`,
    );
  }
  return id;
}
