import { BadConfiguration } from "../badConfiguration";
import { storage } from "./options";

const azure = { accountName: "account", container: "images" };

export const badAzure: BadConfiguration[] = [
  {
    title: "an Azure account without anything",
    config: { storage: { driver: "azure" } },
    problems: [
      'storage.azure.accountName: is missing; storage.driver "azure" needs it',
      'storage.azure.container: is missing; storage.driver "azure" needs it',
    ],
  },
  {
    title: "capitals in a container's name",
    config: storage("azure", { ...azure, container: "Images" }),
    problems: ['storage.azure.container: "Images" is not allowed; give 3 to 63 small letters, digits and single hyphens'],
  },
  {
    title: "a container's name that is too short, and a URL that is none",
    config: storage("azure", { ...azure, container: "im", serviceUrl: "https://store:abc" }),
    problems: [
      'storage.azure.container: "im" is not allowed; give 3 to 63 small letters, digits and single hyphens',
      'storage.azure.serviceUrl: "https://store:abc" is not allowed; give a URL with http:// or https:// and without a user',
    ],
  },
  {
    title: "a container's name that is too long",
    config: storage("azure", { ...azure, container: "i".repeat(64) }),
    problems: [
      `storage.azure.container: "${"i".repeat(64)}" is not allowed; give 3 to 63 small letters, digits and single hyphens`,
    ],
  },
  {
    title: "an unknown kind of credentials",
    config: storage("azure", { ...azure, credentials: { type: "password" } }),
    problems: [
      'storage.azure.credentials.type: "password" is not allowed; choose shared_key, client_secret, default_credentials',
    ],
  },
  {
    title: "an account key beside a client secret",
    config: storage("azure", { ...azure, accountKey: "a2V5", credentials: { type: "client_secret", clientId: "c" } }),
    problems: [
      'storage.azure.accountKey: belongs to storage.azure.credentials.type "shared_key", and that is "client_secret"',
      'storage.azure.credentials.tenantId: is missing; storage.azure.credentials.type "client_secret" needs it',
      'storage.azure.credentials.secret: is missing; storage.azure.credentials.type "client_secret" needs it',
    ],
  },
  {
    title: "a tenant that is none",
    config: storage("azure", { ...azure, credentials: { type: "client_secret", clientId: "c", tenantId: "a/b c", secret: "s" } }),
    problems: ['storage.azure.credentials.tenantId: "a/b c" is not allowed; give the tenant\'s ID or domain'],
  },
  {
    title: "credentials of another kind",
    config: storage("azure", { ...azure, credentials: { secret: "s" } }),
    problems: [
      'storage.azure.credentials.secret: belongs to storage.azure.credentials.type "client_secret", and that is "default_credentials"',
    ],
  },
  {
    title: "a delay without a unit",
    config: storage("azure", { ...azure, retryDelay: "100" }),
    problems: ['storage.azure.retryDelay: "100" is not allowed; give a time with a unit, such as 100ms'],
  },
  {
    title: "a delay that Go can't count",
    config: storage("azure", { ...azure, retryDelay: "999999999999m" }),
    problems: ['storage.azure.retryDelay: "999999999999m" is not allowed; give 2562047h (292 years) at most'],
  },
  {
    title: "a key of Azure's that is none",
    config: storage("azure", { ...azure, accountKey: "secret" }),
    problems: ["storage.azure.accountKey: is not allowed; give the key as Azure shows it, which is Base64"],
  },
];
