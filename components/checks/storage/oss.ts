import { OssStorage } from "../../args/storage";
import { Problem } from "../problems";
import { alternatives, filled, inOneLine, required, texts, together, when, wholeNumbers } from "../rules";
import { GiB, KiB } from "../../render/sizes";

const at = "storage.oss.";
const needed = 'storage.driver "oss" needs it';

export function ossProblems(options: OssStorage): Problem[] {
  const { bucket, region, accessKeyId, accessKeySecret, ramRole, chunkSize, multipartCopyThresholdSize } = options;
  const { encrypt, encryptionKeyId, endpoint, internal, accelerate, rootDirectory } = options;
  return [
    ...required(at, { bucket, region }, needed),
    ...texts(at, filled({ bucket }), /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, "3 to 63 small letters, digits and hyphens"),
    ...texts(at, filled({ region }), /^[a-z]{2}-[a-z0-9-]+$/, 'a region such as cn-hangzhou, without "oss-" before it'),
    ...together(at, { accessKeyId, accessKeySecret }),
    ...inOneLine(at, { accessKeyId, accessKeySecret }),
    ...wholeNumbers(at, { chunkSize, multipartCopyThresholdSize }, 100 * KiB, GiB),
    ...texts(
      at,
      filled({ endpoint }),
      /^(https?:\/\/)?[a-z0-9.-]+(:\d{1,5})?\/?$/i,
      "a host name with or without https:// and port",
    ),
    ...texts(
      at,
      filled({ rootDirectory }),
      /^\/*(?=.{1,256}$)[\w.-]+(\/[\w.-]+)*\/*$/,
      "a path of letters, digits, dots, underscores and hyphens, up to 256",
    ),
    ...when(encryptionKeyId !== undefined && encrypt !== true, `${at}encryptionKeyId`, `needs ${at}encrypt true`),
    ...alternatives(at, { accessKeyId, ramRole }),
    ...Object.entries({ internal, accelerate }).flatMap(([key, value]) =>
      when(
        value === true && endpoint !== undefined,
        `${at}${key}`,
        `can't be combined with ${at}endpoint; the endpoint says itself where it is`,
      ),
    ),
    ...when(
      internal === true && accelerate === true,
      `${at}accelerate`,
      `true is not allowed beside ${at}internal; acceleration is for clients outside Alibaba Cloud`,
    ),
  ];
}
