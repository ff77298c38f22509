import * as fs from "fs";
import * as path from "path";
import { attempt } from "../support/run";

const projectRoot = path.join(__dirname, "..", "..");
const generator = ["--require", "./components/loader/index.cjs", path.join("scripts", "docs.ts")];

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

  it.each(["CONTRIBUTING.md", "docs/design.md"])("%s names only files that exist", (file) => {
    const named = [...read(file).matchAll(/`([\w-]+(?:\/[\w.-]+)+\.(?:ts|cjs|mjs|go|json|md|sh))`/g)].map(
      ([, name = ""]) => name,
    );
    const exists = (name: string): boolean =>
      ["", "components", "docs"].some((folder) => fs.existsSync(path.join(projectRoot, folder, name)));
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !exists(name))).toEqual([]);
  });

  it("names the plugins of the clouds in the versions of their SDKs", () => {
    const { devDependencies } = JSON.parse(read("package.json")) as { devDependencies: Record<string, string> };
    const named = [...read("docs/managed-registries.md").matchAll(/\b(aws|azure-native|gcp) (\d+\.\d+\.\d+)/g)];
    expect(Object.fromEntries(named.map(([, sdk, version]) => [`@pulumi/${sdk}`, version]))).toEqual(
      Object.fromEntries(["aws", "azure-native", "gcp"].map((sdk) => [`@pulumi/${sdk}`, devDependencies[`@pulumi/${sdk}`]])),
    );
  });

  it("has a README that is read in one sitting", () => {
    expect(readme.split("\n").length - 1).toBeLessThanOrEqual(150);
  });

  it("has every output in the README's table, and no other", () => {
    const outputs = [...read("index.ts").matchAll(/^export const (\w+)/gm)].map(([, name]) => name);
    expect(outputs.length).toBeGreaterThan(0);
    expect([...tableRows(readme, "Outputs").keys()].sort()).toEqual(outputs.sort());
  });

  it("has tables of keys, arguments and outputs that say what the doc comments say", async () => {
    const { code, stderr } = await attempt("node", [...generator, "--check"], { cwd: projectRoot });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
