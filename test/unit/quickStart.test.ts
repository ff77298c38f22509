import * as fs from "fs";
import * as path from "path";
import { fileURLToPath } from "url";
import { copyScripts, FakeCommands } from "../support/fakeCommands";
import { attempt } from "../support/run";

const commands = new FakeCommands();

beforeAll(() => {
  copyScripts(commands.folder);
  fs.chmodSync(commands.write("scripts/setup.sh", "#!/bin/sh\n"), 0o755);
});
beforeEach(() => {
  commands.calls();
  fs.rmSync(path.join(commands.folder, ".quickstart"), { recursive: true, force: true });
});
afterAll(() => commands.dispose());

/** Runs a script with the quick start's own state. */
function quickStart(script: string, ...args: string[]): ReturnType<typeof attempt> {
  return attempt(path.join(commands.folder, "scripts", script), args, { env: own });
}
const own = { ...commands.env, PULUMI_HOME: commands.folder, PULUMI_BACKEND_URL: "", PULUMI_CONFIG_PASSPHRASE: undefined };

describe("npm start", () => {
  const outputs = { endpoint: "https://localhost:5000", version: "1", containerName: "registry", caCertificate: "CA" };
  const start = async (given: object, ...docker: string[]): Promise<{ stdout: string; ups: string[] }> => {
    const printed = JSON.stringify({ ...outputs, ...given });
    commands.make(
      "pulumi",
      `case "$*" in "stack output"*) echo '${printed}' ;; *docker:host*) echo tcp://own ;; *docker:context*) echo own ;; *) echo done ;; esac`,
    );
    commands.make("docker", ...docker);
    const { stdout } = await quickStart("start.sh");
    return { stdout, ups: commands.calls().filter((call) => call.startsWith("pulumi up")) };
  };
  const up = expect.stringMatching(/^pulumi up (?!.*--refresh)/) as string;
  const refreshing = expect.stringMatching(/^pulumi up .*--refresh/) as string;

  it("stores what became of the registry where a build fails", async () => {
    expect((await start({}, "echo true")).ups).toEqual([expect.stringContaining(" --continue-on-error")]);
  });

  it.each([
    ["runs", {}, "echo true", [up]],
    ["runs on the stack's own engine", {}, '[ "$1 $2" = "--host tcp://own" ] && echo true', [up]],
    ["runs in the stack's own context", {}, '[ "$1 $2" = "--context own" ] && echo true', [up]],
    ["is no container", { containerName: "" }, "exit 1", [up]],
    ["was stopped", {}, "echo false", [up, refreshing]],
    ["was removed", {}, "exit 1", [up, refreshing]],
  ])("says that the registry is up, and brings back what is not: it %s", async (_, given, docker, expected) => {
    const { stdout, ups } = await start(given, docker);
    expect(ups).toEqual(expected);
    expect(stdout).toContain("Your registry is up.");
  });
});

describe("the quick start's passphrase", () => {
  const passphrase = path.join(commands.folder, ".quickstart", "passphrase");

  it("is made before the first stack", async () => {
    commands.make("pulumi");
    expect((await quickStart("pulumi.sh", "version")).code).toBe(0);
    expect(fs.readFileSync(passphrase, "utf8")).toMatch(/^\S{32}$/m);
  });

  it("is missed, and not made anew, once there is a stack", async () => {
    commands.make("pulumi");
    commands.write(".quickstart/state/.pulumi/stacks/container-registry/dev.json", "{}");
    const { code, stderr } = await quickStart("pulumi.sh", "up");
    expect({ code, calls: commands.calls() }).toEqual({ code: 1, calls: [] });
    expect(stderr).toContain(`${passphrase} is gone`);
    expect(fs.existsSync(passphrase)).toBe(false);
  });

  it("is named where another one is set, which does not open the stack", async () => {
    const error = "error: getting stack configuration: get stack secrets manager: incorrect passphrase";
    commands.make("pulumi", `case "$*" in up*) echo '${error}' >&2; exit 255 ;; esac`);
    commands.write(".quickstart/passphrase", "own");
    const start = path.join(commands.folder, "scripts", "start.sh");
    const { code, stderr } = await attempt(start, [], { env: { ...own, PULUMI_CONFIG_PASSPHRASE: "another" } });
    expect(code).toBe(1);
    expect(stderr.split("\n")).toEqual([
      error,
      expect.stringMatching(/^If the passphrase was incorrect: it is that of PULUMI_CONFIG_PASSPHRASE or /),
      `is in ${passphrase}; to use it, unset both.`,
      "",
    ]);
  });
});

describe("the environment of Pulumi", () => {
  it("is the clone's, whatever its folder is called, and wherever cd looks", async () => {
    const clone = path.join(commands.folder, "the clone #1? 100%41");
    copyScripts(clone);
    commands.make("pulumi", 'echo "$PULUMI_BACKEND_URL"');
    const { stdout } = await attempt("scripts/pulumi.sh", [], { cwd: clone, env: { ...own, CDPATH: clone } });
    expect(fileURLToPath(stdout.trim())).toBe(path.join(clone, ".quickstart", "state"));
  });

  it("keeps a proxy out of what its processes say to each other", async () => {
    commands.make("pulumi", 'echo "$no_grpc_proxy"');
    expect((await quickStart("pulumi.sh")).stdout).toBe("127.0.0.1,localhost\n");
  });
});
