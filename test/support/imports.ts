import { execFileSync } from "child_process";
import * as fs from "fs";
import { isBuiltin } from "module";
import * as path from "path";
import * as ts from "typescript";
import { projectRoot } from "./testStack";

/** A folder of sources, as rooms.json describes it. */
interface Room {
  /** `folder/**` with all folders below, `folder/*` without them, or one file. */
  files: string;
  /** The rooms that it may import, besides itself. */
  imports: string[];
  /** The packages and parts of Node.js that it may import; undefined for all. */
  packages?: string[];
  /** Whether it may import modules that are known only at run time. */
  computed?: boolean;
}

/** What an import leads to: a file of the project, or a package or a part of Node.js; neither if it is known only at run time. */
interface Import {
  specifier: string;
  file?: string;
  package?: string;
}

const rooms = JSON.parse(fs.readFileSync(path.join(projectRoot, "rooms.json"), "utf8")) as Record<string, Room>;

/** The files of a kind that somebody wrote, even those not committed yet, by their paths from the root. */
export function writtenFiles(kind: RegExp): string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: projectRoot });
  const files = [...new Set(listed.toString().split("\n"))];
  return files.filter(
    (file) => kind.test(file) && file !== "components/types.d.ts" && fs.existsSync(path.join(projectRoot, file)),
  );
}

const roomBy = new Map(Object.entries(rooms).map(([name, { files }]) => [files, name]));

/** The name of the room that a file is in: first the room of the file alone, then that of its folder, then those of the folders above. */
function roomOf(file: string): string | undefined {
  const folder = path.dirname(file);
  const above = folder.split("/").map((_, at, parts) => [...parts.slice(0, parts.length - at), "**"].join("/"));
  return [file, folder === "." ? "*" : `${folder}/*`, ...above]
    .map((files) => roomBy.get(files))
    .find((name) => name !== undefined);
}

const { config } = ts.readConfigFile(path.join(projectRoot, "tsconfig.json"), (file) => ts.sys.readFile(file)) as {
  config: object;
};
const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, projectRoot);
const cache = ts.createModuleResolutionCache(projectRoot, (file) => file, options);

/** All that a file imports, in whatever way, as the compiler finds it. */
export function importsOf(file: string, text = fs.readFileSync(path.join(projectRoot, file), "utf8")): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = source.referencedFiles.map(({ fileName }) => leadsTo(file, `./${fileName}`));
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) {
      found.push(ts.isStringLiteralLike(specifier) ? leadsTo(file, specifier.text) : { specifier: specifier.getText() });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** What a node imports: `import`, `export … from`, `import(…)` of values and of types, `import x = require(…)`, `require(…)`. */
function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier;
  }
  if (ts.isExternalModuleReference(node)) {
    return node.expression;
  }
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument;
  }
  const imports =
    ts.isCallExpression(node) &&
    (node.expression.kind === ts.SyntaxKind.ImportKeyword || /^(\w+\.)?require(\.resolve)?$/.test(node.expression.getText()));
  return imports ? node.arguments[0] : undefined;
}

function leadsTo(file: string, specifier: string): Import {
  if (isBuiltin(specifier)) {
    return { specifier, package: packageOf(specifier.replace(/^node:/, "")) };
  }
  const from = path.join(projectRoot, file);
  const resolved = ts.resolveModuleName(specifier, from, options, ts.sys, cache).resolvedModule?.resolvedFileName;
  if (resolved === undefined && !/^[./]/.test(specifier)) {
    // A package that is not installed, such as those of the clouds in a plain set-up.
    return { specifier, package: packageOf(specifier) };
  }
  const target = path.relative(projectRoot, resolved ?? path.resolve(path.dirname(from), specifier));
  const installed = /.*node_modules\/(.*)/.exec(target)?.[1];
  return installed === undefined
    ? { specifier, file: target }
    : { specifier, package: packageOf(specifier.startsWith(".") ? installed : specifier) };
}

/** A package's name, without the path inside it. */
const packageOf = (specifier: string): string => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

/** The imports of a file that its room does not allow, each as `file: specifier`. */
export function trespasses(file: string, text?: string): string[] {
  const name = roomOf(file);
  const room = rooms[name ?? ""];
  if (room === undefined) {
    return [`${file} is in no room`];
  }
  const mayImport = (each: Import): boolean => {
    if (each.file !== undefined) {
      const target = roomOf(each.file) ?? "";
      return target === name || room.imports.includes(target);
    }
    return each.package === undefined ? room.computed === true : room.packages?.includes(each.package) !== false;
  };
  return importsOf(file, text)
    .filter((each) => !mayImport(each))
    .map(({ specifier }) => `${file}: ${specifier}`);
}
