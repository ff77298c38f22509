import { execFile } from "node:child_process";
import { once } from "node:events";

const parts = `
set -euo pipefail
. scripts/parts.sh
killed() { kill -9 $BASHPID; part killed true; }
unset() { part "$nothing" true; }
red() { part red false; }
green() { part green true; }
`;

async function runs(...aside: string[]): Promise<{ code: number; rows: string[] }> {
  const script = [parts, ...aside.map((each) => `aside ${each}`), "part first true", "finish"].join("\n");
  let printed = "";
  // What runs this test may be such a run itself, and is not to be told.
  const env = { ...process.env, CONTAINER_REGISTRY_REPORTS: "" };
  const child = execFile("bash", ["-c", script], { cwd: `${__dirname}/../..`, env });
  child.stdout?.on("data", (text: string) => (printed += text));
  const [code] = (await once(child, "close")) as [number];
  const rows = printed.slice(printed.lastIndexOf("\n\n") + 2).matchAll(/^(\w+) +(ok|FAILED) /gm);
  return { code, rows: [...rows].map(([, name, result]) => `${name} ${result}`) };
}

describe("the parts of a check", () => {
  test.each([
    [[], 0, ["first ok"]],
    [["green"], 0, ["first ok", "green ok"]],
    [["red", "green"], 1, ["first ok", "green ok", "red FAILED"]],
    [["killed", "green"], 1, ["first ok", "green ok", "killed FAILED"]],
    [["unset"], 1, ["first ok", "unset FAILED"]],
  ])("aside %j: ends with %i", async (aside, code, rows) => {
    const run = await runs(...aside);
    expect(run.code).toBe(code);
    expect(run.rows.sort()).toEqual(rows);
  });
});
