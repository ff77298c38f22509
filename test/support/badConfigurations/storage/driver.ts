import { BadConfiguration } from "../badConfiguration";

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
];
