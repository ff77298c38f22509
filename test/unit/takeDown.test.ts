import * as fs from "fs";
import * as path from "path";
import { FakeCommands } from "../support/fakeCommands";
import { attempt } from "../support/run";

const root = path.join(__dirname, "..", "..");
const commands = new FakeCommands();

beforeAll(() => fs.cpSync(path.join(root, "scripts"), path.join(commands.folder, "scripts"), { recursive: true }));
beforeEach(() => commands.calls());
afterAll(() => commands.dispose());

/** Runs a script where `pulumi stack select` ends with these words. */
async function takeDown(words: string, script: string, ...args: string[]): ReturnType<typeof attempt> {
  commands.make("pulumi", `case "$*" in "stack select"*) echo '${words}' >&2; exit 255 ;; esac`);
  return attempt(path.join(commands.folder, "scripts", script), args, {
    env: { ...commands.env, PULUMI_BACKEND_URL: "file:///nowhere" },
  });
}

/** Runs a script of a clone from which nothing was deployed yet. */
function fresh(script: string, ...args: string[]): ReturnType<typeof attempt> {
  const env = { ...commands.env, PULUMI_HOME: commands.folder, PULUMI_BACKEND_URL: "", PULUMI_CREDENTIALS_PATH: undefined };
  return attempt(path.join(commands.folder, "scripts", script), args, { env });
}

const absent = (stack: string): string => `error: no stack named '"'${stack}'"' found`;
const locked = "error: getting secrets manager: incorrect passphrase";

describe("taking a stack down", () => {
  it("does nothing where there is none", async () => {
    const { code, stdout } = await takeDown(absent("dev"), "stop.sh");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "There is no stack dev; nothing to take down.\n" });
    expect(commands.calls()).toEqual(["pulumi stack select dev"]);
  });

  it("asks nobody, and leaves nothing, before anything was deployed", async () => {
    commands.make("pulumi", "exit 127");
    commands.write("scripts/swarm-nodes.sh", '#!/bin/sh\necho "nodes $1"\n');
    const nothing = { code: 0, stdout: "There is no stack dev; nothing to take down.\n", stderr: "" };
    expect(await fresh("stop.sh")).toEqual(nothing);
    expect(await fresh("lab.sh", "down")).toEqual({ code: 0, stdout: "nodes down\n", stderr: "" });
    const message = "There is no registry to look into; npm start brings one, and what this needs.\n";
    expect(await fresh("images.sh", "list")).toEqual({ code: 1, stdout: "", stderr: message });
    expect(commands.calls()).toEqual([]);
    expect(fs.existsSync(path.join(commands.folder, ".quickstart"))).toBe(false);
  });

  const gone = "\nThe registry is gone. Bring up a new one with: npm start\n";
  const others = "\nThe stack dev is gone. The container container-registry-dev is not its own, and stays:";
  it.each([
    ["nothing in the stack", '"manifest": {}', "true", "There is nothing in the stack dev; nothing to take down.\n", false],
    ["a registry", '"urn": "a"', "exit 1", gone, true],
    ["a registry, which another clone has", '"urn": "a"', "true", others, true],
  ])("tells what became of %s", async (_, state, docker, said, destroyed) => {
    commands.make("pulumi", `case "$*" in "stack export"*) echo '{ ${state} }' ;; esac`).make("docker", docker);
    const { code, stdout } = await attempt(path.join(commands.folder, "scripts", "stop.sh"), [], {
      env: { ...commands.env, PULUMI_BACKEND_URL: "file:///nowhere" },
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(said) as string });
    expect(commands.calls().includes("pulumi destroy --stack dev --yes")).toBe(destroyed);
  });

  it("goes on with the lab's nodes where there is none", async () => {
    commands.write("scripts/swarm-nodes.sh", '#!/bin/sh\necho "nodes $1"\n');
    const { code, stdout } = await takeDown(absent("lab"), "lab.sh", "down");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "nodes down\n" });
  });

  it.each([
    ["stop.sh", []],
    ["lab.sh", ["down"]],
  ])("does not take another failure for that: %s %s", async (script, args) => {
    const { code, stdout, stderr } = await takeDown(locked, script, ...args);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: `${locked}\n` });
    expect(commands.calls()).toHaveLength(1);
  });
});
