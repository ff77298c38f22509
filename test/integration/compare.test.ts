import { spawn } from "child_process";
import * as fs from "fs";
import * as path from "path";
import * as bcrypt from "bcryptjs";
import { Comparison, Row } from "../../commands/compare/comparison";
import { RegistryClient } from "../../commands/registryClient";
import { CleanUp } from "../support/cleanUp";
import { Workspace } from "../support/clients";
import { LocalRegistry } from "../support/localRegistry";
import { Result } from "../support/run";
import { readable, secretOf } from "../support/secretSearch";
import { projectRoot, TestStack } from "../support/testStack";
import { TokenServer } from "../support/tokenServer";

const login = { username: "tester", password: "password-of-the-comparison" };

/** A deployed stack, and three registries of other makes, of which one ends half way. */
describe("a comparison of registries", () => {
  const cleanUp = new CleanUp();
  const tokens = cleanUp.add(new TokenServer(login));
  const stock = path.join(
    projectRoot,
    ".tools",
    fs.readdirSync(path.join(projectRoot, ".tools")).find((entry) => entry.startsWith("stock-")) ?? "",
    "registry",
  );
  const debian = cleanUp.add(new LocalRegistry("docker-registry", login));
  const token = cleanUp.add(new LocalRegistry(stock, login));
  const stopped = cleanUp.add(new LocalRegistry("docker-registry", login));
  const output = cleanUp.add(new Workspace());
  let stack: TestStack;
  let password: string;
  let run: Result;
  let comparison: Comparison;

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.create());
    password = (await stack.up()).password;
    const htpasswd = debian.write("htpasswd", `${login.username}:${await bcrypt.hash(login.password, 4)}\n`);
    const basic = `auth: {htpasswd: {realm: test, path: ${htpasswd}}}`;
    const bundle = token.write("bundle.pem", tokens.certificate);
    const realm = await tokens.start();
    const bearer = `  delete: {enabled: true}
auth: {token: {realm: "${realm}", service: ${TokenServer.service}, issuer: ${TokenServer.issuer}, rootcertbundle: ${bundle}}}`;
    const files = [
      await debian.start("debian", basic),
      await token.start("token", bearer),
      await stopped.start("stopped", basic),
    ];

    const words = [stack.name, ...files, `${output.folder}/missing.json`];
    run = await compare(words, (line) => {
      if (line.startsWith("round 1/2, small, stopped:")) {
        stopped.stop();
      }
    });
    if (run.code !== 0) {
      throw new Error(run.stderr);
    }
    comparison = JSON.parse(fs.readFileSync(`${output.folder}/comparison.json`, "utf8")) as Comparison;
  });

  /** Runs the command in the stack's folder, where its name is known; `onLine` is told of every line of progress. */
  function compare(names: string[], onLine: (line: string) => void): Promise<Result> {
    const sizes = ["--rounds", "2", "--small", "5", "--large", "2", "--output", output.folder];
    const loader = path.join(projectRoot, "components", "loader", "index.cjs");
    const child = spawn(
      process.execPath,
      ["--require", loader, path.join(projectRoot, "commands", "compare", "main.ts"), ...names, ...sizes],
      { cwd: stack.folder, env: { ...process.env, ...stack.env } },
    );
    const result: Result = { code: null, stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      result.stderr += text;
      text.split("\n").forEach(onLine);
    });
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ ...result, code }));
    });
  }

  function row(name: string): Row {
    const found = comparison.rows.find((each) => each.name === name);
    if (found === undefined) {
      throw new Error(`no row ${name}:\n${run.stdout}${run.stderr}`);
    }
    return found;
  }

  it("ends well, and has a row for everyone", () => {
    expect(run.code).toBe(0);
    expect(comparison.rows.map(({ name }) => name)).toEqual([stack.name, "debian", "token", "stopped", "missing"]);
  });

  it("measures every round of each image, with the requests it took", () => {
    for (const name of [stack.name, "debian", "token"]) {
      const { samples, error } = row(name);
      expect(error).toBeUndefined();
      expect(Object.entries(samples).map(([kind, all]) => [kind, all.length])).toEqual([
        ["small", 2],
        ["large", 2],
      ]);
      for (const sample of samples.small ?? []) {
        // Two for each of the six blobs, one for the manifest; more for logins.
        expect(sample.pushRequests).toBeGreaterThanOrEqual(13);
        expect(sample.pullRequests).toBeGreaterThanOrEqual(7);
        expect(sample.firstBytes).toHaveLength(6);
        expect(sample.bytes).toBeGreaterThan(5 * 100 * 1024);
        expect(sample.pushSeconds).toBeGreaterThan(0);
        expect(sample.pullSeconds).toBeGreaterThan(0);
      }
    }
  });

  it("tells how one logs in, and what protects the way", () => {
    expect(row(stack.name)).toMatchObject({ authentication: "Basic", encryption: "TLSv1.3", storage: "through the registry" });
    expect(row("debian")).toMatchObject({ authentication: "Basic", encryption: "none" });
    expect(row("token")).toMatchObject({ authentication: "Bearer", encryption: "none" });
    // The engine names repositories and actions in any order.
    const asked = tokens.scopes.map((scopes) => scopes.split(" ").map((scope) => scope.replace(/push,pull$/, "pull,push")));
    const pushes = asked.filter((scopes) => scopes.some((scope) => /^repository:compare-\w+:pull,push$/.test(scope)));
    expect(pushes.some((scopes) => scopes.length === 1)).toBe(true);
    // A mount needs both repositories in one token.
    expect(pushes.some((scopes) => scopes.some((scope) => /^repository:compare-\S+:pull$/.test(scope)))).toBe(true);
  });

  it("tells what each one supports", () => {
    const common = { "chunked upload": "yes", "cross-repository mount": "yes", catalog: "yes", "immutable tags": "no" };
    expect(row("debian").support).toEqual({ ...common, referrers: "no", delete: "no" });
    expect(row("token").support).toEqual({ ...common, referrers: "no", delete: "yes" });
    expect(row(stack.name).support).toMatchObject(common);
  });

  it("has one that ended as a row with its error, and what was measured before", () => {
    expect(row("stopped").error).toMatch(/ECONNREFUSED|ECONNRESET|socket hang up/);
    expect(row("stopped").samples.small).toHaveLength(1);
    expect(row("missing").error).toContain("ENOENT");
  });

  it("deletes what it pushed where that is allowed", async () => {
    const client = new RegistryClient({ endpoint: token.endpoint, ...login });
    const { body } = await client.request("GET", "/v2/_catalog");
    const { repositories } = JSON.parse(body.toString()) as { repositories: string[] };
    for (const repository of repositories) {
      const tags = await client.request("GET", `/v2/${repository}/tags/list`);
      expect((JSON.parse(tags.body.toString()) as { tags?: string[] | null }).tags ?? []).toEqual([]);
    }
    client.close();
  });

  it("shows progress, and writes a report with charts and the figures, none of them with a password", () => {
    expect(run.stderr).toContain(`round 2/2, large, token: push `);
    const files = ["comparison.md", "comparison.json"].map((name) => ({
      name,
      text: fs.readFileSync(path.join(output.folder, name), "utf8"),
    }));
    for (const { text } of [...files, { text: run.stdout }]) {
      for (const name of [stack.name, "debian", "token", "stopped"]) {
        expect(text).toContain(name);
      }
    }
    expect(files[0]?.text).toMatch(new RegExp(`x-axis \\[.*"${stack.name}".*\\]\\n {2}bar \\[(\\d+\\.\\d{2}(, )?)+\\]`));
    const places = [...files, { name: "output", text: run.stdout + run.stderr }];
    expect(readable([secretOf("password", password), secretOf("other password", login.password)], places)).toEqual([]);
  });

  it("fails where nothing could be measured at all", async () => {
    expect((await compare(["missing.json"], () => undefined)).code).toBe(1);
  });
});
