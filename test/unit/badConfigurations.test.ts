import * as pulumi from "@pulumi/pulumi";
import { checkStackConfig } from "../../program/stackConfig";
import { badConfigurations } from "../support/badConfigurations";

it.each(badConfigurations)("refuses $title", ({ config, problems }) => {
  let error: unknown;
  try {
    checkStackConfig(config);
  } catch (thrown) {
    error = thrown;
  }
  // Pulumi shows a RunError without the program's stack.
  expect(error).toBeInstanceOf(pulumi.RunError);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  expect((error as Error).message.split("\n")).toEqual([
    `The configuration has ${count}; nothing was changed:`,
    ...problems.map((problem) => `  - ${problem}`),
  ]);
});

it.each<[string, Record<string, unknown>]>([
  ["a region that is younger than this package", { storage: { driver: "s3", s3: { bucket: "images", region: "mx-central-1" } } }],
  ["a region of another partition", { storage: { driver: "s3", s3: { bucket: "images", region: "eusc-de-east-1" } } }],
  ["such a region of ECR", { target: "ecr", ecr: { region: "eusc-de-east-1", repositories: ["app"] } }],
  [
    "names that end with a number, as a file of hosts may have them",
    {
      hosts: { "minio.1": "192.0.2.1", "files.0x1f": "192.0.2.2" },
      storage: { driver: "s3", s3: { bucket: "images", regionEndpoint: "http://minio.1:9000", accessKey: "a", secretKey: "b" } },
      foreignLayerHosts: ["files.0x1f:8443"],
      mirror: { upstream: "https://registry.2" },
    },
  ],
  [
    "a folder that other stores than AWS may copy",
    { storage: { driver: "s3", s3: { bucket: "images", regionEndpoint: "http://minio:9000", rootDirectory: "größe & co" } } },
  ],
  ["a folder that is the bucket itself", { storage: { driver: "gcs", gcs: { bucket: "images", rootDirectory: "/" } } }],
  ["little memory for the usual chunk", { storage: { driver: "gcs", gcs: { bucket: "images" } }, resources: { memory: 64 } }],
  [
    "a large chunk that nobody uploads",
    {
      storage: { driver: "oss", oss: { bucket: "images", region: "cn-hangzhou", ramRole: "r", chunkSize: 2 ** 30 } },
      readOnly: true,
    },
  ],
  [
    "the longest names of tags in Azure",
    { target: "acr", acr: { location: "westeurope", tags: { ["t".repeat(512)]: "v".repeat(256) } } },
  ],
  ["names of people and robots", { users: [{ name: "jane@example.com" }, { name: "ci+robot" }] }],
])("takes %s", (_, config) => {
  expect(() => checkStackConfig(config)).not.toThrow();
});

it("has a title for every entry of the table", () => {
  expect(new Set(badConfigurations.map(({ title }) => title)).size).toBe(badConfigurations.length);
  expect(badConfigurations.length).toBeGreaterThanOrEqual(40);
});
