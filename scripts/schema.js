"use strict";
// npm run schema: writes what others know of the package, as its components' types and doc comments say: components/schema.json for
// every Pulumi language, as Pulumi infers it, and components/types.d.ts for TypeScript, whose compiler so needs neither the sources
// nor the clouds' SDKs. With a folder as argument it writes them there.
const fs = require("fs");
const path = require("path");
const folder = path.join(__dirname, "..", "components");
require(path.join(folder, "loader", "index.cjs"));
const { ComponentProvider, getPulumiComponents } = require("@pulumi/pulumi/provider/experimental/provider");
const ts = require("typescript");

async function schema() {
  const components = getPulumiComponents(require(folder));
  const provider = new ComponentProvider({ name: "container-registry", dirname: folder, components });
  const inferred = JSON.parse(await provider.getSchema());
  // Without it the package for Go lacks types that its components name.
  inferred.language.go.generateExtraInputTypes = true;
  return `${JSON.stringify(inferred, null, 2)}\n`;
}

/** One file for all that index.ts exports; nothing in there imports more than the SDK and each other. */
function types() {
  const index = path.join(folder, "index.ts");
  const { config } = ts.readConfigFile(path.join(folder, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  const program = ts.createProgram([index], { ...options, noEmit: false, declaration: true, emitDeclarationOnly: true });
  let text = '// Made by npm run schema.\nimport * as pulumi from "@pulumi/pulumi";\n';
  for (const [, exported] of fs.readFileSync(index, "utf8").matchAll(/ from "(.*)"/g)) {
    const source = program.getSourceFile(path.join(folder, `${exported}.ts`));
    program.emit(source, (_, declared) => (text += declared.replace(/^import .*\n/gm, "")));
  }
  return text;
}

async function main(target = folder) {
  fs.writeFileSync(path.join(target, "schema.json"), await schema());
  fs.writeFileSync(path.join(target, "types.d.ts"), types());
}

void main(process.argv[2]);
