import { BadConfiguration } from "../badConfiguration";
import { storage } from "./options";

const oss = { bucket: "images", region: "cn-hangzhou" };

export const badOss: BadConfiguration[] = [
  {
    title: "a region with oss- before it",
    config: storage("oss", { ...oss, region: "oss_cn" }),
    problems: ['storage.oss.region: "oss_cn" is not allowed; give a region such as cn-hangzhou, without "oss-" before it'],
  },
  {
    title: "an endpoint and the internal one",
    config: storage("oss", { ...oss, internal: true, endpoint: "oss.example.com" }),
    problems: ["storage.oss.internal: can't be combined with storage.oss.endpoint; the endpoint says itself where it is"],
  },
  {
    title: "an endpoint and acceleration",
    config: storage("oss", { ...oss, accelerate: true, endpoint: "oss.example.com" }),
    problems: ["storage.oss.accelerate: can't be combined with storage.oss.endpoint; the endpoint says itself where it is"],
  },
  {
    title: "the internal endpoint and acceleration",
    config: storage("oss", { ...oss, internal: true, accelerate: true }),
    problems: [
      "storage.oss.accelerate: true is not allowed beside storage.oss.internal; acceleration is for clients outside Alibaba Cloud",
    ],
  },
  {
    title: "a path where OSS has none",
    config: storage("oss", { ...oss, endpoint: "https://store/images", rootDirectory: "a b" }),
    problems: [
      'storage.oss.endpoint: "https://store/images" is not allowed; give a host name with or without https:// and port',
      'storage.oss.rootDirectory: "a b" is not allowed; give a path of letters, digits, dots, underscores and hyphens, up to 256',
    ],
  },
  {
    title: "a key of spaces",
    config: storage("oss", { ...oss, accessKeyId: " ", accessKeySecret: "MARKER" }),
    problems: ["storage.oss.accessKeyId: is empty; leave it out or give a name"],
  },
  {
    title: "a key of two lines",
    config: storage("oss", { ...oss, accessKeyId: "k", accessKeySecret: "MAR\nKER" }),
    problems: ["storage.oss.accessKeySecret: has a line break or a zero byte; no client can send that"],
  },
];
