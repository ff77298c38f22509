import * as pulumi from "@pulumi/pulumi";
import { failure } from "../checks/failure";
import { dockerCommand, EngineAddress } from "../docker/engine";
import { Publish } from "../args/swarm";
import { forwarderName } from "../render/names";
import { SwarmSettings } from "./checks";
import { allows, swarmNodes } from "./nodes";
import { parseConstraint, Topology } from "./topology";

/** What a service publishes, as `docker service inspect` prints it. */
interface Published {
  name: string;
  ports: { Protocol: string; PublishMode: string; PublishedPort?: number }[] | null;
}

const published =
  '{"name":{{json .Spec.Name}},"ports":{{if .Spec.EndpointSpec}}{{json .Spec.EndpointSpec.Ports}}{{else}}null{{end}}}';

/**
 * A manager's engine, once no other service has the registry's port on a node that is to have it. Swarm itself refuses a second use of a
 * port in its routing mesh; for a port of a node it silently lets tasks wait.
 */
export function withFreePort(
  engine: pulumi.Output<EngineAddress>,
  name: string,
  { port, swarm }: SwarmSettings,
  { publish, forwarders }: Topology,
): pulumi.Output<EngineAddress> {
  const constraints = forwarders ? [] : (swarm.constraints ?? []);
  return engine.apply(async (manager) => {
    if (publish === Publish.Host) {
      await checkPort(manager, [name, forwarderName(name)], port, constraints);
    }
    return manager;
  });
}

/** Stops if a service that is not one of the registry's own has the port on one of the nodes that the constraints allow. */
export async function checkPort(
  manager: EngineAddress,
  own: readonly string[],
  port: number,
  constraints: readonly string[],
): Promise<void> {
  const others = (await servicesOn(manager, port)).filter((name) => !own.includes(name));
  if (others.length === 0) {
    return;
  }
  const parsed = constraints.flatMap((each) => parseConstraint(each) ?? []);
  const wanted = (await swarmNodes(manager, [])).filter((node) => node.ready && allows(parsed, node));
  for (const other of others) {
    const running = await nodesOf(manager, other);
    const taken = wanted.map(({ hostname }) => hostname).filter((hostname) => running.includes(hostname));
    if (taken.length > 0) {
      throw failure(
        `port: ${port} is another service's of this Swarm, ${other}, on ${taken.join(", ")}; take another port, or take that service away`,
      );
    }
  }
}

/** The services that publish a port on nodes; none if the manager can't be asked, which is reported elsewhere. */
async function servicesOn(manager: EngineAddress, port: number): Promise<string[]> {
  const ids = (await asked(manager, "service", "ls", "--quiet")).split("\n").filter(Boolean);
  const lines = ids.length === 0 ? "" : await asked(manager, "service", "inspect", "--format", published, ...ids);
  const all = lines
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Published);
  const isIt = ({ Protocol, PublishMode, PublishedPort }: NonNullable<Published["ports"]>[number]): boolean =>
    Protocol === "tcp" && PublishMode === "host" && PublishedPort === port;
  return all.filter(({ ports }) => ports?.some(isIt)).map(({ name }) => name);
}

/** The host names of the nodes on which a service runs. */
async function nodesOf(manager: EngineAddress, service: string): Promise<string[]> {
  const filter = ["--filter", "desired-state=running"];
  const lines = await asked(manager, "service", "ps", ...filter, "--format", "{{.Node}} {{.CurrentState}}", service);
  return lines.split("\n").flatMap((line) => /^(\S+) Running/.exec(line)?.[1] ?? []);
}

function asked(manager: EngineAddress, ...words: string[]): Promise<string> {
  return dockerCommand(manager, ...words).catch(() => "");
}
