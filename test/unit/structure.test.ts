import * as fs from "fs";
import * as path from "path";
import * as ts from "typescript";
import { run } from "../support/run";
import { projectRoot } from "../support/testStack";

/** The files of a kind below a folder, of TypeScript that somebody wrote by default, by their paths from the root. */
function sources(folder: string, kind = /(?<!\.d)\.ts$/): string[] {
  return fs
    .readdirSync(path.join(projectRoot, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && kind.test(entry.name) && !entry.parentPath.includes("node_modules"))
    .map((entry) => path.relative(projectRoot, path.join(entry.parentPath, entry.name)));
}

const files = ["components", "program", "commands", "scripts"].flatMap((folder) => sources(folder));
const read = (file: string): string => fs.readFileSync(path.join(projectRoot, file), "utf8");

/** The files of this project that a file imports. */
function importsOf(file: string): string[] {
  return [...read(file).matchAll(/from "(\.{1,2}\/[^"]+|\.{1,2})"/g)].flatMap(([, specifier = ""]) => {
    const target = path.join(path.dirname(file), specifier);
    return [`${target}.ts`, path.join(target, "index.ts")].filter((each) => files.includes(each));
  });
}

/** The constructors of a file that are longer than a table of contents: `file:line`, with their length. */
function longConstructors(file: string): string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1;
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isConstructorDeclaration(node)) {
      const [first, last] = [lineAt(node.getStart(source)), lineAt(node.getEnd())];
      found.push(...(last - first + 1 > 60 ? [`${file}:${first} has ${last - first + 1} lines`] : []));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Files that import each other round and round, from one that does to itself again. */
function circle(): string[] {
  const done = new Set<string>();
  const walk = (file: string, way: string[]): string[] => {
    if (way.includes(file)) {
      return [...way.slice(way.indexOf(file)), file];
    }
    if (done.has(file)) {
      return [];
    }
    for (const next of importsOf(file)) {
      const found = walk(next, [...way, file]);
      if (found.length > 0) {
        return found;
      }
    }
    done.add(file);
    return [];
  };
  return files.map((file) => walk(file, [])).find((found) => found.length > 0) ?? [];
}

describe("the structure", () => {
  it("has no circle of imports", () => {
    expect(files.flatMap(importsOf).length).toBeGreaterThan(200);
    expect(circle()).toEqual([]);
  });

  it("has files and folders that can be taken in", () => {
    const server = sources("server", /(?<!_test)\.go$/);
    expect(server.length).toBeGreaterThan(200);
    const folders = new Map<string, number>();
    for (const file of [...files, ...server]) {
      folders.set(path.dirname(file), (folders.get(path.dirname(file)) ?? 0) + 1);
    }
    expect([...folders].filter(([, count]) => count > 18)).toEqual([]);
    const all = [...files, ...server, ...sources("test/support")];
    expect(all.filter((file) => read(file).split("\n").length > 301)).toEqual([]);
  });

  it("has scripts whose cd goes where they say, whatever CDPATH is", async () => {
    const scripts = (await run("git", ["ls-files", "*.sh"], { cwd: projectRoot })).split("\n");
    const relative = scripts.filter((file) => /\bcd "\$\((dirname|cd )|\$\(cd "/.test(read(file)));
    expect(relative.length).toBeGreaterThan(5);
    expect(relative.filter((file) => !/^unset CDPATH$/m.test(read(file)))).toEqual([]);
  });

  it("has constructors that are tables of contents", () => {
    expect(files.flatMap(longConstructors)).toEqual([]);
  });

  // The rules are in eslint.config.mjs, which Jest can't load; npm run lint applies them.
  it("lets no room import one above it", async () => {
    const refused = [
      ["components/args/new.ts", "../checks/rules"],
      ["components/render/new.ts", "../checks/problems"],
      ["components/checks/new.ts", "../docker/engine"],
      ["components/checks/new.ts", "child_process"],
      ["components/docker/new.ts", "../selfHosted/serverImage"],
      ["components/stores/new.ts", "../selfHosted/serverImage"],
      ["components/managed/new.ts", "../swarm/topology"],
      ["components/selfHosted/new.ts", "../swarm/topology"],
      ["components/swarm/new.ts", "../../program/target"],
      ["program/new.ts", "../test/support/run"],
      ["commands/images/new.ts", "../../components"],
      ["scripts/new.ts", "../test/support/run"],
    ];
    const allowed = [
      ["components/swarm/new.ts", "../selfHosted/serverImage"],
      ["components/checks/new.ts", "../args/registry"],
      ["commands/images/new.ts", "../registryClient"],
    ];
    const script = `
      import { ESLint } from "eslint";
      // The one rule needs no types, and the files aren't there to have any.
      const overrideConfig = [{ files: ["**/*.ts"], languageOptions: { parserOptions: { projectService: false } } }];
      const eslint = new ESLint({ overrideConfig, ruleFilter: ({ ruleId }) => ruleId === "no-restricted-imports" });
      const refused = [];
      for (const [filePath, specifier] of ${JSON.stringify([...refused, ...allowed])}) {
        const [{ messages }] = await eslint.lintText('import "' + specifier + '";', { filePath });
        if (messages.some(({ ruleId }) => ruleId === "no-restricted-imports")) {
          refused.push([filePath, specifier]);
        }
      }
      console.log(JSON.stringify(refused));`;
    const printed = await run("node", ["--input-type=module", "--eval", script], { cwd: projectRoot });
    expect(JSON.parse(printed)).toEqual(refused);
  });
});
