import * as path from "path";
import { FilesystemStorage } from "../../args/storage";
import { dockerName } from "../container";
import { Problem, shown } from "../problems";
import { dataName, volumeNames } from "../../render/names";
import { filled, texts, when, wholeNumbers } from "../rules";

const at = "storage.filesystem.";

export function filesystemProblems(options: FilesystemStorage): Problem[] {
  const { hostPath, volume, volumeDriver, volumeOptions, maxThreads } = options;
  return [
    ...(hostPath === undefined
      ? when(
          volumeOptions !== undefined && volume === undefined && volumeDriver === undefined,
          `${at}volumeOptions`,
          `needs ${at}volume or ${at}volumeDriver beside it`,
        )
      : hostPathProblems(hostPath, { volume, volumeDriver, volumeOptions })),
    ...texts(
      at,
      filled({ volume }),
      dockerName,
      "two or more letters, digits and _.-, a letter or digit first (for a folder of the host use hostPath)",
    ),
    ...when(
      volumeDriver === "",
      `${at}volumeDriver`,
      'is empty; give the name of an installed volume plugin, or leave it out for "local"',
    ),
    ...wholeNumbers(at, { maxThreads }, 25, 100_000),
  ];
}

/** A user can't choose one of the registry's own volumes: the package makes, fills and deletes those by other rules. */
export function ownVolumeProblems(
  name: string,
  { volume }: FilesystemStorage = {},
  own: readonly string[] = volumeNames(name),
): Problem[] {
  return when(
    own.some((each) => each === volume),
    `${at}volume`,
    `${shown(volume)} is a volume of the registry's own, which destroy may delete; leave it out to keep images in ${dataName(name)}, or name another one`,
  );
}

function hostPathProblems(hostPath: string, ofVolume: Record<string, unknown>): Problem[] {
  const [, inside] = /^(.+?)\/docker\/registry\/v2(\/|$)/.exec(hostPath) ?? [];
  return [
    ...Object.entries(ofVolume).flatMap(([key, value]) =>
      when(
        value !== undefined,
        `${at}${key}`,
        `can't be combined with ${at}hostPath; images are kept in a volume or in a folder of the host`,
      ),
    ),
    ...when(
      inside !== undefined,
      `${at}hostPath`,
      `${shown(hostPath)} lies within the store of a registry; give the folder that has docker in it, ${shown(inside)}, or another one`,
    ),
    ...when(
      !path.posix.isAbsolute(hostPath) || path.posix.normalize(hostPath) !== hostPath || /[:\p{Cc}]|^\/$|.\/$/u.test(hostPath),
      `${at}hostPath`,
      `${shown(hostPath)} is not allowed; give the absolute path of a folder on the Docker host, without "..", ":", line breaks or a "/" at the end`,
    ),
  ];
}
