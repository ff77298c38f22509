import { SwiftStorage } from "../../args/storage";
import { Problem, shown } from "../problems";
import { GiB, MiB } from "../../render/sizes";
import { alternatives, filled, oneOf, required, texts, urls, when, wholeNumbers } from "../rules";

const at = "storage.swift.";
const needed = 'storage.driver "swift" needs it';

/** What a temporary URL can be signed for (https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html). */
const methods = ["GET", "HEAD", "PUT", "POST", "DELETE"];

export function swiftProblems(options: SwiftStorage): Problem[] {
  const { authUrl, container, authVersion, endpointType, chunkSize, tempUrlMethods } = options;
  const { tenant, tenantId, domain, domainId, tenantDomain, tenantDomainId } = options;
  return [
    ...required(at, { authUrl, container }, needed),
    ...urls(at, { authUrl }),
    ...oneOf(at, { authVersion }, [1, 2, 3]),
    ...when(
      authUrl !== undefined && versionOf(options) === undefined,
      `${at}authVersion`,
      `is missing, and ${at}authUrl does not tell it by ending in /v1.0, /v2.0 or /v3; give 1, 2 or 3`,
    ),
    ...loginProblems(options),
    ...alternatives(at, { tenant, tenantId }),
    ...alternatives(at, { domain, domainId }),
    ...alternatives(at, { tenantDomain, tenantDomainId }),
    ...oneOf(at, { endpointType }, ["public", "internal", "admin"]),
    ...texts(at, filled({ container }), /^[^/]{1,256}$/, 'a name without "/"'),
    ...wholeNumbers(at, { chunkSize }, MiB, GiB),
    ...(tempUrlMethods ?? []).flatMap((method) =>
      when(!methods.includes(method), `${at}tempUrlMethods`, `${shown(method)} is not allowed; choose ${methods.join(", ")}`),
    ),
  ];
}

/** The version of the authentication: the given one, or else the one in the URL's path (`/v1.0`, `/v2.0` or `/v3`). */
function versionOf({ authVersion, authUrl = "" }: SwiftStorage): number | undefined {
  const told = /.*\/v([123])/.exec(authUrl)?.[1];
  return authVersion ?? (told === undefined ? undefined : Number(told));
}

function loginProblems(options: SwiftStorage): Problem[] {
  const { username, password, applicationCredentialId, applicationCredentialName, applicationCredentialSecret } = options;
  return [
    ...alternatives(at, { applicationCredentialId, applicationCredentialName }),
    ...(applicationCredentialId !== undefined || applicationCredentialName !== undefined
      ? applicationCredentialProblems(options)
      : [
          ...required(at, { username, password }, needed),
          ...when(
            applicationCredentialSecret !== undefined,
            `${at}applicationCredentialSecret`,
            `needs ${at}applicationCredentialId or applicationCredentialName beside it`,
          ),
        ]),
  ];
}

/** Keystone has application credentials since version 3, and finds one by its name only with its user. */
function applicationCredentialProblems(options: SwiftStorage): Problem[] {
  const { username, password, domain, domainId, applicationCredentialName, applicationCredentialSecret } = options;
  const version = versionOf(options) ?? 3;
  return [
    ...required(at, { applicationCredentialSecret }, needed),
    ...when(
      version !== 3,
      `${at}authVersion`,
      `${version} is not allowed with an application credential; it needs 3, as in an authUrl that ends in /v3`,
    ),
    ...when(password !== undefined, `${at}password`, "can't be combined with an application credential; give one of them"),
    ...(applicationCredentialName === undefined
      ? []
      : [
          ...required(at, { username }, needed),
          ...when(
            domain === undefined && domainId === undefined,
            `${at}domain`,
            `is missing; ${at}applicationCredentialName needs it or domainId, as it is a name of that user's`,
          ),
        ]),
  ];
}
