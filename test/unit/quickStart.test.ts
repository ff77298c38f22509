import { spawnSync } from "child_process";
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

  it("gives the first registry the lab that `pulumi stack rm dev` took with the stack's file, and no other", async () => {
    const sets = async (...pulumi: string[]): Promise<string[]> => {
      commands.make(
        "pulumi",
        `case "$*" in "stack output"*) echo '${JSON.stringify(outputs)}' ;; ${pulumi.join(" ")} *) echo done ;; esac`,
      );
      commands.make("docker", "echo true");
      expect((await quickStart("start.sh")).code).toBe(0);
      return commands.calls().filter((call) => /^pulumi (config set|up)/.test(call));
    };
    const first = expect.stringMatching(/^pulumi up .*--skip-preview/) as string;
    expect(await sets()).toEqual(["pulumi config set lab true --stack dev", first]);
    expect(await sets(`"stack export"*) echo '"urn": "a"' ;;`)).toEqual([up]);
    // Who took lab out of it means to keep the images.
    commands.write("stacks/Pulumi.dev.yaml", "config: {}\n");
    expect(await sets()).toEqual([first]);
  });

  it.each([
    ["start.sh", "up"],
    ["stop.sh", "destroy"],
  ])("says how to end a lock that was left behind, and of no other: %s", async (script, command) => {
    commands
      .make("pulumi", `case "$*" in "stack export"*) echo '"urn": "a"' ;; ${command}*) echo said; exit 255 ;; esac`)
      .make("docker");
    commands.write(".quickstart/state/.pulumi/locks/organization/container-registry/lab/1.json", "{}");
    expect(await quickStart(script)).toMatchObject({ stdout: "said\n", stderr: "" });
    commands.write(".quickstart/state/.pulumi/locks/organization/container-registry/dev/2.json", "{}");
    const advice =
      "The stack dev is locked. If no other npm start or npm stop runs: npm run --silent pulumi -- cancel --yes --stack dev, then again\n";
    expect(await quickStart(script)).toEqual({ code: 255, stdout: "said\n", stderr: advice });
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

describe("a user without an account", () => {
  it("has a name for Pulumi, which needs one, and others keep theirs", async () => {
    commands.make("pulumi", 'echo "$USER"').make("id", 'case "$1" in -u) echo 61234 ;; *) echo 61234; exit 1 ;; esac');
    const asked = async (USER: string | undefined): Promise<unknown> =>
      attempt(path.join(commands.folder, "scripts/pulumi.sh"), ["whoami"], { env: { ...own, USER } });
    expect([await asked(undefined), await asked(""), await asked("jane")]).toEqual(
      ["61234\n", "61234\n", "jane\n"].map((stdout) => ({ code: 0, stdout, stderr: "" })),
    );
    fs.rmSync(path.join(commands.folder, "bin/id"));
  });
});

describe("the quick start's state", () => {
  // Only root can make what is another user's.
  (process.getuid?.() === 0 ? it : it.skip)("of another user is named, which Pulumi does not", async () => {
    commands.make("pulumi");
    const clone = path.join(commands.folder, "another clone");
    copyScripts(clone);
    fs.chmodSync(commands.folder, 0o755);
    const nobody = { uid: 65534, gid: 65534 };
    const asNobody = (): { status: number | null; stderr: string } => {
      const { status, stderr } = spawnSync(path.join(clone, "scripts/pulumi.sh"), { env: own, encoding: "utf8", ...nobody });
      return { status, stderr };
    };
    const refused = (folder: string): object => ({
      status: 1,
      stderr: expect.stringMatching(
        new RegExp(`^${clone}/${folder} is another user's, as after sudo npm start\\. .*: sudo chown -R \\S+ '${clone}'\n$`),
      ) as string,
    });
    const state = path.join(clone, ".quickstart/state/.pulumi/stacks");
    fs.mkdirSync(state, { recursive: true });
    expect(asNobody()).toEqual(refused(".quickstart"));

    const give = (folder: string): void => fs.chownSync(folder, nobody.uid, nobody.gid);
    ["", "state", "state/.pulumi"].forEach((folder) => give(path.join(clone, ".quickstart", folder)));
    expect(asNobody()).toEqual(refused(".quickstart/state/.pulumi/stacks"));
    give(state);
    // Pulumi makes a new file in its place.
    fs.writeFileSync(path.join(state, "dev.json.bak"), "{}");
    fs.mkdirSync(path.join(clone, ".tools/pulumi/workspaces"), { recursive: true });
    expect(asNobody()).toEqual(refused(".tools/pulumi/workspaces"));
    fs.chmodSync(path.join(clone, ".tools/pulumi/workspaces"), 0o777);
    expect(asNobody().stderr).not.toContain("another user");
    expect((await attempt(path.join(clone, "scripts/pulumi.sh"), [], { env: own })).code).toBe(0);
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
