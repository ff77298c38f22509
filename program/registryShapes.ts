import { Access, TlsMode } from "../components";
import { noLogins } from "../components/lib/mirror";
import { boolean, list, number, object, secret, Shape, string } from "./shape";

/** `tls` in the stack's configuration. */
export const tlsShape = object({
  mode: string as Shape<TlsMode>,
  certificate: string,
  privateKey: secret,
  chain: string,
  validityDays: number,
  renewBeforeDays: number,
  generation: number,
  caGeneration: number,
  keepPreviousCa: boolean,
});

/** `users` in the stack's configuration. */
export const usersShape = list(
  object(
    {
      name: string,
      password: secret,
      generation: number,
      keepPrevious: boolean,
      previousPassword: secret,
      access: string as Shape<Access>,
      repositories: list(string),
    },
    ["name"],
  ),
);

/** `authentication` in the stack's configuration. */
export const authenticationShape = object({
  cacheSeconds: number,
  cacheSize: number,
  failedLogins: number,
  failedLoginsWindowSeconds: number,
});

/** `resources` in the stack's configuration. */
export const resourcesShape = object({ memory: number, processes: number });

/** `garbageCollection` in the stack's configuration. */
export const garbageCollectionShape = object({
  schedule: string,
  timeZone: string,
  deleteUntagged: boolean,
  retention: list(object({ repositories: list(string), keepNewest: number, keepDays: number, keepTags: list(string) })),
  alwaysKeepTags: list(string),
  retentionDryRun: boolean,
});

/** `mirror` in the stack's configuration. */
export const mirrorShape = object(
  { upstream: string, username: string, password: secret, ttl: string, port: number, caCertificates: string },
  [],
  { users: noLogins, anonymousPull: noLogins, authentication: noLogins },
);
