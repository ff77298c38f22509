import { S3Storage } from "../../args/storage";
import { Problem, shown } from "../problems";
import { filled, inOneLine, notEmpty, oneOf, required, texts, together, urls, when, wholeNumbers } from "../rules";
import { provisionedOptions } from "./provisioned";
import { GiB, MiB } from "../../render/sizes";

const at = "storage.s3.";
const needed = 'storage.driver "s3" needs it';

const storageClasses = [
  ...["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING"],
  ...["OUTPOSTS", "GLACIER_IR", "EXPRESS_ONEZONE", "NONE"],
];
const cannedAcls = [
  ...["private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read"],
  ...["bucket-owner-read", "bucket-owner-full-control"],
];
/** A region in the form of AWS; which ones exist is Amazon's business. */
export const awsRegion = /^[a-z]{2,}(-[a-z]+)+-\d+$/;
/** The ARN of a key in AWS KMS. */
export const kmsKeyArn = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;

export function s3Problems(options: S3Storage, provision: boolean): Problem[] {
  const { bucket, region, regionEndpoint, accessKey, secretKey, encrypt, keyId, secure, role, objectAcl, storageClass } = options;
  const { chunkSize, multipartCopyChunkSize, multipartCopyMaxConcurrency, multipartCopyThresholdSize } = options;
  return [
    ...provisionedOptions(at, provision, { fills: { accessKey, secretKey, objectAcl }, reads: { role } }),
    ...(provision
      ? provisionedProblems(options)
      : [...required(at, { bucket }, needed), ...together(at, { accessKey, secretKey })]),
    ...texts(at, filled({ bucket }), /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "3 to 63 small letters, digits, dots and hyphens"),
    ...(regionEndpoint === undefined
      ? [
          ...required(at, { region }, needed),
          ...texts(at, filled({ region }), awsRegion, "an AWS region such as eu-central-1, or regionEndpoint for another store"),
        ]
      : []),
    ...(provision ? [] : folderProblems(options)),
    ...pathProblems(options),
    ...inOneLine(at, { accessKey, secretKey }),
    ...urls(at, { regionEndpoint }),
    ...when(
      regionEndpoint?.startsWith("http:") === true && secure === true,
      `${at}secure`,
      `true contradicts ${at}regionEndpoint, which begins with "http:"; use https: there`,
    ),
    ...when(keyId !== undefined && encrypt !== true, `${at}keyId`, `needs ${at}encrypt true`),
    ...wholeNumbers(at, { chunkSize, multipartCopyChunkSize }, 5 * MiB, 5 * GiB),
    ...wholeNumbers(at, { multipartCopyMaxConcurrency }, 1, 10_000),
    ...wholeNumbers(at, { multipartCopyThresholdSize }, 0, 5 * GiB),
    ...oneOf(at, { storageClass }, storageClasses),
    ...oneOf(at, { objectAcl }, cannedAcls),
  ];
}

/** The engine copies without encoding the source's name. Stores decode it; what becomes of a + depends on the store, which is tried in `up`. */
function folderProblems({ rootDirectory, regionEndpoint }: S3Storage): Problem[] {
  return regionEndpoint === undefined
    ? texts(at, filled({ rootDirectory }), /^[^+%?\u0080-\uffff]+$/, "a folder in ASCII without +, % and ? in AWS")
    : texts(at, filled({ rootDirectory }), /^[^%?]+$/, "a folder without % and ?");
}

/** The engine's client tidies names when it writes and reads, but not when it lists. */
function pathProblems({ rootDirectory = "" }: S3Storage): Problem[] {
  return when(
    /[^/]\/{2,}[^/]/.test(rootDirectory),
    `${at}rootDirectory`,
    `${shown(rootDirectory)} is not allowed; give a folder without "//" in its path`,
  );
}

/** What the bucket that `storage.provision` makes can't do, and what its policies are made from. */
function provisionedProblems(options: S3Storage): Problem[] {
  const { bucket, role, keyId, regionEndpoint, secure, accelerate, storageClass, rootDirectory } = options;
  return [
    ...notEmpty(at, { bucket, role, keyId }),
    ...when(
      regionEndpoint !== undefined,
      `${at}regionEndpoint`,
      "is for stores that are not AWS; storage.provision makes the bucket in AWS",
    ),
    ...when(
      secure === false,
      `${at}secure`,
      "false is not allowed with storage.provision; its bucket refuses requests without TLS",
    ),
    ...when(
      accelerate === true,
      `${at}accelerate`,
      "true is not allowed with storage.provision; its bucket has no Transfer Acceleration",
    ),
    ...when(
      ["OUTPOSTS", "EXPRESS_ONEZONE"].includes(storageClass ?? ""),
      `${at}storageClass`,
      `${shown(storageClass)} is not allowed with storage.provision; it needs another kind of bucket`,
    ),
    // These become part of policies, which wildcards and variables would widen.
    ...texts(at, filled({ rootDirectory }), /^[\w!.()'/-]+$/, "letters, digits and /_-.!'() with storage.provision"),
    ...texts(at, filled({ role }), /^[\w+=,.@-]{1,64}$/, "the name of an IAM role, not its ARN"),
    ...texts(at, filled({ keyId }), kmsKeyArn, "the key's ARN with storage.provision: arn:aws:kms:<region>:<account>:key/<id>"),
  ];
}
