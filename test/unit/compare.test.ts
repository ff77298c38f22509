import * as fs from "fs";
import * as path from "path";
import { Comparison } from "../../commands/compare/comparison";
import { Workspace } from "../support/clients";
import { attempt, Result } from "../support/run";

const root = path.join(__dirname, "..", "..");
const folder = new Workspace();
afterAll(() => folder.dispose());

/** Runs the command with files of these outputs. */
function compare(files: Record<string, unknown>, output: string): Promise<Result> {
  const names = Object.entries(files).map(([name, outputs]) => folder.write(`${name}.json`, JSON.stringify(outputs)));
  const loader = path.join(root, "components", "loader", "index.cjs");
  const command = path.join(root, "commands", "compare", "main.ts");
  return attempt(process.execPath, ["--require", loader, command, ...names, "--rounds", "1", "--output", output]);
}

describe("a comparison", () => {
  it("has a column with its error for each registry that can't be measured", async () => {
    const output = path.join(folder.folder, "comparison");
    const files = {
      away: { endpoint: "http://127.0.0.1:1" },
      bare: { endpoint: "registry.example.com" },
      port: { endpoint: "registry.example.com:5000" },
      list: { endpoint: "http://127.0.0.1:1", repositoryPrefix: ["x"] },
      none: { username: "me" },
    };
    const { code, stderr } = await compare(files, output);
    const { rows } = JSON.parse(fs.readFileSync(path.join(output, "comparison.json"), "utf8")) as Comparison;
    expect(Object.fromEntries(rows.map(({ name, error }) => [name, error]))).toEqual({
      away: expect.stringContaining("ECONNREFUSED") as string,
      bare: 'its endpoint "registry.example.com" is no URL such as https://registry.example.com',
      port: 'its endpoint "registry.example.com:5000" is no URL such as https://registry.example.com',
      list: "its repositoryPrefix is no text",
      none: "has no output endpoint; deploy it first",
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining("written: ")]);
  });

  it("finds out that it can't write before it measures", async () => {
    const output = path.join(folder.write("file", ""), "comparison");
    const { code, stdout, stderr } = await compare({ away: { endpoint: "http://127.0.0.1:1" } }, output);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^ENOTDIR: .*\n$/);
  });
});
