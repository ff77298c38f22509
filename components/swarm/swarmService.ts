import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { EngineAddress } from "../docker/engine";
import { whenAsked } from "../docker/engineChoice";
import { untilUpdated } from "./rollout";
import { ServerFile } from "../selfHosted/serverFiles";
import { goes } from "../args/lock";
import { Swarm } from "../args/swarm";
import { containerPort, drainSeconds } from "../render/configuration";
import { MiB } from "../render/sizes";
import { Topology } from "./topology";

/** The time that requests get to finish, and some grace, in seconds. */
const stopSeconds = drainSeconds + 5;

/** The registry's port on a node, without the routing mesh. */
export function portOfNode(port: number): docker.types.input.ServiceEndpointSpecPort {
  return { protocol: "tcp", publishMode: "host", publishedPort: port, targetPort: containerPort };
}

/** Swarm itself adds the platforms of an image that it finds in a registry. */
export const addedBySwarm = ["taskSpec.placement.platforms"];

type ContainerSpec = docker.types.input.ServiceTaskSpecContainerSpec;
type TaskSpec = docker.types.input.ServiceTaskSpec;

/** The parts in which one service differs from others. */
export interface OwnParts {
  mode: docker.types.input.ServiceMode;
  container: ContainerSpec;
  /** Memory of a task in MiB: its limit, and what Swarm reserves. */
  memory: number;
  reservedMemory: number;
  networks?: TaskSpec["networksAdvanceds"];
  placement?: TaskSpec["placement"];
  /** Default: no virtual address, and no port of a node. */
  endpoint?: docker.types.input.ServiceEndpointSpec;
  /** Login for the image. */
  auth?: docker.types.input.ServiceAuth;
}

/** A service as all of a registry's are: confined, restarted, with bounded logs, and rolled back when it fails. */
export function serviceArgs(
  name: string,
  { update }: Swarm,
  { order }: Pick<Topology, "order">,
  { mode, container, memory, reservedMemory, networks, placement, endpoint = { mode: "dnsrr" }, auth }: OwnParts,
): docker.ServiceArgs {
  const rollout = { parallelism: update?.parallelism ?? 1, order, monitor: `${update?.monitorSeconds ?? 5}s` };
  return {
    name,
    mode,
    taskSpec: {
      containerSpec: { readOnly: true, capDrops: ["ALL"], stopGracePeriod: `${stopSeconds}s`, ...container },
      resources: { limits: { memoryBytes: memory * MiB }, reservation: { memoryBytes: reservedMemory * MiB } },
      networksAdvanceds: networks,
      placement,
      // The window is the default; without it the provider finds a change in every run.
      restartPolicy: { condition: "any", delay: "1s", window: "0s" },
      logDriver: { name: "json-file", options: { "max-size": "10m", "max-file": "3" } },
    },
    endpointSpec: endpoint,
    updateConfig: { ...rollout, failureAction: "rollback" },
    rollbackConfig: { ...rollout, failureAction: "pause" },
    auth,
  };
}

/** Makes Swarm check the health of a task with a command of the bundled server. */
export function checkedBy(...command: string[]): ContainerSpec["healthcheck"] {
  return { tests: ["CMD", "/registry", ...command], interval: "5s", timeout: "10s", startPeriod: "5s", retries: 3 };
}

/**
 * A service, once an update of it is done. Resources that rely on its new tasks depend on that: Swarm may roll the update back, and the
 * previous tasks want everything else as it was. As an input, it would make others be replaced with the service.
 */
export function whenUpdated(engine: pulumi.Output<EngineAddress>, service: docker.Service): pulumi.Output<docker.Service> {
  return whenAsked(engine, service.name, untilUpdated).apply(() => service);
}

/**
 * A file for tasks. Swarm's secrets can't be changed: for another content Pulumi makes another secret, moves the service on to it,
 * and deletes the old one at the end. Pulumi chooses the name, which is new each time: with a hash of the content in it instead, the
 * secret of an update that Swarm has rolled back could not be made again when the configuration goes back too.
 */
export function swarmSecret(
  name: string,
  { path, content }: ServerFile,
  user: string,
  opts: pulumi.CustomResourceOptions,
): docker.types.input.ServiceTaskSpecContainerSpecSecret {
  const data = pulumi.secret(content).apply((text) => Buffer.from(text).toString("base64"));
  const secret = new docker.Secret(name, { data }, { ...opts, ...goes });
  return { secretId: secret.id, secretName: secret.name, fileName: path, fileUid: user, fileGid: user, fileMode: 0o400 };
}
