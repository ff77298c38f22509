import { InputsOf } from "../../provider/types";
import { duration as written, nanoseconds } from "../durations";
import { HealthConfig, healthcheckOf, healthConfig } from "../types";
import { rollout, ServiceInputs, taskFile } from "./serviceInputs";

/** A service, as the part of the Engine API that is used. Times are in nanoseconds. */
export interface ServiceSpec {
  Name: string;
  TaskTemplate: {
    ContainerSpec: {
      Image: string;
      Command?: string[];
      Args?: string[];
      User?: string;
      Env?: string[];
      ReadOnly?: boolean;
      CapabilityDrop?: string[];
      StopGracePeriod?: number;
      /** `IP NAME`. */
      Hosts?: string[];
      Secrets?: SecretReference[];
      Configs?: ConfigReference[];
      Mounts?: Mount[];
      Healthcheck?: HealthConfig;
      Isolation?: string;
      DNSConfig?: object;
    };
    Resources?: { Limits?: { MemoryBytes?: number }; Reservations?: { MemoryBytes?: number } };
    Networks?: { Target: string }[];
    Placement?: { Constraints?: string[] };
    RestartPolicy?: { Condition?: string; Delay?: number; Window?: number };
    LogDriver?: { Name: string; Options?: Record<string, string> };
  };
  Mode: { Global?: object; Replicated?: { Replicas: number } };
  EndpointSpec?: { Mode?: string; Ports?: Port[] };
  UpdateConfig?: Rollout;
  RollbackConfig?: Rollout;
}

interface TaskFile {
  Name: string;
  UID: string;
  GID: string;
  Mode: number;
}

interface SecretReference {
  SecretID: string;
  SecretName: string;
  File: TaskFile;
}

interface ConfigReference {
  ConfigID: string;
  ConfigName: string;
  File: TaskFile;
}

interface Mount {
  Type: string;
  Target: string;
  Source?: string;
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
  VolumeOptions?: { DriverConfig?: { Name?: string; Options?: Record<string, string> } };
}

interface Port {
  TargetPort: number;
  PublishedPort?: number;
  Protocol: string;
  PublishMode: string;
}

interface Rollout {
  Parallelism?: number;
  Delay?: number;
  FailureAction: string;
  Monitor?: number;
  MaxFailureRatio?: number;
  Order: string;
}

/**
 * What `POST /services/create` and `POST /services/ID/update` take. With the empty parts that the official provider sends too: what
 * is missing, the engine adds to a service but not to its tasks, so that the tasks look like ones of an older definition.
 */
export function serviceSpec({ name, taskSpec: task, mode, endpointSpec, ...inputs }: ServiceInputs): ServiceSpec {
  const { containerSpec: container, resources, networksAdvanceds, placement, restartPolicy, logDriver } = task;
  return {
    Name: name,
    TaskTemplate: {
      ContainerSpec: {
        Image: container.image,
        Command: container.commands,
        Args: container.args,
        User: container.user,
        Env: Object.entries(container.env).map(([key, value]) => `${key}=${value}`),
        ReadOnly: container.readOnly,
        CapabilityDrop: container.capDrops,
        StopGracePeriod: nanoseconds(container.stopGracePeriod),
        Hosts: container.hosts?.map(({ host, ip }) => `${ip} ${host}`),
        Secrets: container.secrets.map(({ secretId, secretName, ...file }) => ({
          SecretID: secretId,
          SecretName: secretName,
          File: fileSpec(file),
        })),
        Configs: container.configs.map(({ configId, configName, ...file }) => ({
          ConfigID: configId,
          ConfigName: configName,
          File: fileSpec(file),
        })),
        Mounts: container.mounts.map(({ type, target, source, tmpfsOptions, volumeOptions }) => ({
          Type: type,
          Target: target,
          Source: source,
          TmpfsOptions: tmpfsOptions && { SizeBytes: tmpfsOptions.sizeBytes, Mode: tmpfsOptions.mode },
          VolumeOptions: volumeOptions && {
            DriverConfig: { Name: volumeOptions.driverName, Options: volumeOptions.driverOptions },
          },
        })),
        Healthcheck: container.healthcheck && healthConfig(container.healthcheck),
        Isolation: container.isolation,
        DNSConfig: {},
      },
      Resources: {
        Limits: resources?.limits && { MemoryBytes: resources.limits.memoryBytes },
        Reservations: resources?.reservation && { MemoryBytes: resources.reservation.memoryBytes },
      },
      Networks: networksAdvanceds?.map(({ id }) => ({ Target: id })),
      Placement: { Constraints: placement?.constraints },
      RestartPolicy: restartPolicy && {
        Condition: restartPolicy.condition,
        Delay: nanoseconds(restartPolicy.delay),
        Window: nanoseconds(restartPolicy.window),
      },
      LogDriver: logDriver && { Name: logDriver.name, Options: logDriver.options },
    },
    Mode: mode?.global === true ? { Global: {} } : { Replicated: { Replicas: mode?.replicated?.replicas ?? 1 } },
    EndpointSpec: endpointSpec && {
      Mode: endpointSpec.mode,
      Ports: endpointSpec.ports.map(({ targetPort, publishedPort, protocol, publishMode }) => ({
        TargetPort: targetPort,
        PublishedPort: publishedPort,
        Protocol: protocol,
        PublishMode: publishMode,
      })),
    },
    UpdateConfig: inputs.updateConfig && rolloutSpec(inputs.updateConfig),
    RollbackConfig: inputs.rollbackConfig && rolloutSpec(inputs.rollbackConfig),
  };
}

function fileSpec({ fileName, fileUid, fileGid, fileMode }: InputsOf<typeof taskFile>): TaskFile {
  return { Name: fileName, UID: fileUid, GID: fileGid, Mode: fileMode };
}

function rolloutSpec(given: InputsOf<typeof rollout>): Rollout {
  return {
    Parallelism: given.parallelism,
    Delay: nanoseconds(given.delay),
    FailureAction: given.failureAction,
    Monitor: nanoseconds(given.monitor),
    MaxFailureRatio: Number(given.maxFailureRatio),
    Order: given.order,
  };
}

/** What a service's properties are now; what was never given is not there, though the engine may have filled it in. */
export function serviceProperties(spec: ServiceSpec, given: ServiceInputs): Omit<ServiceInputs, "auth"> {
  const { TaskTemplate: task, Mode: mode, EndpointSpec: endpoint } = spec;
  const { ContainerSpec: container, Resources: resources, Placement: placement, RestartPolicy: restart } = task;
  const { taskSpec: before } = given;
  return {
    name: spec.Name,
    taskSpec: {
      containerSpec: {
        image: container.Image,
        commands: container.Command ?? [],
        args: container.Args ?? [],
        user: container.User ?? "",
        env: Object.fromEntries((container.Env ?? []).map((each) => each.split(/=(.*)/s, 2) as [string, string])),
        readOnly: container.ReadOnly ?? false,
        capDrops: container.CapabilityDrop ?? [],
        stopGracePeriod: written(container.StopGracePeriod ?? 0),
        hosts: container.Hosts?.map((each) => {
          const [ip = "", host = ""] = each.split(" ");
          return { host, ip };
        }),
        secrets: (container.Secrets ?? []).map(({ SecretID, SecretName, File }) => ({
          secretId: SecretID,
          secretName: SecretName,
          ...fileOf(File),
        })),
        configs: (container.Configs ?? []).map(({ ConfigID, ConfigName, File }) => ({
          configId: ConfigID,
          configName: ConfigName,
          ...fileOf(File),
        })),
        mounts: (container.Mounts ?? []).map(({ Type, Target, Source, TmpfsOptions: tmpfs, VolumeOptions: volume }) => ({
          type: Type,
          target: Target,
          source: Source ?? "",
          tmpfsOptions: tmpfs && { sizeBytes: tmpfs.SizeBytes ?? 0, mode: tmpfs.Mode ?? 0 },
          volumeOptions: volume && {
            driverName: volume.DriverConfig?.Name ?? "",
            driverOptions: volume.DriverConfig?.Options ?? {},
          },
        })),
        healthcheck: before.containerSpec.healthcheck && container.Healthcheck && healthcheckOf(container.Healthcheck),
        isolation: container.Isolation === "" ? "default" : (container.Isolation ?? "default"),
      },
      resources: before.resources && {
        limits: resources?.Limits && { memoryBytes: resources.Limits.MemoryBytes ?? 0 },
        reservation: resources?.Reservations && { memoryBytes: resources.Reservations.MemoryBytes ?? 0 },
      },
      networksAdvanceds: task.Networks?.map(({ Target }) => ({ id: Target })),
      placement: before.placement && { constraints: placement?.Constraints ?? [] },
      restartPolicy: before.restartPolicy && {
        condition: restart?.Condition ?? "any",
        delay: written(restart?.Delay ?? 0),
        window: written(restart?.Window ?? 0),
      },
      logDriver: task.LogDriver && { name: task.LogDriver.Name, options: task.LogDriver.Options ?? {} },
    },
    mode: given.mode && {
      global: mode.Global !== undefined,
      replicated: mode.Replicated && { replicas: mode.Replicated.Replicas },
    },
    endpointSpec: given.endpointSpec && {
      mode: endpoint?.Mode ?? "vip",
      ports: (endpoint?.Ports ?? []).map(({ TargetPort, PublishedPort, Protocol, PublishMode }) => ({
        targetPort: TargetPort,
        publishedPort: PublishedPort ?? 0,
        protocol: Protocol,
        publishMode: PublishMode,
      })),
    },
    updateConfig: spec.UpdateConfig && rolloutOf(spec.UpdateConfig),
    rollbackConfig: spec.RollbackConfig && rolloutOf(spec.RollbackConfig),
  };
}

function fileOf({ Name, UID, GID, Mode }: TaskFile): InputsOf<typeof taskFile> {
  return { fileName: Name, fileUid: UID, fileGid: GID, fileMode: Mode };
}

function rolloutOf(found: Rollout): InputsOf<typeof rollout> {
  return {
    parallelism: found.Parallelism ?? 0,
    delay: written(found.Delay ?? 0),
    failureAction: found.FailureAction,
    monitor: written(found.Monitor ?? 0),
    maxFailureRatio: String(found.MaxFailureRatio ?? 0),
    order: found.Order,
  };
}
