import { Storage } from "../args/storage";
import { driverOf, StorageDriver, storageDrivers } from "../render/driverParameters";
import { caProblems } from "./certificates";
import { Problem, shown } from "./problems";
import { azureProblems } from "./storage/azure";
import { filesystemProblems } from "./storage/filesystem";
import { folderProblems } from "./storage/folder";
import { gcsProblems } from "./storage/gcs";
import { ossProblems } from "./storage/oss";
import { s3Problems } from "./storage/s3";
import { swiftProblems } from "./storage/swift";
import { awsTags, azureStorageTags, googleTags, tagProblems, TagRule } from "./storage/tags";
import { notEmpty, when } from "./rules";

const checks: Record<StorageDriver, (storage: Storage, provision: boolean) => Problem[]> = {
  filesystem: (storage) => filesystemProblems(storage.filesystem ?? {}),
  s3: (storage, provision) => s3Problems(storage.s3 ?? {}, provision),
  azure: (storage, provision) => azureProblems(storage.azure ?? {}, provision),
  gcs: (storage, provision) => gcsProblems(storage.gcs ?? {}, provision),
  swift: (storage) => swiftProblems(storage.swift ?? {}),
  oss: (storage) => ossProblems(storage.oss ?? {}),
};

/** Drivers that only the bundled server has; release 3 of the stock engine dropped them. */
const bundledOnly = ["swift", "oss"];

/** Why `storage.provision` makes nothing for a driver. */
const neverProvisioned: Partial<Record<StorageDriver, string>> = {
  filesystem: "its volume or folder is made without it",
  swift: "OpenStack's users and their rights are its operator's to make; make container and user first and name them here",
  oss: "the package makes stores in AWS, Azure and Google Cloud only; make bucket and RAM user first and name them here",
};

/** What each cloud takes as tags. */
const tagRules: Partial<Record<StorageDriver, TagRule>> = { s3: awsTags, azure: azureStorageTags, gcs: googleTags };

function provisionProblems({ provision, tags }: Storage, driver: StorageDriver): Problem[] {
  const reason = neverProvisioned[driver];
  const rule = tagRules[driver];
  return [
    ...when(
      provision === true && reason !== undefined,
      "storage.provision",
      `true is not allowed with storage.driver "${driver}"; ${reason}`,
    ),
    ...when(provision !== true && tags !== undefined, "storage.tags", "needs storage.provision true; tags are for what it makes"),
    ...(rule === undefined ? [] : tagProblems("storage.tags", tags, rule)),
  ];
}

/** All that is wrong with where images are kept. */
export function storageProblems(storage: Storage, image = "bundled"): Problem[] {
  const name = driverOf(storage);
  if (!Object.hasOwn(checks, name)) {
    return [{ key: "storage.driver", message: `${shown(name)} is not allowed; choose ${storageDrivers.join(", ")}` }];
  }
  const driver = name as StorageDriver;
  return [
    ...storageDrivers.flatMap((each) =>
      when(
        each !== driver && Object.hasOwn(storage, each),
        `storage.${each}`,
        `belongs to storage.driver "${each}", and storage.driver is "${driver}"`,
      ),
    ),
    ...when(
      image !== "bundled" && bundledOnly.includes(driver),
      "storage.driver",
      `"${driver}" is a driver of the bundled server only; use image bundled`,
    ),
    ...when(
      driver === "filesystem" && storage.redirect === true,
      "storage.redirect",
      'true is not allowed with storage.driver "filesystem"; there is no store to send clients to',
    ),
    ...caProblems("storage.caCertificates", storage.caCertificates, "the store"),
    ...provisionProblems(storage, driver),
    ...optionProblems(storage, driver),
  ];
}

/** What is wrong with the options of the driver. A text that is empty or all spaces counts as none to the server, or is of no use. */
function optionProblems(storage: Storage, driver: StorageDriver): Problem[] {
  const problems = checks[driver](storage, storage.provision === true && neverProvisioned[driver] === undefined);
  const named = problems.map(({ key }) => key);
  const options = Object.entries(storage[driver] ?? {}) as [string, unknown][];
  const empty = options.filter(([, value]) => typeof value === "string" && value.trim() === "");
  const { rootDirectory } = Object.fromEntries(options) as { rootDirectory?: string };
  return [
    ...problems,
    ...[
      ...notEmpty(`storage.${driver}.`, Object.fromEntries(empty.map(([key]) => [key, ""]))),
      ...folderProblems(`storage.${driver}.rootDirectory`, rootDirectory),
    ].filter(({ key }) => !named.includes(key)),
  ];
}
