import { BadConfiguration } from "../badConfiguration";
import { storage } from "./options";

export const badFilesystem: BadConfiguration[] = [
  {
    title: "a relative folder",
    config: storage("filesystem", { hostPath: "images" }),
    problems: [
      'storage.filesystem.hostPath: "images" is not allowed; give the absolute path of a folder on the Docker host, without "..", ":", line breaks or a "/" at the end',
    ],
  },
  {
    title: "a folder with ..",
    config: storage("filesystem", { hostPath: "/srv/../etc" }),
    problems: [
      'storage.filesystem.hostPath: "/srv/../etc" is not allowed; give the absolute path of a folder on the Docker host, without "..", ":", line breaks or a "/" at the end',
    ],
  },
  {
    title: "the root folder",
    config: storage("filesystem", { hostPath: "/" }),
    problems: [
      'storage.filesystem.hostPath: "/" is not allowed; give the absolute path of a folder on the Docker host, without "..", ":", line breaks or a "/" at the end',
    ],
  },
  {
    title: "a folder within a registry's store",
    config: storage("filesystem", { hostPath: "/srv/images/docker/registry/v2/blobs" }),
    problems: [
      'storage.filesystem.hostPath: "/srv/images/docker/registry/v2/blobs" lies within the store of a registry; give the folder that has docker in it, "/srv/images", or another one',
    ],
  },
  {
    title: "a folder and a volume",
    config: storage("filesystem", { hostPath: "/srv/images", volume: "images" }),
    problems: [
      "storage.filesystem.volume: can't be combined with storage.filesystem.hostPath; images are kept in a volume or in a folder of the host",
    ],
  },
  {
    title: "a volume named as a folder",
    config: storage("filesystem", { volume: "/srv/images" }),
    problems: [
      'storage.filesystem.volume: "/srv/images" is not allowed; give two or more letters, digits and _.-, a letter or digit first (for a folder of the host use hostPath)',
    ],
  },
  {
    title: "options of no volume",
    config: storage("filesystem", { volumeOptions: { type: "nfs" } }),
    problems: ["storage.filesystem.volumeOptions: needs storage.filesystem.volume or storage.filesystem.volumeDriver beside it"],
  },
  {
    title: "a list of volume options",
    config: storage("filesystem", { volume: "v", volumeOptions: ["type=nfs"] }),
    problems: [
      "storage.filesystem.volumeOptions: a list is not allowed; give names and values with pulumi config set --path 'storage.filesystem.volumeOptions.<name>'",
      'storage.filesystem.volume: "v" is not allowed; give two or more letters, digits and _.-, a letter or digit first (for a folder of the host use hostPath)',
    ],
  },
  {
    title: "too few threads",
    config: storage("filesystem", { maxThreads: 24 }),
    problems: ["storage.filesystem.maxThreads: 24 is not allowed; give a whole number from 25 to 100000"],
  },
];
