import * as fs from "fs";
import * as path from "path";
import { FakeCommands } from "../support/fakeCommands";
import { attempt } from "../support/run";

const root = path.join(__dirname, "..", "..");
const commands = new FakeCommands();

beforeAll(() => {
  fs.cpSync(path.join(root, "scripts"), path.join(commands.folder, "scripts"), { recursive: true });
  fs.chmodSync(commands.write("scripts/setup.sh", "#!/bin/sh\n"), 0o755);
});
beforeEach(() => {
  commands.calls();
  fs.rmSync(path.join(commands.folder, ".quickstart"), { recursive: true, force: true });
});
afterAll(() => commands.dispose());

/** Runs a script with the quick start's own state. */
function quickStart(script: string, ...args: string[]): ReturnType<typeof attempt> {
  const env = { ...commands.env, PULUMI_HOME: commands.folder, PULUMI_BACKEND_URL: "", PULUMI_CONFIG_PASSPHRASE: undefined };
  return attempt(path.join(commands.folder, "scripts", script), args, { env });
}

describe("npm start", () => {
  const outputs = { endpoint: "https://localhost:5000", version: "1", containerName: "registry", caCertificate: "CA" };
  const start = async (given: object, ...docker: string[]): Promise<{ stdout: string; ups: string[] }> => {
    const printed = JSON.stringify({ ...outputs, ...given });
    commands.make("pulumi", `case "$*" in "stack output"*) echo '${printed}' ;; *) echo done ;; esac`);
    commands.make("docker", ...docker);
    const { stdout } = await quickStart("start.sh");
    return { stdout, ups: commands.calls().filter((call) => call.startsWith("pulumi up")) };
  };
  const up = expect.stringMatching(/^pulumi up (?!.*--refresh)/) as string;
  const refreshing = expect.stringMatching(/^pulumi up .*--refresh/) as string;

  it.each([
    ["runs", {}, "echo true", [up]],
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
});
