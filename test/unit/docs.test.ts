import * as fs from "fs";
import * as path from "path";
import { validity } from "../../components/checks/certificates";
import { attempt } from "../support/run";
import { schemaKeys } from "../support/schema";

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

/** What a document has its readers type, a block each. */
const shellBlocks = (markdown: string): string[] =>
  [...markdown.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].map(([, block = ""]) => block);

/** A document's links inside the repository: the file, and the anchor if there is one. */
const linksOf = (file: string): { to: string; anchor: string | undefined }[] =>
  [...withoutCode(read(file)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^(https?|mailto):/.test(link))
    .map((link) => {
      const [target = "", anchor] = link.split("#");
      return { to: target === "" ? file : path.join(path.dirname(file), target), anchor };
    });

/** The rows of a section's table, by what is in the first column as `code`. */
function tableRows(markdown: string, heading: string): Map<string, string[]> {
  const section = markdown.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? "";
  const rows = [...section.matchAll(/^\| `([^`]+)`.*\|$/gm)];
  return new Map(rows.map(([row, key = ""]) => [key, row.split("|").map((cell) => cell.trim())]));
}

describe("the documentation", () => {
  const readme = read("README.md");

  it.each(documents())("%s has no dead link inside the repository", (file) => {
    const dead = linksOf(file).filter(
      ({ to, anchor }) =>
        !fs.existsSync(path.join(projectRoot, to)) || (anchor !== undefined && !anchors(read(to)).includes(anchor)),
    );
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

  it("leads to every document from another one", () => {
    const files = documents();
    const linked = new Set(files.flatMap((file) => linksOf(file).flatMap(({ to }) => (to === file ? [] : [to]))));
    // GitHub shows the README by itself.
    expect(files.filter((file) => file !== "README.md" && !linked.has(file))).toEqual([]);
  });

  it.each(documents())("%s has no command with a secret among its arguments, which every user of the machine sees", (file) => {
    const set = shellBlocks(read(file)).flatMap((block) => [...block.matchAll(/pulumi config set (.*--secret.*)$/gm)]);
    const words = (line: string): string[] => line.replace(/ [#<].*/, "").match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
    const shown = set
      .map(([, line = ""]) => line)
      .filter((line) => words(line).filter((word) => !word.startsWith("-")).length !== 1);
    expect(shown).toEqual([]);
  });

  it.each(documents())("%s has secrets written to files that Git ignores", async (file) => {
    const blocks = shellBlocks(read(file)).filter((block) => /umask 077|--show-secrets|stack export|openssl rand/.test(block));
    const written = blocks
      .flatMap((block) => [...block.matchAll(/(?:[^2=]> ?|--file )([\w.-]+)(?!\S*\/)/g)])
      .map(([, name = ""]) => name);
    const paths = [...new Set(written)].map((name) => path.join(path.dirname(file).replace(/^docs$/, "."), name));
    const { stdout } = await attempt("git", ["check-ignore", "--no-index", "--", ...paths, "none"], { cwd: projectRoot });
    expect(paths.filter((each) => !stdout.split("\n").includes(each))).toEqual([]);
  });

  it.each(documents())("%s gives no second registry a port that is another one's by default", (file) => {
    expect(read(file).match(/config set port 500[0-3]\b/g)).toBeNull();
  });

  it("names the plugins of the clouds in the versions of their SDKs", () => {
    const { devDependencies } = JSON.parse(read("package.json")) as { devDependencies: Record<string, string> };
    const named = [...read("docs/managed-registries.md").matchAll(/\b(aws|azure-native|gcp) (\d+\.\d+\.\d+)/g)];
    expect(Object.fromEntries(named.map(([, sdk, version]) => [`@pulumi/${sdk}`, version]))).toEqual(
      Object.fromEntries(["aws", "azure-native", "gcp"].map((sdk) => [`@pulumi/${sdk}`, devDependencies[`@pulumi/${sdk}`]])),
    );
  });

  it("has cron ask for a renewed certificate three times before the old one ends", () => {
    const [, dayOfMonth, dayOfWeek] = /^ *\S+ \S+ (\S+) \* (\S+) .*pulumi up/m.exec(read("docs/tls.md")) ?? [];
    const daysBetween = dayOfWeek !== "*" ? 7 : dayOfMonth !== "*" ? 31 : 1;
    expect(validity({}).renewBeforeDays / daysBetween).toBeGreaterThan(3);
  });

  it("says at the top of the guide to Swarm which keys are others there", () => {
    const [intro = ""] = read("docs/swarm.md").split("\n## ");
    const onSwarm = schemaKeys("SwarmRegistry");
    const others = [...schemaKeys("SingleNodeRegistry").keys()].filter((key) => !onSwarm.has(key));
    expect(others).toContain("mirror.ttl");
    expect(others.filter((key) => ![key, key.split(".")[0]].some((each) => intro.includes(`\`${each}\``)))).toEqual([]);
  });

  it.each(["README.md", "docs/configuration.md"])("%s says once what holds for all targets of a key", (file) => {
    expect(read(file).match(/`: ([^|]*\.) `[\w`, -]+: \1 .*/g)).toBeNull();
  });

  it("has every folder of the repository in the design", async () => {
    const { stdout } = await attempt("git", ["ls-files", "*/*"], { cwd: projectRoot });
    const folders = new Set(
      stdout
        .trim()
        .split("\n")
        .map((file) => `${file.split("/")[0]}/`),
    );
    const [rooms = ""] = read("docs/design.md").split("The package's rooms");
    expect(folders.size).toBeGreaterThan(8);
    expect([...folders].filter((folder) => !rooms.includes(`\`${folder}\``))).toEqual([]);
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
