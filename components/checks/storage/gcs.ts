import { GcsStorage } from "../../args/storage";
import { knownNow } from "../inputs";
import { Problem, shown } from "../problems";
import { filled, notEmpty, required, texts, when, wholeNumbers } from "../rules";
import { provisionedOptions } from "./provisioned";
import { GiB, KiB } from "../../render/sizes";

const at = "storage.gcs.";
const needed = 'storage.driver "gcs" needs it';

export function gcsProblems(options: GcsStorage, provision: boolean): Problem[] {
  const { bucket, credentials, location, serviceAccount, rootDirectory, chunkSize, maxConcurrency } = options;
  const key = knownNow(credentials);
  return [
    ...provisionedOptions(at, provision, { fills: { credentials }, reads: { location, serviceAccount } }),
    ...(provision
      ? [...required(at, { location }, needed), ...notEmpty(at, { bucket, serviceAccount })]
      : required(at, { bucket }, needed)),
    ...texts(at, filled({ location }), /^[A-Za-z0-9-]+$/, "a location such as europe-west3 or EU"),
    ...texts(at, filled({ serviceAccount }), /^[^@\s:]+@[^@\s:]+\.[^@\s:]+$/, "the e-mail of a service account"),
    ...texts(
      at,
      filled({ bucket }),
      /^(?!goog|.*g[o0]{2}gle)[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/,
      'small letters, digits, dots, hyphens and underscores, without "google" in it or "goog" at its beginning',
    ),
    // The engine drops a leading blank from the names that it makes, but not from those that it reads.
    ...texts(at, filled({ rootDirectory }), /^\/*(?![/\s])/, "a folder that begins with no blank"),
    ...wholeNumbers(at, { chunkSize }, 256 * KiB, GiB),
    ...when(
      Number.isInteger(chunkSize) && Number(chunkSize) % (256 * KiB) !== 0,
      `${at}chunkSize`,
      `${shown(chunkSize)} is not allowed; give a multiple of ${256 * KiB} (256 KiB)`,
    ),
    ...wholeNumbers(at, { maxConcurrency }, 25, 10_000),
    ...when(
      key !== undefined && !isServiceAccountKey(key),
      `${at}credentials`,
      'is not the JSON key of a service account (a JSON object of texts, with "type": "service_account", "client_email" and "private_key")',
    ),
  ];
}

/** A key as Google's console gives it (https://cloud.google.com/iam/docs/keys-create-delete). */
function isServiceAccountKey(json: string): boolean {
  try {
    const key = JSON.parse(json) as Record<string, unknown> | null;
    return (
      key?.type === "service_account" &&
      [key.client_email, key.private_key, ...Object.values(key)].every((value) => typeof value === "string")
    );
  } catch {
    return false;
  }
}
