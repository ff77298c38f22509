import { boolean, InputsOf, integer, list, map, object, oneOf, set, simple, string } from "../../provider/types";
import { duration, healthcheck, only } from "../types";

/* A service's properties, as a table; serviceSpec.ts has them as the Engine API takes and tells them. */

const required = { required: true } as const;

/** Where a task finds the content of a secret or a config. */
export const taskFile = {
  fileName: { type: string, ...required },
  fileUid: { type: string, default: "0" },
  fileGid: { type: string, default: "0" },
  fileMode: { type: integer, default: 0o444 },
} as const;

const secretFile = { secretId: { type: string, ...required }, secretName: { type: string, default: "" }, ...taskFile } as const;
const configFile = { configId: { type: string, ...required }, configName: { type: string, default: "" }, ...taskFile } as const;

const mount = {
  type: { type: oneOf<string>("bind", "volume", "tmpfs"), ...required },
  target: { type: string, ...required },
  source: { type: string, default: "" },
  tmpfsOptions: { type: object({ sizeBytes: { type: integer, default: 0 }, mode: { type: integer, default: 0 } }) },
  volumeOptions: {
    type: object({ driverName: { type: string, default: "" }, driverOptions: { type: map(string), default: {} } }),
  },
} as const;

const containerSpec = {
  image: { type: string, ...required },
  commands: { type: list(string), default: [] },
  args: { type: list(string), default: [] },
  user: { type: string, default: "" },
  env: { type: map(string), default: {} },
  readOnly: { type: boolean, default: false },
  capDrops: { type: list(string), default: [] },
  stopGracePeriod: { type: duration, default: "0s" },
  hosts: { type: set(object({ host: { type: string, ...required }, ip: { type: string, ...required } })), replaces: true },
  secrets: { type: set(object(secretFile)), default: [] },
  configs: { type: set(object(configFile)), default: [] },
  mounts: { type: set(object(mount)), default: [] },
  healthcheck: { type: object(healthcheck) },
  isolation: only("default"),
} as const;

const memory = object({ memoryBytes: { type: integer, default: 0 } });

const taskSpec = {
  containerSpec: { type: object(containerSpec), ...required },
  resources: { type: object({ limits: { type: memory }, reservation: { type: memory } }) },
  networksAdvanceds: { type: set(object({ id: { type: string, ...required } })), replaces: true },
  placement: { type: object({ constraints: { type: set(string), default: [] } }) },
  restartPolicy: {
    type: object({
      condition: { type: oneOf<string>("none", "on-failure", "any"), default: "any" },
      delay: { type: duration, default: "0s" },
      window: { type: duration, default: "0s" },
    }),
  },
  logDriver: { type: object({ name: { type: string, ...required }, options: { type: map(string), default: {} } }) },
} as const;

const ratio = {
  ...simple<string>("a share from 0.0 to 1.0", (value) => typeof value === "string" && Number(value) >= 0 && Number(value) <= 1),
  comparable: Number,
};

export const rollout = {
  parallelism: { type: integer, default: 1 },
  delay: { type: duration, default: "0s" },
  failureAction: { type: oneOf<string>("pause", "continue", "rollback"), default: "pause" },
  monitor: { type: duration, default: "5s" },
  maxFailureRatio: { type: ratio, default: "0.0" },
  order: { type: oneOf<string>("stop-first", "start-first"), default: "stop-first" },
} as const;

const port = {
  targetPort: { type: integer, ...required },
  publishedPort: { type: integer, default: 0 },
  protocol: { type: oneOf<string>("tcp", "udp", "sctp"), default: "tcp" },
  publishMode: { type: oneOf<string>("host", "ingress"), default: "ingress" },
} as const;

const auth = {
  serverAddress: { type: string, ...required },
  username: { type: string, default: "" },
  password: { type: string, default: "" },
} as const;

export const serviceInputs = {
  name: { type: string, ...required, replaces: true, unique: true },
  taskSpec: { type: object(taskSpec), ...required },
  mode: {
    type: object({
      global: { type: boolean, default: false },
      replicated: { type: object({ replicas: { type: integer, default: 1 } }) },
    }),
  },
  endpointSpec: {
    type: object({
      mode: { type: oneOf<string>("vip", "dnsrr"), default: "vip" },
      ports: { type: list(object(port)), default: [] },
    }),
  },
  updateConfig: { type: object(rollout) },
  rollbackConfig: { type: object(rollout) },
  auth: { type: object(auth), replaces: true, secret: true },
} as const;

export type ServiceInputs = InputsOf<typeof serviceInputs>;
