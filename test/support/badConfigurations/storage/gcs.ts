import { BadConfiguration } from "../badConfiguration";
import { storage } from "./options";

export const badGcs: BadConfiguration[] = [
  {
    title: "a file name for a service account",
    config: storage("gcs", { bucket: "images", credentials: "key.json" }),
    problems: [
      'storage.gcs.credentials: is not the JSON key of a service account (a JSON object of texts, with "type": "service_account", "client_email" and "private_key")',
    ],
  },
  ...[" a", "/ a"].map((rootDirectory) => ({
    title: `a blank before a folder ("${rootDirectory}")`,
    config: storage("gcs", { bucket: "images", rootDirectory }),
    problems: [`storage.gcs.rootDirectory: "${rootDirectory}" is not allowed; give a folder that begins with no blank`],
  })),
  {
    title: "parts of an odd size",
    config: storage("gcs", { bucket: "images", chunkSize: 300000 }),
    problems: ["storage.gcs.chunkSize: 300000 is not allowed; give a multiple of 262144 (256 KiB)"],
  },
  {
    title: "memory too little for parts of more than the usual size",
    config: { ...storage("gcs", { bucket: "images", chunkSize: 17039360 }), resources: { memory: 64 } },
    problems: ["storage.gcs.chunkSize: 17039360 is not allowed with resources.memory 64; give 16777216 or less, or more memory"],
  },
  ...["google-images", "my-g00gle-images", "googol"].map((bucket) => ({
    title: `a bucket with a name that Google keeps for itself (${bucket})`,
    config: storage("gcs", { bucket }),
    problems: [
      `storage.gcs.bucket: "${bucket}" is not allowed; give small letters, digits, dots, hyphens and underscores, without "google" in it or "goog" at its beginning`,
    ],
  })),
  {
    title: "a key of a service account with a number in it",
    config: storage("gcs", {
      bucket: "images",
      credentials: '{"type":"service_account","client_email":"a@b.c","private_key":"k","client_id":5}',
    }),
    problems: [
      'storage.gcs.credentials: is not the JSON key of a service account (a JSON object of texts, with "type": "service_account", "client_email" and "private_key")',
    ],
  },
];
