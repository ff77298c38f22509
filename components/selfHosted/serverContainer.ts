import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { givesWay } from "../args/lock";
import { Metrics, Resources } from "../args/registry";
import { containerPort, drainSeconds, filesFolder, metricsPort, storeCaPath } from "../render/configuration";
import { serverMemory } from "../render/sizes";
import { checkAddresses, checkPublished, Publication } from "../docker/addressTrial";
import { engineOf, whenAsked } from "../docker/engineChoice";
import { untilHealthy } from "../docker/health";
import { HostEntry, hostEntries } from "../docker/hostEntries";
import { livenessCheck } from "../docker/liveness";
import { limitProcesses } from "../docker/processLimit";

/** A volume or a folder of the host, and where the server has it. */
export type Mounted = docker.types.input.ContainerVolume & { containerPath: pulumi.Input<string> };

/** How a server runs. */
export interface ServerContainerArgs {
  imageId: pulumi.Input<string>;
  /** The bundled server, which can check its own health. */
  bundled: boolean;
  /** Path of the configuration file, in the container. */
  configurationPath: pulumi.Input<string>;
  /** Name of the volume with the server's files. */
  filesVolume: pulumi.Input<string>;
  /** Where images are kept. */
  volumes: Mounted[];
  environment: string[];
  /** Address and port on the Docker host. */
  bindAddress: string;
  port: number;
  /** Where Prometheus finds the metrics; undefined for none. */
  metrics?: Required<Metrics>;
  hosts: Record<string, string>;
  resources: Required<Resources>;
}

/** `NAME=value` of a server's environment; `ca` is trusted instead of the public CAs. */
export function serverEnvironment(resources: Required<Resources>, ca?: string): string[] {
  return [`GOMEMLIMIT=${serverMemory(resources.memory)}MiB`, ...(ca === undefined ? [] : [`SSL_CERT_FILE=${storeCaPath(ca)}`])];
}

export function serverHosts(hosts: Record<string, string>): HostEntry[] {
  return hostEntries({ "host.docker.internal": "host-gateway", ...hosts });
}

/** Where a container is, and what has to be there first. */
interface Place {
  parent: pulumi.ComponentResource;
  dependsOn: pulumi.Resource[];
}

/** The container of a registry or of a mirror: confined, restarted by the engine, and with its logs bounded. */
export function serverContainer(name: string, args: ServerContainerArgs, opts: Place): docker.Container {
  const ports = published(args);
  const volumes = [{ volumeName: args.filesVolume, containerPath: filesFolder, readOnly: true }, ...args.volumes];
  return new docker.Container(
    name,
    {
      name,
      // Only when the engine is known to be able to give the new addresses: the previous container has to go first.
      image: whenAsked(engineOf(opts.parent), args.imageId, (engine, id) =>
        checkAddresses(engine, name, { id, bundled: args.bundled }, ports),
      ),
      command: ["serve", args.configurationPath],
      // Not `unless-stopped`: when a crashed daemon is back, it ends the containers that it left running, and takes that for a user's stop.
      restart: "always",
      // Requests under way end before the engine kills the server.
      stopTimeout: drainSeconds + 5,
      destroyGraceSeconds: drainSeconds + 5,
      readOnly: true,
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      memory: args.resources.memory,
      memorySwap: args.resources.memory,
      envs: args.environment,
      hosts: serverHosts(args.hosts),
      tmpfs: { "/tmp": "rw,noexec,nosuid,size=64m" },
      // With a foreign image, nothing but Docker itself makes a missing folder.
      ...(args.bundled ? foldersThatAre(volumes) : { volumes }),
      ports,
      networkMode: "bridge",
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      // A foreign image need not have anything to check with.
      ...(args.bundled ? { healthcheck: livenessCheck(args.configurationPath) } : {}),
    },
    { ...opts, ...givesWay },
  );
}

/**
 * Folders of the host have to exist: with `volumes` Docker makes a missing one, such as that of a disk that is not mounted, and an empty
 * registry would take pushes on the wrong disk.
 */
export function foldersThatAre(all: Mounted[]): Pick<docker.ContainerArgs, "mounts" | "volumes"> {
  const folders = all.filter(({ hostPath }) => hostPath !== undefined);
  const volumes = all.filter((each) => !folders.includes(each));
  const mounts = folders.map(({ hostPath, containerPath }) => ({ type: "bind", source: hostPath, target: containerPath }));
  return { ...(volumes.length > 0 ? { volumes } : {}), ...(mounts.length > 0 ? { mounts } : {}) };
}

/** Where the server is on the Docker host. */
function published({ bindAddress, port, metrics }: ServerContainerArgs): (Publication & { internal: number })[] {
  return [
    { internal: containerPort, external: port, ip: bindAddress },
    ...(metrics === undefined ? [] : [{ internal: metricsPort, external: metrics.port, ip: metrics.bindAddress }]),
  ];
}

/** The container's name, once the server in it answers, at its addresses too, and its processes are limited. */
export function nameWhenReady(
  component: pulumi.ComponentResource,
  container: docker.Container,
  { bundled, resources }: Pick<ServerContainerArgs, "bundled" | "resources">,
): pulumi.Output<string> {
  return whenAsked(engineOf(component), container.name, async (engine, name) => {
    // A foreign image need not have anything to check with.
    if (bundled) {
      await untilHealthy(engine, name);
    }
    await checkPublished(engine, name);
    // Last: a server that ends at once can't be limited, and its own words say why it ended.
    await limitProcesses(engine, name, resources.processes);
  });
}
