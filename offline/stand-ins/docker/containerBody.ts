import { boolean, InputsOf, integer, list, map, object, oneOf, OutputsOf, set, simple, string } from "../provider/types";
import { duration as written, nanoseconds } from "./durations";
import { mount, MountBody, mountBody, mountOf } from "./mounts";
import { duration, HealthConfig, healthcheck, healthcheckOf, healthConfig, maybe, only } from "./types";

/* A container's properties, as a table, as the Engine API takes them, and as it tells them. */

const fixed = { replaces: true } as const;
const MiB = 1 << 20;

const volume = {
  containerPath: { type: string, required: true },
  hostPath: { type: string, default: "" },
  volumeName: { type: string, default: "" },
  readOnly: { type: boolean, default: false },
} as const;

const port = {
  internal: { type: integer, required: true },
  external: { type: integer, default: 0 },
  ip: { type: string, default: "0.0.0.0" },
  protocol: { type: string, default: "tcp" },
} as const;

const permissions = simple<string>("file permissions such as 0644", (value) => value === "" || /^0[0-7]{3}$/.test(String(value)));

const upload = {
  file: { type: string, required: true },
  content: { type: string, required: true },
  permissions: { type: permissions, default: "" },
  executable: { type: boolean, default: false },
} as const;

const ulimit = {
  name: { type: string, required: true },
  soft: { type: integer, required: true },
  hard: { type: integer, required: true },
} as const;

const containerHealthcheck = { ...healthcheck, startInterval: { type: duration, default: "0s" } } as const;

export const containerInputs = {
  name: { type: string, required: true, unique: true, ...fixed },
  image: { type: string, required: true, ...fixed },
  command: { type: list(string), default: [], ...fixed },
  envs: { type: set(string), default: [], ...fixed },
  user: { type: string, ...fixed },
  readOnly: { type: boolean, default: false, ...fixed },
  capabilities: {
    type: object({ adds: { type: set(string), default: [] }, drops: { type: set(string), default: [] } }),
    ...fixed,
  },
  securityOpts: { type: set(string), default: [], ...fixed },
  ulimits: { type: set(object(ulimit)), ...fixed },
  hosts: { type: set(object({ host: { type: string, required: true }, ip: { type: string, required: true } })), ...fixed },
  tmpfs: { type: map(string) },
  volumes: { type: set(object(volume)), ...fixed },
  mounts: { type: set(mount), ...fixed },
  uploads: { type: set(object(upload)), ...fixed },
  ports: { type: list(object(port)), ...fixed },
  networkMode: { type: string, default: "bridge", ...fixed },
  logDriver: { type: string, ...fixed },
  logOpts: { type: map(string), ...fixed },
  healthcheck: { type: object(containerHealthcheck) },
  stopTimeout: { type: integer, ...fixed },
  restart: { type: oneOf<string>("no", "on-failure", "always", "unless-stopped"), default: "no" },
  maxRetryCount: { type: integer, default: 0 },
  memory: { type: integer, default: 0 },
  memorySwap: { type: integer, default: 0 },
  start: { type: boolean, default: true },
  mustRun: { type: boolean, default: true },
  attach: { type: boolean, default: false },
  destroyGraceSeconds: { type: integer, default: 0 },
  // Defaults of the official provider: its state has them.
  containerReadRefreshTimeoutMilliseconds: only(15000),
  logs: only(false),
  memoryReservation: only(0),
  removeVolumes: only(true),
  rm: only(false),
  stdinOpen: only(false),
  tty: only(false),
  wait: only(false),
  waitTimeout: only(60),
} as const;

const networkData = {
  networkName: { type: string },
  ipAddress: { type: string },
  ipPrefixLength: { type: integer },
  gateway: { type: string },
  globalIpv6Address: { type: string },
  globalIpv6PrefixLength: { type: integer },
  ipv6Gateway: { type: string },
  macAddress: { type: string },
} as const;

export const containerOutputs = {
  bridge: { type: string },
  entrypoints: { type: list(string) },
  /** Of a container that runs there is none. */
  exitCode: { type: maybe(integer) },
  /** With the numbers that the engine chose. */
  ports: { type: list(object(port)) },
  networkDatas: { type: list(object(networkData)) },
} as const;

export type ContainerInputs = InputsOf<typeof containerInputs>;

/** An image, a container's process, and what the engine is told to hold back from it: the part of the Engine API that is used. */
export interface ContainerBody {
  Image: string;
  Cmd?: string[] | null;
  Entrypoint?: string[] | null;
  Env?: string[];
  User?: string;
  StopTimeout?: number;
  Healthcheck?: HealthConfig;
  ExposedPorts?: Record<string, object>;
  Volumes?: Record<string, object>;
  HostConfig: HostConfig;
}

interface HostConfig {
  Binds?: string[] | null;
  Mounts?: MountBody[] | null;
  Tmpfs?: Record<string, string>;
  PortBindings?: Record<string, PortBinding[]> | null;
  ExtraHosts?: string[] | null;
  Ulimits?: { Name: string; Soft: number; Hard: number }[] | null;
  CapAdd?: string[] | null;
  CapDrop?: string[] | null;
  SecurityOpt?: string[] | null;
  ReadonlyRootfs: boolean;
  NetworkMode: string;
  LogConfig: { Type: string; Config?: Record<string, string> };
  RestartPolicy: { Name: string; MaximumRetryCount: number };
  Memory: number;
  MemorySwap: number;
}

interface PortBinding {
  HostIp: string;
  HostPort: string;
}

const bytes = (mebibytes: number): number => (mebibytes > 0 ? mebibytes * MiB : mebibytes);
const mebibytes = (count: number): number => (count > 0 ? Math.floor(count / MiB) : count);

const portKey = ({ internal, protocol }: InputsOf<typeof port>): string => `${internal}/${protocol}`;

/** What `POST /containers/create` takes. */
export function containerBody(inputs: ContainerInputs): ContainerBody {
  const { ports = [], volumes = [], healthcheck: check, capabilities } = inputs;
  const bindings: Record<string, PortBinding[]> = {};
  for (const each of ports) {
    (bindings[portKey(each)] ??= []).push({ HostIp: each.ip, HostPort: String(each.external) });
  }
  const binds = volumes.filter(({ volumeName, hostPath }) => volumeName !== "" || hostPath !== "");
  return {
    Image: inputs.image,
    Cmd: inputs.command,
    Env: inputs.envs,
    User: inputs.user,
    StopTimeout: inputs.stopTimeout,
    Healthcheck: check && { ...healthConfig(check), StartInterval: nanoseconds(check.startInterval) },
    ExposedPorts: Object.fromEntries(ports.map((each) => [portKey(each), {}])),
    Volumes: Object.fromEntries(volumes.map(({ containerPath }) => [containerPath, {}])),
    HostConfig: {
      Binds: binds.map(
        ({ volumeName, hostPath, containerPath, readOnly }) =>
          `${volumeName || hostPath}:${containerPath}:${readOnly ? "ro" : "rw"}`,
      ),
      Mounts: inputs.mounts?.map(mountBody),
      Tmpfs: inputs.tmpfs,
      PortBindings: bindings,
      ExtraHosts: inputs.hosts?.map(({ host, ip }) => `${host}:${ip}`),
      Ulimits: inputs.ulimits?.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
      CapAdd: capabilities?.adds,
      CapDrop: capabilities?.drops,
      SecurityOpt: inputs.securityOpts,
      ReadonlyRootfs: inputs.readOnly,
      NetworkMode: inputs.networkMode,
      LogConfig: { Type: inputs.logDriver ?? "", Config: inputs.logOpts },
      RestartPolicy: { Name: inputs.restart, MaximumRetryCount: inputs.maxRetryCount },
      Memory: bytes(inputs.memory),
      MemorySwap: bytes(inputs.memorySwap),
    },
  };
}

/** The part of `GET /containers/ID/json` that is read. */
export interface ContainerFound {
  Id: string;
  Name: string;
  /** ID of the image. */
  Image: string;
  State: { Running: boolean; ExitCode: number; Health?: { Status: string } };
  Config: Omit<ContainerBody, "HostConfig">;
  HostConfig: HostConfig;
  NetworkSettings: {
    Bridge?: string;
    Ports?: Record<string, PortBinding[] | null> | null;
    Networks: Record<string, NetworkFound>;
  };
}

interface NetworkFound {
  IPAddress: string;
  IPPrefixLen: number;
  Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  IPv6Gateway: string;
  MacAddress: string;
}

/**
 * What a container's properties are now. Without the environment, as the image has some of its own; without volumes, as the official
 * provider; and without what the engine does not tell: uploads, and what concerns only the provider.
 */
export function containerProperties(found: ContainerFound): Partial<ContainerInputs> {
  const { Config: config, HostConfig: host } = found;
  return {
    name: found.Name.replace(/^\//, ""),
    image: config.Image.startsWith("sha256:") ? found.Image : config.Image,
    command: config.Cmd ?? [],
    user: config.User,
    readOnly: host.ReadonlyRootfs,
    capabilities: (host.CapAdd ?? host.CapDrop) ? { adds: host.CapAdd ?? [], drops: host.CapDrop ?? [] } : undefined,
    securityOpts: host.SecurityOpt ?? [],
    ulimits: (host.Ulimits ?? []).map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard })),
    hosts: (host.ExtraHosts ?? []).map((each) => {
      const [name = "", ...ip] = each.split(":");
      return { host: name, ip: ip.join(":") };
    }),
    mounts: (host.Mounts ?? []).map(mountOf),
    tmpfs: host.Tmpfs ?? {},
    networkMode: host.NetworkMode,
    logDriver: host.LogConfig.Type,
    logOpts: host.LogConfig.Config ?? {},
    healthcheck: config.Healthcheck && {
      ...healthcheckOf(config.Healthcheck),
      startInterval: written(config.Healthcheck.StartInterval ?? 0),
    },
    stopTimeout: config.StopTimeout,
    restart: host.RestartPolicy.Name,
    maxRetryCount: host.RestartPolicy.MaximumRetryCount,
    memory: mebibytes(host.Memory),
    memorySwap: mebibytes(host.MemorySwap),
  };
}

function portsOf({ NetworkSettings: { Ports } }: ContainerFound): InputsOf<typeof port>[] {
  return Object.entries(Ports ?? {})
    .sort(([a], [b]) => parseInt(a) - parseInt(b))
    .flatMap(([key, bindings]) => {
      const [internal = "", protocol = "tcp"] = key.split("/");
      return (bindings ?? []).map(({ HostIp, HostPort }) => ({
        internal: Number(internal),
        external: Number(HostPort),
        ip: HostIp,
        protocol,
      }));
    });
}

/** What only the engine knows. */
export function containerFacts(
  found: ContainerFound,
  { ports = [] }: Pick<ContainerInputs, "ports">,
): OutputsOf<typeof containerOutputs> {
  return {
    bridge: found.NetworkSettings.Bridge ?? "",
    entrypoints: found.Config.Entrypoint ?? [],
    exitCode: found.State.Running ? undefined : found.State.ExitCode,
    // A stopped container has none for the time being.
    ports: found.State.Running ? portsOf(found) : ports,
    networkDatas: Object.entries(found.NetworkSettings.Networks).map(([networkName, data]) => ({
      networkName,
      ipAddress: data.IPAddress,
      ipPrefixLength: data.IPPrefixLen,
      gateway: data.Gateway,
      globalIpv6Address: data.GlobalIPv6Address,
      globalIpv6PrefixLength: data.GlobalIPv6PrefixLen,
      ipv6Gateway: data.IPv6Gateway,
      macAddress: data.MacAddress,
    })),
  };
}
