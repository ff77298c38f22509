import { execFileSync } from "child_process";
import * as fs from "fs";
import * as path from "path";
import * as yaml from "js-yaml";
import { Storage } from "../../components";
import { cloudModule } from "../../components/cloud/cloudSdk";

const root = path.join(__dirname, "..", "..");
const project = yaml.load(fs.readFileSync(path.join(root, "Pulumi.yaml"), "utf8")) as {
  runtime: { options: { nodeargs: string } };
};

/** The parts of the clouds' SDKs that a program loads when Node.js runs it as Pulumi runs ours. */
function loadedBy(program: string): string[] {
  const report = `
    process.on("exit", () => {
      const { sep } = require("path");
      const parts = Object.keys(require.cache).map((file) => file.split(sep + "@pulumi" + sep)[1]?.split(sep));
      const found = parts.filter((part) => ["aws", "azure-native", "gcp"].includes(part?.[0]));
      console.log(JSON.stringify([...new Set(found.map((part) => part.slice(0, 2).join("/")))]));
    });`;
  const words = [...project.runtime.options.nodeargs.split(" "), "-e", report + program];
  return JSON.parse(execFileSync(process.execPath, words, { cwd: root, encoding: "utf8" })) as string[];
}

/** The same of a program with one registry, in a preview: nothing that the clouds would answer is known. */
function loadedByRegistry(storage: Storage): string[] {
  return loadedByStack({ image: `registry@sha256:${"0".repeat(64)}`, storage });
}

/** The same of a stack with this configuration. */
function loadedByStack(config: object): string[] {
  return loadedBy(`
    const { runtime } = require("@pulumi/pulumi");
    runtime.setMocks({ newResource: () => ({ id: "", state: {} }), call: () => ({}) }, "project", "stack", true);
    require("./program/stackConfig").checkStackConfig(${JSON.stringify(config)}).deploy("registry");`);
}

describe("the SDK of a cloud", () => {
  it("is not loaded with the components", () => {
    expect(loadedBy('require("./components")')).toEqual([]);
  });

  it.each<Storage>([{}, { driver: "s3", s3: { region: "eu-central-1", bucket: "images" } }])(
    "is not loaded by a registry without provision: %j",
    (storage) => {
      expect(loadedByRegistry(storage)).toEqual([]);
    },
  );

  it.each<[string, Storage]>([
    ["aws", { driver: "s3", provision: true, s3: { region: "eu-central-1" } }],
    ["azure-native", { driver: "azure", provision: true, azure: { location: "westeurope" } }],
    ["gcp", { driver: "gcs", provision: true, gcs: { location: "EU" } }],
  ])("is loaded by a registry with provision: %s, in parts, and no other", (sdk, storage) => {
    const loaded = loadedByRegistry(storage);
    expect(new Set(loaded.map((part) => part.split("/")[0]))).toEqual(new Set([sdk]));
    expect(loaded).not.toContain(`${sdk}/index.js`);
  });

  it("is not loaded for a registry that exists already", () => {
    expect(loadedByStack({ target: "external", external: { hostname: "registry.example.com" } })).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ["ecr", { ecr: { repositories: ["app"] } }, ["aws/ecr"]],
    ["acr", { acr: { location: "westeurope" } }, ["azure-native/authorization", "azure-native/containerregistry"]],
    ["artifact-registry", { artifactRegistry: { location: "europe" } }, ["gcp/artifactregistry", "gcp/organizations"]],
  ])("is loaded for target %s, in parts, and no other", (target, config, parts) => {
    const loaded = loadedByStack({ target, ...config });
    const sdks = new Set(parts.map((part) => part.split("/")[0] ?? ""));
    expect(new Set(loaded.map((part) => part.split("/")[0]))).toEqual(sdks);
    expect(loaded).toEqual(expect.arrayContaining(parts));
    expect(loaded).not.toContain(`${[...sdks].join()}/index.js`);
  });

  it("is asked for by the command that installs it when it is missing", () => {
    const missing = Object.assign(new Error("Cannot find module '@pulumi/aws/s3'\nRequire stack:…"), {
      code: "MODULE_NOT_FOUND",
    });
    expect(() =>
      cloudModule("@pulumi/aws/s3", () => {
        throw missing;
      }),
    ).toThrow(
      `This configuration needs @pulumi/aws, which is not installed; run npm install @pulumi/aws@7.48.0 in ${path.join(__dirname, "..", "..")}`,
    );
  });

  it("fails with its own error when it is there and broken", () => {
    const broken = Object.assign(new Error("Cannot find module 'semver'\nRequire stack:\n- …/@pulumi/aws/s3/index.js"), {
      code: "MODULE_NOT_FOUND",
    });
    expect(() =>
      cloudModule("@pulumi/aws/s3", () => {
        throw broken;
      }),
    ).toThrow(broken);
  });
});
