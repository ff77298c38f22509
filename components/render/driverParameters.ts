import { AzureStorage, Storage } from "../args/storage";
import { dataFolder, StorageConfiguration } from "./configuration";

export type StorageDriver = "filesystem" | "s3" | "azure" | "gcs" | "swift" | "oss";

type Options = Record<string, unknown>;

/** The engine writes these keys with an underscore, all others as one word in small letters. */
const underscored: Record<string, string> = { maxRetries: "max_retries", retryDelay: "retry_delay" };

/** Translates camelCase options into the engine's parameters, in a fixed order: the user's order makes no difference. */
function parametersOf(options: object): Options {
  return Object.fromEntries(
    Object.entries(options)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [
        underscored[key] ?? key.toLowerCase(),
        typeof value === "object" && value !== null && !Array.isArray(value) ? parametersOf(value as object) : value,
      ]),
  );
}

/** The requested driver, which need not be one that exists. */
export function driverOf(storage: Storage): string {
  return storage.driver ?? "filesystem";
}

/** How the registry authenticates to Azure. */
export function azureCredentialsType(azure: AzureStorage): string {
  return azure.credentials?.type ?? (azure.accountKey === undefined ? "default_credentials" : "shared_key");
}

/** What a driver needs beyond the plain translation of its options, and whether clients may be sent to the store. */
const drivers: Record<StorageDriver, (storage: Storage) => { parameters: object; redirect: boolean }> = {
  filesystem: ({ filesystem }) => ({
    parameters: { rootDirectory: dataFolder, maxThreads: filesystem?.maxThreads ?? 100 },
    redirect: false,
  }),
  s3: ({ s3 = {} }) => {
    const endpoint = s3.regionEndpoint;
    return {
      parameters: {
        ...s3,
        region: s3.region ?? "us-east-1",
        secure: s3.secure ?? !endpoint?.startsWith("http:"),
        // Always written: the engine's default has changed between releases. OSS refuses the path style.
        forcePathStyle: s3.forcePathStyle ?? (endpoint !== undefined && !/\.aliyuncs\.com(:\d+)?\/?$/.test(endpoint)),
      },
      redirect: endpoint === undefined,
    };
  },
  azure: ({ azure = {} }) => ({
    parameters: { ...azure, credentials: { ...azure.credentials, type: azureCredentialsType(azure) } },
    redirect: azure.serviceUrl === undefined,
  }),
  gcs: ({ gcs = {} }) => ({
    parameters: {
      ...gcs,
      credentials: gcs.credentials === undefined ? undefined : (JSON.parse(gcs.credentials as string) as Options),
    },
    // The engine signs URLs with the key of the service account; a machine's identity has none.
    redirect: gcs.credentials !== undefined,
  }),
  swift: ({ swift = {} }) => ({
    parameters: swift,
    redirect: swift.secretKey !== undefined || swift.tempUrlContainerKey === true,
  }),
  oss: ({ oss = {} }) => ({ parameters: oss, redirect: oss.endpoint === undefined && oss.internal !== true }),
};

export const storageDrivers = Object.keys(drivers) as StorageDriver[];

/** Translates the user's storage options into the engine's parameters; they are checked before (see checks/storage.ts). */
export function storageConfiguration(storage: Storage): StorageConfiguration {
  const driver = driverOf(storage) as StorageDriver;
  const { parameters, redirect } = drivers[driver](storage);
  return { driver, parameters: parametersOf(parameters), redirect: storage.redirect ?? redirect };
}
