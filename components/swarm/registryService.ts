import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { givesWay } from "../args/lock";
import { Storage } from "../args/storage";
import { Publish } from "../args/swarm";
import { engineOf } from "../docker/engineChoice";
import { hostEntries } from "../docker/hostEntries";
import { livenessCheck } from "../docker/liveness";
import { SharedVolume } from "../docker/storeTask";
import { dataFolder, proxiedPort } from "../render/configuration";
import { auditName, dataName } from "../render/names";
import { MiB } from "../render/sizes";
import { auditFolder } from "../render/own";
import { isAudited } from "../checks/observation/logs";
import { driverOf } from "../render/driverParameters";
import { RegistryParts } from "../selfHosted/registryParts";
import { identityOf, ServerVolume } from "../selfHosted/serverVolume";
import { TrialPlace, untilStoreAnswers } from "../selfHosted/storeTrial";
import { SwarmSettings } from "./checks";
import { overlayNetworkId } from "./nodes";
import { SwarmImage } from "./swarmImage";
import { addedBySwarm, portOfNode, serviceArgs, swarmSecret } from "./swarmService";
import { isShared, Topology } from "./topology";

type Secret = docker.types.input.ServiceTaskSpecContainerSpecSecret;
type Mount = docker.types.input.ServiceTaskSpecContainerSpecMount;

/** The parts that the registry's service is made with. */
export interface ServiceParts {
  server: RegistryParts;
  image: SwarmImage;
  topology: Topology;
  /** Where images are, if they are on one node. */
  data?: ServerVolume;
  /** The networks that tasks have in common with forwarders and a Redis, and with Prometheus. */
  networks: docker.Network[];
}

/** Makes the service whose tasks are the registry. */
export function createRegistryService(
  name: string,
  settings: SwarmSettings,
  parts: ServiceParts,
  parent: pulumi.ComponentResource,
): docker.Service {
  const { server, image, topology, data, networks } = parts;
  const { swarm, hosts, resources, reservedMemory } = settings;
  const secrets = server.files.map((file) => swarmSecret(`${name}-${file.name}`, file, image.user.id, { parent }));
  const path = untilStoreAnswers(parent, settings, server, () => trialPlace(name, settings, parts, secrets));
  return new docker.Service(
    name,
    serviceArgs(name, swarm, topology, {
      mode: topology.replicas === undefined ? { global: true } : { replicated: { replicas: topology.replicas } },
      container: {
        image: image.reference,
        args: ["serve", path, ...(topology.forwarders ? ["--proxied", `:${proxiedPort}`] : [])],
        env: Object.fromEntries(server.environment.map((each) => each.split("=", 2) as [string, string])),
        hosts: hostEntries(hosts),
        secrets,
        mounts: [...mounts(name, settings.storage, data), ...auditMounts(name, settings)],
        // A foreign image need not have anything to check with.
        ...(settings.image === "bundled" ? { healthcheck: livenessCheck(server.configurationPath) } : {}),
      },
      memory: resources.memory,
      reservedMemory,
      networks: joined(parent, namedNetworks(settings), networks),
      placement: { constraints: [...(swarm.constraints ?? [])] },
      endpoint: endpoint(settings.port, topology),
      auth: image.login,
    }),
    {
      parent,
      dependsOn: data === undefined ? [] : [data],
      // Swarm refuses to change from a number of tasks to one on every node, or back; it accepts another number in place.
      replaceOnChanges: ["mode.global"],
      // A service that is updated in place would want the port while forwarders have it; they go before a service that is replaced.
      replacementTrigger: topology.publish,
      ignoreChanges: addedBySwarm,
      ...givesWay,
    },
  );
}

function trialPlace(
  name: string,
  { storage, swarm, hosts }: SwarmSettings,
  { server, image, topology, data }: ServiceParts,
  secrets: Secret[],
): pulumi.Output<TrialPlace> {
  const files = secrets.map(({ secretName, fileName, fileUid }) =>
    pulumi
      .all([secretName, fileName, fileUid])
      .apply(([secret = "", file, uid = ""]) => ({ secretName: secret, fileName: file, fileUid: uid })),
  );
  const { networks = [], constraints = [] } = swarm;
  const folder = sharedVolume(name, storage);
  const byTask = topology.trial === "task" || folder !== undefined;
  return pulumi
    .all([image.localName, server.configuration, files, data?.handedOver])
    .apply(([imageId, configuration, mounted, handedOver]) => ({
      imageId,
      serviceName: name,
      configuration,
      hosts: hostEntries(hosts),
      folder,
      task: byTask ? { files: mounted, networks, constraints: folder === undefined ? [] : constraints } : undefined,
      ...handedOver,
    }));
}

/** A network that is named twice is joined once. */
function namedNetworks({ swarm, metricsNetwork }: SwarmSettings): string[] {
  return [...new Set([...(swarm.networks ?? []), ...(metricsNetwork === undefined ? [] : [metricsNetwork])])];
}

function joined(
  component: pulumi.ComponentResource,
  named: readonly string[],
  own: readonly docker.Network[],
): { id: pulumi.Input<string> }[] {
  return [
    ...own.map(({ id }) => ({ id })),
    ...named.map((each) => ({ id: engineOf(component).apply((manager) => overlayNetworkId(manager, each)) })),
  ];
}

function mounts(name: string, storage: Storage, data: ServerVolume | undefined): Mount[] {
  return [
    // Not Docker's 1777: the provider reads the mode back without its sticky bit, and `pulumi refresh` would find a change.
    { type: "tmpfs", target: "/tmp", tmpfsOptions: { sizeBytes: 64 * MiB, mode: 0o777 } },
    ...(data?.volumes ?? []).map(({ volumeName, hostPath }) => ({
      type: hostPath === undefined ? "volume" : "bind",
      source: hostPath ?? volumeName,
      target: dataFolder,
    })),
    ...sharedMounts(name, storage),
  ];
}

/** A volume that is the same on all nodes; each node sets it up for itself when the first task comes. */
function sharedVolume(name: string, storage: Storage): SharedVolume | undefined {
  const { filesystem } = storage;
  if (driverOf(storage) !== "filesystem" || filesystem === undefined || !isShared(filesystem)) {
    return undefined;
  }
  const { volume, volumeDriver = "local", volumeOptions } = filesystem;
  // To a driver of its own, a volume may be nothing but its name.
  const own = volumeDriver === "local" ? `${dataName(name)}-${identityOf(storage)}` : dataName(name);
  return { source: volume ?? own, target: dataFolder, driver: volumeDriver, options: volumeOptions };
}

function sharedMounts(name: string, storage: Storage): Mount[] {
  const shared = sharedVolume(name, storage);
  if (shared === undefined) {
    return [];
  }
  const { source, target, driver, options } = shared;
  // The checks recognize a secret by the option's name, which drivers choose freely.
  const driverOptions = options === undefined ? undefined : pulumi.secret(options);
  return [{ type: "volume", source, target, volumeOptions: { driverName: driver, driverOptions } }];
}

/** A volume that each node makes for itself when the first task comes, and keeps. */
function auditMounts(name: string, { logs }: SwarmSettings): Mount[] {
  return isAudited(logs) ? [{ type: "volume", source: auditName(name), target: auditFolder }] : [];
}

/** Never a virtual address for the tasks themselves: it needs IPVS in the kernel, as the routing mesh does. */
function endpoint(port: number, { publish, forwarders }: Topology): docker.types.input.ServiceEndpointSpec {
  if (publish === Publish.Ingress) {
    return { mode: "vip", ports: [{ ...portOfNode(port), publishMode: "ingress" }] };
  }
  return forwarders ? { mode: "dnsrr" } : { mode: "dnsrr", ports: [portOfNode(port)] };
}
