import { AuditLevel } from "../args/logs";
import { NotifiedAction } from "../args/notifications";
import { bytesOf } from "./sizes";

/** Folder of the audit, in the container. */
export const auditFolder = "/var/log/container-registry";

/** An endpoint that is notified, with all its values known. */
export interface NotificationConfiguration {
  name: string;
  url: string;
  headers?: Record<string, string>;
  actions?: readonly NotifiedAction[];
  repositories?: readonly string[];
  caCertificates?: string;
}

/** What the bundled server has beyond the engine. */
export interface OwnConfiguration {
  /** The proxies that may say whom a request comes from. */
  trustedProxies?: readonly string[];
  /** The bundled server's page. */
  ui?: boolean;
  /** What is recorded. Default: `off`. */
  audit?: AuditLevel;
  notifications?: readonly NotificationConfiguration[];
  /** What the cache of a mirror may hold: `20GB`. */
  maxSize?: string;
}

/** The section of the configuration file that the engine ignores; none if it would be empty. */
export function ownSection({
  trustedProxies = [],
  ui = false,
  audit = AuditLevel.Off,
  notifications = [],
  maxSize,
}: OwnConfiguration): object {
  const server = {
    ...(trustedProxies.length === 0 ? {} : { trustedproxies: trustedProxies }),
    ...(ui ? { ui: { enabled: true } } : {}),
    ...(audit === AuditLevel.Off ? {} : { audit: { folder: auditFolder, reads: audit === AuditLevel.All } }),
    ...(maxSize === undefined ? {} : { mirror: { maxbytes: bytesOf(maxSize) } }),
    ...(notifications.length === 0
      ? {}
      : { notifications: notifications.map(({ caCertificates: ca, ...rest }) => defined({ ...rest, ca })) }),
  };
  return Object.keys(server).length === 0 ? {} : { server };
}

function defined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
