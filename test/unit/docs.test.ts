import * as fs from "fs";
import * as path from "path";
import { attempt, run } from "../support/run";

const projectRoot = path.join(__dirname, "..", "..");
const generator = path.join("scripts", "reference.js");

function read(file: string): string {
  return fs.readFileSync(path.join(projectRoot, file), "utf8");
}

/** Every text for people in the repository, by its path from the root. */
function documents(folder = ""): string[] {
  return fs.readdirSync(path.join(projectRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      return entry.name.startsWith(".") || entry.name === "node_modules" || entry.name === "sdks" ? [] : documents(file);
    }
    return entry.name.endsWith(".md") ? [file] : [];
  });
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^ *```[\s\S]*?^ *```/gm, "").replace(/`[^`\n]*`/g, "");
}

/** The anchors that GitHub gives a document's headings. */
function anchors(markdown: string): string[] {
  return [...markdown.replace(/^ *```[\s\S]*?^ *```/gm, "").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replace(/ /g, "-"),
  );
}

/** The rows of a section's table, by what is in the first column as `code`. */
function tableRows(markdown: string, heading: string): Map<string, string[]> {
  const section = markdown.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? "";
  const rows = [...section.matchAll(/^\| `([^`]+)`.*\|$/gm)];
  return new Map(rows.map(([row, key = ""]) => [key, row.split("|").map((cell) => cell.trim())]));
}

describe("the documentation", () => {
  const readme = read("README.md");

  it.each(documents())("%s has no dead link inside the repository", (file) => {
    const markdown = read(file);
    const links = [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const dead = links
      .filter((link) => !/^(https?|mailto):/.test(link))
      .filter((link) => {
        const [target = "", anchor] = link.split("#");
        const found = target === "" ? file : path.join(path.dirname(file), target);
        return !fs.existsSync(path.join(projectRoot, found)) || (anchor !== undefined && !anchors(read(found)).includes(anchor));
      });
    expect(dead).toEqual([]);
  });

  it.each(documents())("%s names only npm scripts that exist", (file) => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...read(file).matchAll(/\bnpm run (?:--silent )?([a-z:]+)/g)].map(([, script = ""]) => script);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });

  it("has every key of the configuration in the README's table, with its default, and no other", async () => {
    const accepted = JSON.parse(await run("node", [generator, "--keys"], { cwd: projectRoot })) as Record<string, string>;
    const keys = Object.keys(accepted);
    const rows = tableRows(readme, "Configuration");
    // `storage.s3.*` stands for all options of a driver; they are in the reference.
    const covers = (row: string, key: string): boolean => row === key || (row.endsWith(".*") && key.startsWith(row.slice(0, -1)));
    expect(keys.length).toBeGreaterThan(20);
    expect(keys.filter((key) => ![...rows.keys()].some((row) => covers(row, key)))).toEqual([]);
    expect([...rows.keys()].filter((row) => !keys.some((key) => covers(row, key) || key.startsWith(`${row}[]`)))).toEqual([]);

    // Defaults that are values; others are told in words, which may differ.
    const value = /^("[^"]*"|\d+|true|false)$/;
    const defaults = keys.filter((key) => rows.has(key) && value.test(accepted[key] ?? ""));
    expect(Object.fromEntries(defaults.map((key) => [key, rows.get(key)?.[3]]))).toEqual(
      Object.fromEntries(defaults.map((key) => [key, `\`${accepted[key]?.replace(/"/g, "")}\``])),
    );
  });

  it("has every output in the README's table, and no other", () => {
    const outputs = [...read("index.ts").matchAll(/^export const (\w+)/gm)].map(([, name]) => name);
    expect(outputs.length).toBeGreaterThan(0);
    expect([...tableRows(readme, "Outputs").keys()].sort()).toEqual(outputs.sort());
  });

  it("has a reference that says what the doc comments say", async () => {
    const { code, stderr } = await attempt("node", [generator, "--check"], { cwd: projectRoot });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
