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

const absent = (stack: string): string => `error: no stack named '"'${stack}'"' found`;
const locked = "error: getting secrets manager: incorrect passphrase";

describe("taking a stack down", () => {
  it("does nothing where there is none", async () => {
    const { code, stdout } = await takeDown(absent("dev"), "stop.sh");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "There is no stack dev; nothing to take down.\n" });
    expect(commands.calls()).toEqual(["pulumi stack select dev"]);
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
