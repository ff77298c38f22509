"use strict";
// npm run schema: writes components/schema.json, the package as every Pulumi language sees it, as Pulumi infers it from the types
// and doc comments of the components. --print writes it to standard output.
const fs = require("fs");
const path = require("path");
const folder = path.join(__dirname, "..", "components");
require(path.join(folder, "loader", "index.cjs"));
const { ComponentProvider, getPulumiComponents } = require("@pulumi/pulumi/provider/experimental/provider");

async function main() {
  const components = getPulumiComponents(require(folder));
  const schema = await new ComponentProvider({ name: "container-registry", dirname: folder, components }).getSchema();
  const inferred = JSON.parse(schema);
  // Without it the package for Go lacks types that its components name.
  inferred.language.go.generateExtraInputTypes = true;
  const text = `${JSON.stringify(inferred, null, 2)}\n`;
  fs.writeFileSync(process.argv[2] === "--print" ? process.stdout.fd : path.join(folder, "schema.json"), text);
}

void main();
