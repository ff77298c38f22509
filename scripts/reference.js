"use strict";
/*
 * npm run docs: writes docs/reference.md from the doc comments of components/.
 *   --check  writes nothing, and fails when the file is stale
 *   --keys   prints the keys of the stack's configuration and their defaults as JSON, for test/unit/docs.test.ts
 */
const fs = require("fs");
const path = require("path");
const ts = require("typescript");

const root = path.dirname(__dirname);
const target = path.join(root, "docs", "reference.md");
const componentsFile = path.join(root, "components", "index.ts");
const targetsFolder = path.join(root, "program", "targets");
const targetFiles = fs.readdirSync(targetsFolder).map((file) => path.join(targetsFolder, file));

const program = ts.createProgram([componentsFile, ...targetFiles], {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.CommonJS,
  moduleResolution: ts.ModuleResolutionKind.Node10,
  strict: true,
  resolveJsonModule: true,
  skipLibCheck: true,
  types: ["node"],
});
const checker = program.getTypeChecker();

const text = (parts) => ts.displayPartsToString(parts).replace(/\s+/g, " ").trim();
const comment = (symbol) => text(symbol.getDocumentationComment(checker));
// A comment's last sentence has the default; a tag for it would not reach the package's schema, and so no other language.
const lastSentence = /(?:^| )Default: (.*)\.$/;
const description = (symbol) => comment(symbol).replace(lastSentence, "");
const defaultOf = (symbol) => lastSentence.exec(comment(symbol))?.[1] ?? "";
// Outside of `code` a < would begin an HTML tag.
const cell = (value) => value.replace(/`[^`]*`|[<]/g, (each) => (each === "<" ? "&lt;" : each)).replace(/\|/g, "\\|");
const anchor = (name) => `#${name.toLowerCase()}`;

function exported() {
  const module = checker.getSymbolAtLocation(program.getSourceFile(componentsFile));
  return checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
}

/** `Input<Tls>[]` with links to the types this file describes. */
function typeText(node, known) {
  const source = node
    .getText()
    .replace(/\bpulumi\./g, "")
    .replace(/^Output<(.*)>$/s, "$1");
  const named = /^(\w+)(\[\])?$/.exec(source);
  return named && known.has(named[1]) ? `[${source.replace(/([[\]])/g, "\\$1")}](${anchor(named[1])})` : `\`${source}\``;
}

function table(head, rows) {
  return [
    `| ${head.join(" | ")} |`,
    `|${" --- |".repeat(head.length)}`,
    ...rows.map((row) => `| ${row.map(cell).join(" | ")} |`),
  ];
}

function inputs(type, known) {
  const rows = type.members.filter(ts.isPropertySignature).map((member) => {
    const symbol = checker.getSymbolAtLocation(member.name);
    const optional = member.questionToken !== undefined;
    return [`\`${symbol.name}\``, typeText(member.type, known), optional ? defaultOf(symbol) : "(required)", description(symbol)];
  });
  return table(["Name", "Type", "Default", "Meaning"], rows);
}

function outputs(component, known) {
  const rows = component.members
    .filter((member) => ts.isPropertyDeclaration(member) && /^(pulumi\.)?Output</.test(member.type?.getText() ?? ""))
    .filter((member) => member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PublicKeyword))
    .map((member) => {
      const symbol = checker.getSymbolAtLocation(member.name);
      return [`\`${symbol.name}\``, typeText(member.type, known), description(symbol)];
    });
  return table(["Name", "Type", "Meaning"], rows);
}

/** The values of `const X = { Name: "value" } as const`. */
function values(declaration) {
  const members = declaration.initializer.expression.properties;
  return table(
    ["Value", "Meaning"],
    members.map((member) => [`\`${member.initializer.text}\``, description(checker.getSymbolAtLocation(member.name))]),
  );
}

function reference() {
  const symbols = exported();
  const of = (test) =>
    symbols.flatMap((symbol) => symbol.declarations.filter(test).map((declaration) => ({ symbol, declaration })));
  const components = of(ts.isClassDeclaration);
  const interfaces = of(ts.isInterfaceDeclaration);
  const enums = of((each) => ts.isVariableDeclaration(each) && each.initializer && ts.isAsExpression(each.initializer));
  const known = new Set([...interfaces, ...enums].map(({ symbol }) => symbol.name));
  const argsOf = new Map(interfaces.map(({ symbol, declaration }) => [symbol.name, declaration]));
  const isArgs = (name) => components.some((component) => name === `${component.symbol.name}Args`);

  return [
    "# Reference",
    "",
    "<!-- Written by `npm run docs` from the doc comments in components/. Change them, not this file. -->",
    "",
    "The components of the package `container-registry`, with their arguments and outputs. `Input<T>` means: a value, or an Output",
    "of another resource. The stack's configuration has the same keys as `SingleNodeRegistry`; see the [README](../README.md#configuration).",
    "",
    ...components.flatMap(({ symbol, declaration }) => [
      `## ${symbol.name}`,
      "",
      description(symbol),
      "",
      `Type token \`container-registry:index:${symbol.name}\`.`,
      "",
      "Arguments:",
      "",
      ...inputs(argsOf.get(`${symbol.name}Args`), known),
      "",
      "Outputs:",
      "",
      ...outputs(declaration, known),
      "",
    ]),
    ...[...interfaces, ...enums]
      .filter(({ symbol }) => !isArgs(symbol.name))
      .flatMap(({ symbol, declaration }) => [
        `## ${symbol.name}`,
        "",
        description(symbol),
        "",
        ...(ts.isInterfaceDeclaration(declaration) ? inputs(declaration, known) : values(declaration)),
        "",
      ]),
  ].join("\n");
}

/** The members of an object type, or of the objects in a list of them; none for anything else. */
function membersOf(type) {
  const given = checker.getNonNullableType(type);
  const each = checker.isArrayType(given) ? checker.getIndexTypeOfType(given, ts.IndexKind.Number) : given;
  return each.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection) ? checker.getPropertiesOfType(each) : [];
}

/**
 * What the targets of program/targets accept (`tls.mode`, `users[].name`, …), read from the types their shapes give; each key with
 * the default of the argument it stands for. A target `swarm` has the arguments SwarmRegistryArgs.
 */
function configurationKeys() {
  const args = new Map(exported().map((symbol) => [symbol.name.toLowerCase(), symbol]));
  const keys = { target: "" };
  const walk = (type, key, argument, known) => {
    const list = checker.isArrayType(checker.getNonNullableType(type)) ? "[]" : "";
    const members = membersOf(type);
    if (members.length === 0) {
      keys[key] ||= argument === undefined ? "" : defaultOf(argument);
    }
    for (const member of members) {
      const path = key === "" ? member.name : `${key}${list}.${member.name}`;
      const same = known.find(({ name }) => name === member.name);
      walk(checker.getTypeOfSymbol(member), path, same, same ? membersOf(checker.getTypeOfSymbol(same)) : []);
    }
  };
  for (const file of targetFiles) {
    const name = path.basename(file, ".ts").toLowerCase();
    const [target] = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
    const read = checker.getTypeOfSymbol(target).getCallSignatures()[0].getReturnType();
    const argument = args.get(`${name}registryargs`) ?? args.get(`${name}args`);
    const known = membersOf(checker.getDeclaredTypeOfSymbol(argument));
    walk(checker.getTypeOfSymbol(read.getProperty("args")), "", undefined, known);
    const images = membersOf(checker.getDeclaredTypeOfSymbol(args.get("registryimagesargs"))).find(
      (each) => each.name === "images",
    );
    walk(checker.getTypeOfSymbol(read.getProperty("images")), "images", images, membersOf(checker.getTypeOfSymbol(images)));
  }
  return keys;
}

if (process.argv.includes("--keys")) {
  console.log(JSON.stringify(configurationKeys()));
} else if (!process.argv.includes("--check")) {
  fs.writeFileSync(target, reference());
} else if (!fs.existsSync(target) || fs.readFileSync(target, "utf8") !== reference()) {
  console.error("docs/reference.md is stale; write it anew with: npm run docs");
  process.exitCode = 1;
}
