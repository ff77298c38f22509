import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { Workspace } from "../support/clients";
import { run } from "../support/run";
import { projectRoot } from "../support/testStack";

// What `npm install ../container-registry/components` and Pulumi's template for TypeScript make of a folder.
const project = new CleanUp().add(new Workspace());
const modules = path.join(project.folder, "node_modules");
for (const [name, folder] of [
  ["container-registry", "components"],
  ["typescript", "node_modules/typescript"],
  ["@pulumi", "node_modules/@pulumi"],
  ["@types", "node_modules/@types"],
] as const) {
  fs.mkdirSync(modules, { recursive: true });
  fs.symlinkSync(path.join(projectRoot, folder), path.join(modules, name));
}
project.write(
  "tsconfig.json",
  JSON.stringify({
    compilerOptions: {
      strict: true,
      target: "es2020",
      module: "commonjs",
      moduleResolution: "node",
      sourceMap: true,
      experimentalDecorators: true,
      esModuleInterop: true,
      noFallthroughCasesInSwitch: true,
      noImplicitReturns: true,
      forceConsistentCasingInFileNames: true,
    },
    files: ["index.ts"],
  }),
);

/** A file of the guide. */
function fromGuide(name: string): string {
  const guide = fs.readFileSync(path.join(projectRoot, "docs", "using-from-other-languages.md"), "utf8");
  return guide.split(`\`\`\`ts\n// ${name}\n`)[1]?.split("```")[0] ?? "";
}

/** What a program prints that is loaded as Pulumi does it, or as `--require ts-node/register` does. */
function printedBy(file: string, options: string[] = []): Promise<string> {
  const script = `
    const { tsnodeRequire, typescriptRequire } = require("@pulumi/pulumi/tsutils").typeScriptRequireStrings();
    require(tsnodeRequire).register({ compiler: typescriptRequire, project: "tsconfig.json" });
    require(${JSON.stringify(file)});`;
  return run("node", [...options, "--eval", script], { cwd: project.folder, env: { DOCKER_HOST: "unix:///nowhere.sock" } });
}

describe("a program in TypeScript that uses the package", () => {
  it("has its types checked without the package's sources and the clouds' SDKs", async () => {
    project.write("index.ts", fromGuide("index.ts"));
    const compiler = path.join(modules, "typescript", "bin", "tsc");
    const read = await run("node", [compiler, "--noEmit", "--listFiles"], { cwd: project.folder });
    const ofClone = read.split("\n").filter((file) => file.startsWith(projectRoot) && !file.includes("/node_modules/"));
    expect(ofClone).toEqual([path.join(projectRoot, "components", "types.d.ts")]);
    expect(read).not.toMatch(/@pulumi\/(aws|azure-native|gcp)\//);
  });

  it("is compiled by its own tsconfig.json, with its types checked", async () => {
    project.write("lib/naming.ts", 'import path from "path";\nexport const joined = path.join("x", "b");\n');
    project.write("lib/wrong.ts", 'export const port: number = "5000";\n');
    project.write(
      "program.ts",
      `import { SingleNodeRegistry } from "container-registry";
import { joined } from "./lib/naming";
console.log(joined, typeof SingleNodeRegistry);
import("./lib/wrong").then(() => console.log("taken"), (error) => console.log(String(error).match(/TS\\d+/)?.[0]));
`,
    );
    expect(await printedBy("./program.ts")).toBe("x/b function\nTS2322");
  });

  it("is tested without an engine as the guide says", async () => {
    // The bundled server would be compiled first.
    const image = `registry@sha256:${"0".repeat(64)}`;
    project.write("index.ts", fromGuide("index.ts").replace("lab: true", `$&, image: "${image}"`));
    project.write("index.test.ts", fromGuide("index.test.ts"));
    // What each Node.js prints by itself is another.
    expect(await printedBy("./index.test.ts", ["--test-reporter=tap"])).toMatch(/^# pass 1$[^]*^# fail 0$/m);
  });
});
