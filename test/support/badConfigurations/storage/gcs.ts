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
  {
    title: "parts of an odd size",
    config: storage("gcs", { bucket: "images", chunkSize: 300000 }),
    problems: ["storage.gcs.chunkSize: 300000 is not allowed; give a multiple of 262144 (256 KiB)"],
  },
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
