import { BadConfiguration } from "../badConfiguration";
import { storage } from "./options";

const s3 = { bucket: "images", region: "eu-central-1" };

export const badS3: BadConfiguration[] = [
  {
    title: "a bucket without a name or region",
    config: { storage: { driver: "s3" } },
    problems: [
      'storage.s3.bucket: is missing; storage.driver "s3" needs it',
      'storage.s3.region: is missing; storage.driver "s3" needs it',
    ],
  },
  {
    title: "a bucket's URL for its name",
    config: storage("s3", { ...s3, bucket: "s3://images" }),
    problems: ['storage.s3.bucket: "s3://images" is not allowed; give 3 to 63 small letters, digits, dots and hyphens'],
  },
  {
    title: "a region of no cloud",
    config: storage("s3", { ...s3, region: "Frankfurt" }),
    problems: [
      'storage.s3.region: "Frankfurt" is not allowed; give an AWS region such as eu-central-1, or regionEndpoint for another store',
    ],
  },
  {
    title: "half a key pair",
    config: storage("s3", { ...s3, accessKey: "id" }),
    problems: ["storage.s3.secretKey: is missing; it belongs to storage.s3.accessKey"],
  },
  {
    title: "a key pair with line breaks",
    config: storage("s3", { ...s3, accessKey: "MARKER\n", secretKey: "MARKER\r\n" }),
    problems: ["accessKey", "secretKey"].map(
      (key) => `storage.s3.${key}: has a line break or a zero byte; no client can send that`,
    ),
  },
  {
    title: "an endpoint without a scheme",
    config: storage("s3", { ...s3, regionEndpoint: "store:9000" }),
    problems: ['storage.s3.regionEndpoint: "store:9000" is not allowed; give a URL with http:// or https:// and without a user'],
  },
  {
    title: "an endpoint at a port that is none",
    config: storage("s3", { ...s3, regionEndpoint: "http://store.1:99999" }),
    problems: [
      'storage.s3.regionEndpoint: "http://store.1:99999" is not allowed; give a URL with http:// or https:// and without a user',
    ],
  },
  {
    title: "TLS to an http endpoint",
    config: storage("s3", { ...s3, regionEndpoint: "http://store:9000", secure: true }),
    problems: ['storage.s3.secure: true contradicts storage.s3.regionEndpoint, which begins with "http:"; use https: there'],
  },
  {
    title: "a KMS key without encryption",
    config: storage("s3", { ...s3, keyId: "k" }),
    problems: ["storage.s3.keyId: needs storage.s3.encrypt true"],
  },
  {
    title: "parts too small",
    config: storage("s3", { ...s3, chunkSize: 1024 }),
    problems: ["storage.s3.chunkSize: 1024 is not allowed; give a whole number from 5242880 to 5368709120"],
  },
  {
    title: "parts too large for the memory",
    config: storage("s3", { ...s3, chunkSize: 268435456 }),
    problems: ["storage.s3.chunkSize: 268435456 is not allowed with resources.memory 512; give 87556096 or less, or more memory"],
  },
  {
    title: "an empty option of a driver",
    config: storage("s3", { ...s3, rootDirectory: "" }),
    problems: ["storage.s3.rootDirectory: is empty; leave it out or give a name"],
  },
  ...["team+a", "100%", "a?b", "größe"].map((rootDirectory) => ({
    title: `a folder that AWS takes for another when it copies (${rootDirectory})`,
    config: storage("s3", { ...s3, rootDirectory }),
    problems: [`storage.s3.rootDirectory: "${rootDirectory}" is not allowed; give a folder in ASCII without +, % and ? in AWS`],
  })),
  ...["100%", "a?b"].map((rootDirectory) => ({
    title: `a folder that other stores take for another when they copy (${rootDirectory})`,
    config: storage("s3", { bucket: "images", regionEndpoint: "http://minio:9000", rootDirectory }),
    problems: [`storage.s3.rootDirectory: "${rootDirectory}" is not allowed; give a folder without % and ?`],
  })),
  {
    title: "a folder that is another when it is listed",
    config: storage("s3", { ...s3, rootDirectory: "a//b" }),
    problems: ['storage.s3.rootDirectory: "a//b" is not allowed; give a folder without "//" in its path'],
  },
  {
    title: "an unknown storage class",
    config: storage("s3", { ...s3, storageClass: "COLD" }),
    problems: [
      'storage.s3.storageClass: "COLD" is not allowed; choose STANDARD, REDUCED_REDUNDANCY, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, OUTPOSTS, GLACIER_IR, EXPRESS_ONEZONE, NONE',
    ],
  },
  {
    title: "an unknown ACL",
    config: storage("s3", { ...s3, objectAcl: "everybody" }),
    problems: [
      'storage.s3.objectAcl: "everybody" is not allowed; choose private, public-read, public-read-write, authenticated-read, aws-exec-read, bucket-owner-read, bucket-owner-full-control',
    ],
  },
];
