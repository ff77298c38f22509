import { AzureStorage } from "../../args/storage";
import { azureCredentialsType } from "../../render/driverParameters";
import { knownNow } from "../inputs";
import { Problem } from "../problems";
import { durations, filled, notEmpty, oneOf, required, texts, urls, when, wholeNumbers } from "../rules";
import { provisionedOptions } from "./provisioned";

const at = "storage.azure.";
const needed = 'storage.driver "azure" needs it';

/** Names in Azure. */
export const resourceGroup = { allowed: /^[\w.()-]{0,89}[\w()-]$/, remedy: "the name of a resource group, not its ID" };
export const azureLocation = {
  allowed: /^[a-z0-9]+$/,
  remedy: "a region as Azure's command line names it, such as westeurope",
};

export function azureProblems(options: AzureStorage, provision: boolean): Problem[] {
  const { accountName, accountKey, container, credentials, serviceUrl, maxRetries, retryDelay } = options;
  const { resourceGroup: group, location, principalId } = options;
  return [
    ...provisionedOptions(at, provision, {
      fills: { accountKey, credentials, serviceUrl },
      reads: { resourceGroup: group, location, principalId },
    }),
    ...texts(
      at,
      filled({ container }),
      /^(?=.{3,63}$)[a-z0-9](-?[a-z0-9])+$/,
      "3 to 63 small letters, digits and single hyphens",
    ),
    ...urls(at, { serviceUrl }),
    ...wholeNumbers(at, { maxRetries }, 0, 100),
    ...durations(at, filled({ retryDelay }), /^\d+(\.\d+)?(ms|s|m)$/, "a time with a unit, such as 100ms"),
    ...(provision
      ? provisionedProblems(options)
      : [...required(at, { accountName, container }, needed), ...credentialsProblems(options)]),
  ];
}

function credentialsProblems(options: AzureStorage): Problem[] {
  const type = azureCredentialsType(options);
  const unknown = oneOf(`${at}credentials.`, { type }, ["shared_key", "client_secret", "default_credentials"]);
  if (unknown.length > 0) {
    return unknown;
  }
  const { accountKey, credentials = {} } = options;
  const belongs = (home: string): string => `belongs to ${at}credentials.type "${home}", and that is "${type}"`;
  return [
    ...(type === "shared_key"
      ? [
          ...required(at, { accountKey }, needed),
          ...when(
            !isBase64(knownNow(accountKey) ?? ""),
            `${at}accountKey`,
            "is not allowed; give the key as Azure shows it, which is Base64",
          ),
        ]
      : when(accountKey !== undefined, `${at}accountKey`, belongs("shared_key"))),
    ...texts(`${at}credentials.`, { tenantId: credentials.tenantId }, /^[A-Za-z0-9.-]+$/, "the tenant's ID or domain"),
    ...(["clientId", "tenantId", "secret"] as const).flatMap((key) =>
      type === "client_secret"
        ? when(
            credentials[key] === undefined,
            `${at}credentials.${key}`,
            `is missing; ${at}credentials.type "client_secret" needs it`,
          )
        : when(credentials[key] !== undefined, `${at}credentials.${key}`, belongs("client_secret")),
    ),
  ];
}

function isBase64(text: string): boolean {
  return Buffer.from(text, "base64").toString("base64") === text;
}

function provisionedProblems({ accountName, container, resourceGroup: group, location, principalId }: AzureStorage): Problem[] {
  return [
    ...notEmpty(at, { accountName, container, resourceGroup: group, location, principalId }),
    ...texts(at, filled({ accountName }), /^[a-z0-9]{3,24}$/, "3 to 24 small letters and digits"),
    ...texts(at, filled({ resourceGroup: group }), resourceGroup.allowed, resourceGroup.remedy),
    ...texts(at, filled({ location }), azureLocation.allowed, azureLocation.remedy),
    ...texts(
      at,
      filled({ principalId }),
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
      "the object ID (a UUID) of a managed identity",
    ),
    ...when(
      group === undefined && location === undefined,
      `${at}location`,
      `is missing; storage.provision makes a resource group there, unless ${at}resourceGroup names one`,
    ),
  ];
}
