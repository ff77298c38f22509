import { spawnSync } from "child_process";
import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, Workspace } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { attempt, Result, run } from "../support/run";
import { projectRoot } from "../support/testStack";

const pulumiDownloads = "https://get.pulumi.com/releases/sdk/";
// Asked for as set-up does it: an answer of any kind will do.
const download = spawnSync("curl", ["--fail", "--silent", "--connect-timeout", "3", "--output", "/dev/null", pulumiDownloads]);
const downloads = (process.env.PULUMI_TOOLCHAIN ?? "") !== "" || download.status === 0 || download.status === 22;

if (!downloads) {
  it.todo(
    `npm start with a download of Pulumi, not run: ${pulumiDownloads} can't be reached, and PULUMI_TOOLCHAIN names no archive`,
  );
}

/**
 * What a newcomer does: a fresh clone, an empty HOME, `npm start`. On an engine of its own, as the quick start has a fixed name and
 * port.
 */
describe.each([
  ...(downloads ? ([["with a download of Pulumi", false]] as const) : []),
  ["where only package registries can be reached", true] as const,
])("npm start on a fresh clone %s", (_, packagesOnly) => {
  const cleanUp = new CleanUp();
  let engine: PrivateEngine;
  let docker: DockerClient;
  let clone: string;
  let env: Record<string, string | undefined>;

  beforeAll(async () => {
    const workspace = cleanUp.add(new Workspace());
    engine = cleanUp.add(await PrivateEngine.start());
    docker = cleanUp.add(new DockerClient(engine.env));
    clone = path.join(workspace.folder, "main");
    await run("git", ["clone", "--quiet", projectRoot, clone]);
    const home = path.join(workspace.folder, "home");
    fs.mkdirSync(home);
    if (packagesOnly) {
      // For curl, which set-up asks for Pulumi, the download is where nobody answers.
      fs.writeFileSync(path.join(home, ".curlrc"), 'connect-to = "get.pulumi.com:443:127.0.0.1:1"\n');
    }
    const kept = packagesOnly ? [] : ["PULUMI_TOOLCHAIN"];
    const pulumi = Object.keys(process.env).filter((name) => name.startsWith("PULUMI_") && !kept.includes(name));
    env = {
      ...Object.fromEntries(pulumi.map((name) => [name, undefined])),
      ...engine.env,
      HOME: home,
      PATH: (process.env.PATH ?? "")
        .split(":")
        .filter((folder) => !fs.existsSync(path.join(folder, "pulumi")) && !folder.includes("node_modules"))
        .join(":"),
      // Only what was downloaded before is shared with the machine's user, to spare the package registries.
      npm_config_cache: await run("npm", ["config", "get", "cache"]),
      GOMODCACHE: await run("go", ["env", "GOMODCACHE"]),
      GOCACHE: await run("go", ["env", "GOCACHE"]),
    };
  });

  const npm = (...words: string[]): Promise<Result> => attempt("npm", words, { cwd: clone, env });
  const started = async (): Promise<string> =>
    (await docker.run("ps", "--format", "{{.ID}} {{.Status}}")).replace(/Up .* \(/, "(");

  it(
    "ends with a registry, and says what to type next",
    async () => {
      const { code, stdout, stderr } = await npm("start");
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("https://localhost:5000");
      expect(/^setup: building Pulumi .* took \d+ s$/m.test(stderr)).toBe(packagesOnly);
      expect(stderr).toMatch(/^setup: registry server: took \d+ s$/m);
      // Two screens. The server is compiled by set-up, and resources are all that Pulumi tells of.
      expect(`${stdout}${stderr}`.trim().split("\n").length).toBeLessThanOrEqual(48);
      expect(stdout).not.toContain("registry server");
      expect(stderr.includes("setup: using stand-ins")).toBe(
        packagesOnly || process.env.CONTAINER_REGISTRY_PROVIDERS === "stand-in",
      );
      expect(await started()).toMatch(/\(healthy\)$/);

      const commands = [...stdout.matchAll(/^ {2}\d\. \w+ +(.*)$/gm)].map(([, command = ""]) => command);
      expect(commands).toHaveLength(3);
      const [trust = "", login = "", push = ""] = commands;
      // Trust is for the engine's machine; the text is made here, where Pulumi is.
      const script = await run("sh", ["-c", trust.replace(/ \| sh$/, "")], { cwd: clone, env });
      expect((await engine.on("sh", ["-c", script])).code).toBe(0);
      expect(await run("sh", ["-c", login], { cwd: clone, env: { ...env, ...docker.env } })).toContain("Login Succeeded");
      await docker.buildImage("hello-world", [1000]);
      await run("sh", ["-c", push.replaceAll("IMAGE", "hello-world")], { cwd: clone, env: { ...env, ...docker.env } });
      await docker.run("image", "rm", "localhost:5000/hello-world");
      // Pulumi compiles for minutes where Go has no cache.
    },
    25 * 60_000,
  );

  it("keeps its passphrase to its owner, and git sees none of what it made but the stack's salt", async () => {
    expect(fs.statSync(path.join(clone, ".quickstart", "passphrase")).mode & 0o777).toBe(0o600);
    expect(await run("git", ["status", "--short"], { cwd: clone })).toBe(" M stacks/Pulumi.dev.yaml");
  });

  it("changes nothing when it is typed again", async () => {
    const before = await started();
    const { code, stdout, stderr } = await npm("start");
    expect(code).toBe(0);
    expect(stdout).toMatch(/Resources:\s+\d+ unchanged/);
    expect(stderr).not.toMatch(/^setup:/m);
    expect(await started()).toBe(before);
  });

  it("is out of reach from the project in examples/yaml, where npm finds the same command", async () => {
    const folder = path.join(clone, "examples", "yaml");
    const { code, stderr } = await attempt("npm", ["run", "--silent", "pulumi", "--", "stack"], { cwd: folder, env });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("has a Pulumi project of its own") as string });
  });

  it("is taken down by npm stop, and leaves nothing", async () => {
    expect((await npm("stop")).code).toBe(0);
    expect(await docker.run("ps", "--all", "--quiet")).toBe("");
    expect(await docker.run("volume", "ls", "--quiet")).toBe("");
    expect(await docker.run("image", "ls", "--format", "{{.Repository}}")).toBe("hello-world");
  });
});
