import * as fs from "fs";
import * as path from "path";
import * as ts from "typescript";
import { writtenFiles } from "../support/imports";
import { run } from "../support/run";
import { projectRoot } from "../support/testStack";

const files = writtenFiles(/\.[cm]?[jt]sx?$/);
const server = writtenFiles(/(?<!_test)\.go$/);
const read = (file: string): string => fs.readFileSync(path.join(projectRoot, file), "utf8");

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

describe("the structure", () => {
  // Not those of tests: one is found by its name, which says what it is about.
  it("has folders that can be taken in", () => {
    const folders = new Map<string, number>();
    for (const file of [...files, ...server].filter((each) => !each.startsWith("test/"))) {
      folders.set(path.dirname(file), (folders.get(path.dirname(file)) ?? 0) + 1);
    }
    expect([...folders].filter(([, count]) => count > 18)).toEqual([]);
  });

  // Not tests: their cases are read one by one.
  it("has files that can be taken in", () => {
    expect(server.length).toBeGreaterThan(200);
    const all = [...files.filter((file) => !file.endsWith(".test.ts")), ...server];
    expect(all.filter((file) => read(file).split("\n").length > 301)).toEqual([]);
  });

  it("has scripts whose cd goes where they say, whatever CDPATH is", async () => {
    const scripts = (await run("git", ["ls-files", "*.sh"], { cwd: projectRoot })).split("\n");
    const relative = scripts.filter((file) => /\bcd "\$\((dirname|cd )|\$\(cd "/.test(read(file)));
    expect(relative.length).toBeGreaterThan(5);
    expect(relative.filter((file) => !/^unset CDPATH$/m.test(read(file)))).toEqual([]);
  });

  // Types are left out: those of arguments are exported for users.
  it("exports no value that nothing else uses", () => {
    const words = new Map(files.map((file) => [file, new Set(read(file).match(/\w+/g))]));
    const values = files.flatMap((file) =>
      [...read(file).matchAll(/^export (?:abstract |async )*(?:const|let|function|class)\*? (\w+)/gm)].map(([, name = ""]) => ({
        file,
        name,
      })),
    );
    expect(values.length).toBeGreaterThan(500);
    expect(values.filter(({ file, name }) => ![...words].some(([other, has]) => other !== file && has.has(name)))).toEqual([]);
  });

  it("has constructors that are tables of contents", () => {
    expect(files.flatMap(longConstructors)).toEqual([]);
  });
});
