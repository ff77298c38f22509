import { shown } from "../../../../components/checks/problems";
import { BadConfiguration } from "../badConfiguration";
import { storage } from "./options";

export const badStorage: BadConfiguration[] = [
  {
    title: "an unknown driver",
    config: { storage: { driver: "ftp" } },
    problems: ['storage.driver: "ftp" is not allowed; choose filesystem, s3, azure, gcs, swift, oss'],
  },
  {
    title: "a driver named as every object's member",
    config: { storage: { driver: "constructor" } },
    problems: ['storage.driver: "constructor" is not allowed; choose filesystem, s3, azure, gcs, swift, oss'],
  },
  {
    title: "options of another driver",
    config: { storage: { driver: "filesystem", s3: { bucket: "b" } } },
    problems: ['storage.s3: belongs to storage.driver "s3", and storage.driver is "filesystem"'],
  },
  {
    title: "a redirect to the host's folder",
    config: { storage: { redirect: true } },
    problems: ['storage.redirect: true is not allowed with storage.driver "filesystem"; there is no store to send clients to'],
  },
  {
    title: "a CA that not PEM",
    config: { storage: { driver: "s3", s3: { bucket: "images", region: "eu-central-1" }, caCertificates: "ca.pem" } },
    problems: ["storage.caCertificates: has no PEM certificate; give the CA of the store, `-----BEGIN CERTIFICATE-----` first"],
  },
  ...Object.entries({
    s3: { bucket: "images", region: "eu-central-1" },
    azure: { accountName: "account", container: "images" },
    gcs: { bucket: "images" },
    swift: { authUrl: "https://keystone:5000/v3", username: "u", password: "p", container: "images" },
  }).flatMap(([driver, options]) =>
    ["../..", "a/./b", ".", "a\nb", "a\0", "a".repeat(257), "é".repeat(129)].map((rootDirectory) => ({
      title: `a folder that is none in every store (${driver}: ${JSON.stringify(rootDirectory)})`,
      config: storage(driver, { ...options, rootDirectory }),
      problems: [
        driver === "s3" && rootDirectory.startsWith("é")
          ? `storage.s3.rootDirectory: ${shown(rootDirectory)} is not allowed; give a folder in ASCII without +, % and ? in AWS`
          : `storage.${driver}.rootDirectory: ${shown(rootDirectory)} is not allowed; give a folder without "." and ".." in its path and without line breaks, of 256 bytes at most`,
      ],
    })),
  ),
  ...["../..", "a/./b", "."].map((rootDirectory) => ({
    title: `a folder that is another when its name is tidied (oss: ${rootDirectory})`,
    config: storage("oss", { bucket: "images", region: "cn-hangzhou", ramRole: "r", rootDirectory }),
    problems: [
      `storage.oss.rootDirectory: "${rootDirectory}" is not allowed; give a folder without "." and ".." in its path and without line breaks, of 256 bytes at most`,
    ],
  })),
];
