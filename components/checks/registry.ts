import {
  Access,
  Authentication,
  Cors,
  GarbageCollection,
  Metrics,
  Mirror,
  Resources,
  Tls,
  TlsMode,
  User,
} from "../args/registry";
import { Logs } from "../args/logs";
import { Notification } from "../args/notifications";
import { Storage } from "../args/storage";
import {
  addressProblems,
  AddressSettings,
  metricsPort,
  metricsProblems,
  openProblems,
  registryMetricsPort,
  samePortProblems,
  trustedProxiesProblems,
} from "./address";
import { containerProblems } from "./container";
import { corsProblems } from "./cors";
import { garbageCollectionProblems } from "./garbageCollection";
import { imageProblems } from "./image";
import { mirrorPorts, mirrorProblems } from "./mirror";
import { isHostPort } from "./hosts";
import { Problem, shown } from "./problems";
import { logsProblems } from "./observation/logs";
import { notificationsProblems } from "./observation/notifications";
import { storageProblems } from "./storage";
import { chunkProblems } from "./storage/chunks";
import { tlsProblems } from "./tls";
import { authenticationProblems, userProblems } from "./users";
import { distinct, when } from "./rules";

/** Everything that a self-hosted registry is made from. */
export interface RegistrySettings extends AddressSettings {
  tls: Tls;
  users: readonly User[];
  storage: Storage;
  anonymousPull: boolean;
  trustedProxies: readonly string[];
  authentication: Authentication;
  cors?: Cors;
  image: string;
  readOnly: boolean;
  foreignLayerHosts?: readonly string[];
  /** The page. Default: on with the bundled server. */
  ui?: boolean;
  /** Undefined: on demand only. */
  garbageCollection: GarbageCollection | undefined;
  mirror?: Mirror;
  /** It has metrics for Prometheus. */
  measured: boolean;
  /** Where its metrics are on the Docker host, unless it is on a Swarm. */
  metrics?: Metrics;
  notifications: readonly Notification[];
  logs: Logs;
  hosts: Record<string, string>;
  resources: Required<Resources>;
}

/** All that is wrong with a self-hosted registry's settings, in the order of the keys. */
export function registryProblems(settings: RegistrySettings): Problem[] {
  const nobody = settings.users.length === 0;
  return [
    ...addressProblems(settings),
    ...trustedProxiesProblems(settings.trustedProxies, settings.image),
    ...tlsProblems(settings.tls, settings.hostname),
    ...(settings.tls.mode === TlsMode.Off ? openProblems("tls.mode", '"off"', "choose another mode", settings) : []),
    ...userProblems(settings.users),
    ...(nobody ? openProblems("users", "a registry without users", "add one", settings) : []),
    ...when(
      settings.anonymousPull && nobody,
      "anonymousPull",
      "needs users; a registry without users lets everybody pull and push already",
    ),
    ...authenticationProblems(settings.authentication),
    ...corsProblems(settings.cors, settings.image),
    ...bundledOnlyProblems(settings),
    ...when(
      settings.ui === true && settings.image !== "bundled",
      "ui",
      "is a feature of the bundled server; the stock registry has no page. Use image bundled",
    ),
    ...storageProblems(settings.storage, settings.image),
    ...(settings.image === "bundled" && !settings.readOnly ? chunkProblems(settings.storage, settings.resources.memory) : []),
    ...imageProblems(settings.image),
    ...foreignLayerProblems(settings.foreignLayerHosts ?? []),
    ...garbageCollectionProblems(settings.garbageCollection, settings.image),
    ...besideProblems(settings),
    ...notificationsProblems(settings.notifications, settings),
    ...logsProblems(settings.logs, settings.image),
    ...containerProblems(settings.hosts, settings.resources),
  ];
}

/** What only the bundled server can do. */
function bundledOnlyProblems(settings: RegistrySettings): Problem[] {
  if (settings.image === "bundled") {
    return [];
  }
  const asked: [string, boolean][] = [
    ["anonymousPull", settings.anonymousPull],
    ["authentication", Object.keys(settings.authentication).length > 0],
    ...settings.users.flatMap((user, index): [string, boolean][] => [
      [`users[${index}].access`, user.access === Access.Pull],
      [`users[${index}].repositories`, user.repositories !== undefined],
      [`users[${index}].keepPrevious`, user.keepPrevious === true],
      [`users[${index}].previousPassword`, user.previousPassword !== undefined],
    ]),
  ];
  return [
    ...asked.flatMap(([key, wanted]) =>
      when(
        wanted,
        key,
        "is a feature of the bundled server; the stock registry has one password and full access for every user. Use image bundled",
      ),
    ),
    ...when(
      settings.measured,
      "metrics",
      "is for the bundled server; where the stock registry has its metrics, it shows its whole configuration, passwords too. Use image bundled",
    ),
  ];
}

/** What is wrong with the hosts of layers that are elsewhere. */
function foreignLayerProblems(foreignLayerHosts: readonly string[]): Problem[] {
  return [
    ...foreignLayerHosts.flatMap((host, index) =>
      when(
        host !== "*" && !isHostPort(host),
        `foreignLayerHosts[${index}]`,
        `${shown(host)} is not allowed; give a DNS name or IP address, with a port if it is not 443, or * for all`,
      ),
    ),
    ...distinct("", { foreignLayerHosts }),
  ];
}

/** What is wrong with the parts that have a port beside the registry's: the mirror and the metrics. */
function besideProblems({ mirror, metrics, port, allowInsecure }: RegistrySettings): Problem[] {
  return [
    ...(mirror === undefined ? [] : mirrorProblems(mirror, allowInsecure)),
    ...metricsProblems("metrics.", metrics),
    ...samePortProblems([
      { key: "port", port, is: "the registry's own port" },
      ...(mirror === undefined ? [] : mirrorPorts(mirror)),
      ...metricsPort("metrics.port", metrics, registryMetricsPort, "the port of metrics"),
    ]),
  ];
}
