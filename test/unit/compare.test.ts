import * as fs from "fs";
import * as http from "http";
import * as path from "path";
import { Comparison } from "../../commands/compare/comparison";
import { Workspace } from "../support/clients";
import { listening } from "../support/ports";
import { attempt, Result } from "../support/run";

/** It takes every push, and has nothing of it then. */
const forgetful = http.createServer((request, response) => {
  const known: Record<string, number> = { POST: 202, PATCH: 202, PUT: 201, GET: request.url === "/v2/" ? 200 : 404 };
  request.resume().on("end", () => response.writeHead(known[request.method ?? ""] ?? 404, { Location: "/v2/upload" }).end());
});
afterAll(() => {
  forgetful.close();
  forgetful.closeAllConnections();
});

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
  const broken = {
    away: { endpoint: "http://127.0.0.1:1" },
    bare: { endpoint: "registry.example.com" },
    port: { endpoint: "registry.example.com:5000" },
    list: { endpoint: "http://127.0.0.1:1", repositoryPrefix: ["x"] },
    none: { username: "me" },
  };

  it("has a column with its error for each registry that can't be measured, and leaves it out from then on", async () => {
    const output = path.join(folder.folder, "comparison");
    const files = { ...broken, forgetful: { endpoint: `http://127.0.0.1:${await listening(forgetful)}` } };
    const { code, stderr } = await compare(files, output);
    const { rows } = JSON.parse(fs.readFileSync(path.join(output, "comparison.json"), "utf8")) as Comparison;
    expect(Object.fromEntries(rows.map(({ name, error }) => [name, error]))).toEqual({
      away: expect.stringContaining("ECONNREFUSED") as string,
      bare: 'its endpoint "registry.example.com" is no URL such as https://registry.example.com',
      port: 'its endpoint "registry.example.com:5000" is no URL such as https://registry.example.com',
      list: "its repositoryPrefix is no text",
      none: "has no output endpoint; deploy it first",
      forgetful: expect.stringContaining("was answered 404") as string,
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining("written: ")]);
    expect(stderr.match(/^round .*/gm)).toEqual([
      expect.stringMatching(/^round 1\/1, small, forgetful: GET .* was answered 404$/),
    ]);
  });

  it("ends where none is left to be measured", async () => {
    const output = path.join(folder.folder, "nothing");
    const { code, stdout, stderr } = await compare({ none: broken.none }, output);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: "none: has no output endpoint; deploy it first\nThere is nothing to compare.\n",
    });
    expect(fs.readdirSync(output)).toEqual([]);
  });

  it("finds out that it can't write before it measures", async () => {
    const output = path.join(folder.write("file", ""), "comparison");
    const { code, stdout, stderr } = await compare({ away: { endpoint: "http://127.0.0.1:1" } }, output);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^ENOTDIR: .*\n$/);
  });
});
