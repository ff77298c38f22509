import { ignoredIn } from "../../components/builds/ignored";
import { CleanUp } from "../support/cleanUp";
import { Workspace } from "../support/clients";

const cleanUp = new CleanUp();
const context = cleanUp.add(new Workspace());

function ignores(lines: string, file: string): boolean {
  context.write(".dockerignore", lines);
  return ignoredIn(context.folder, `${context.folder}/Dockerfile`)(file);
}

describe("an ignore file", () => {
  // What moby/patternmatcher 0.6.1 says of each.
  it.each<[string, string[], string[]]>([
    ["**.pem", ["server.pem", "sub/x.pem", ".pem", "x.pem/y"], ["pem", "x.pem2"]],
    ["**/.pem", [".pem", "a/.pem"], ["x.pem"]],
    ["*\n!**q", ["a", "b/a"], ["q", "xq", "b/xq", "xq/a"]],
    ["**x*", ["x", "xa", "a/xa"], ["ax", "a/bx"]],
    ["**x**", ["x", "xa", "a/xa"], ["ax"]],
    ["a/**q", ["a/q", "a/b/q"], ["a/xq", "q"]],
    ["*/**q", ["a/q"], ["a/xq"]],
    ["a**", ["a", "ab", "ab/c", "a/b"], ["ba"]],
    ["a/**", ["a/b", "a/b/c"], ["a", "ab"]],
    ["a?**", ["ab", "abc/d"], ["a"]],
    ["**", ["a", "a/b"], []],
    ["**/*.log", ["a.log", "b/a.log", "a.log/b"], ["log"]],
    ["*.log", ["a.log", "a.log/b"], ["b/a.log"]],
    ["[ab]\n[^a-y]", ["a", "b", "z"], ["c", "[ab]"]],
    ["\\[a\n\\*", ["[a", "*"], ["a", "b"]],
    ["a+(b)\nc{1}|d\n$e^", ["a+(b)", "c{1}|d", "$e^"], ["aab", "c", "d"]],
    ["./a/../b/\n /c \r\n//d", ["b", "b/x", "c", "d"], ["a"]],
    ["*\n! ./a/", ["b"], ["a", "a/b"]],
    ["*\n/!a", ["b"], ["a"]],
    ["*\n!a\na/b", ["b", "a/b", "a/b/c"], ["a", "a/c"]],
    ["#a\n #b\n\n!#c\n", ["#b"], ["a", "#a", "#c"]],
    ["\ufeff# a\nb", ["b"], ["# a"]],
  ])("with %j is read as Docker reads it", (lines, left, sent) => {
    expect([...left, ...sent].filter((file) => ignores(lines, file))).toEqual(left);
  });

  it.each(["!", "! ", "!/", "!/.", "!/..", "! /b/..", "[", "a[b", "[]", "[a-]", "[-a]", "a\\", "**\\", "[b-a]"])(
    "with the line %j is refused, as Docker does",
    (line) => {
      expect(() => ignores(`a\n${line}\n`, "a")).toThrow(`the line ${JSON.stringify(line.trim())} of`);
    },
  );

  it("of the Dockerfile goes before that of the context", () => {
    context.write(".dockerignore", "a");
    context.write("build/Dockerfile.dockerignore", "b");
    const ignored = ignoredIn(context.folder, `${context.folder}/build/Dockerfile`);
    expect(["a", "b"].filter(ignored)).toEqual(["b"]);
  });
});
