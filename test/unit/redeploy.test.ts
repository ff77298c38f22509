import { spawn } from "child_process";
import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { Workspace } from "../support/clients";
import { freePort } from "../support/ports";
import { eventually } from "../support/run";
import { projectRoot } from "../support/testStack";

/** The recipe in examples/redeploy, with a `docker` that knows three services and can't update one of them at first. */
describe("the receiver of redeployments", () => {
  const cleanUp = new CleanUp();

  it("lets no service that can't be updated keep others from it, and tries it again", async () => {
    const files = cleanUp.add(new Workspace());
    const broken = files.write("broken", "");
    const calls = files.write("calls", "");
    const docker = files.write(
      "docker",
      `#!/bin/sh
case "$*" in
*"service ls"*redeploy=shop/a:p*) printf 'bad\\ngood\\n' ;;
*"service ls"*redeploy=shop/z:p*) echo other ;;
*"service update"*)
  for name; do :; done
  if [ "$name" = bad ] && [ -e "${broken}" ]; then echo "network gone not found" >&2; exit 1; fi
  echo "$name" >> "${calls}" ;;
esac
`,
    );
    fs.chmodSync(docker, 0o755);
    const port = await freePort();
    const env = { PATH: `${path.dirname(docker)}:${process.env.PATH}`, REGISTRY: "registry.example.com", PORT: String(port) };
    const receiver = spawn(process.execPath, [path.join(projectRoot, "examples", "redeploy", "redeploy.mjs")], {
      env: { ...env, TOKEN_FILE: files.write("token", "secret"), RETRY: "0.1" },
      stdio: "ignore",
    });
    cleanUp.add({ dispose: () => void receiver.kill() });

    const send = async (repository: string): Promise<number> => {
      const target = { repository, tag: "p", digest: `sha256:${"0".repeat(64)}` };
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        headers: { Authorization: "Bearer secret" },
        body: JSON.stringify({ events: [{ action: "push", target, timestamp: "2026-01-01T00:00:00Z" }] }),
      });
      return answer.status;
    };
    await eventually("the receiver", async () => (await send("shop/none").catch(() => 0)) === 200);
    const updated = (): string[] => fs.readFileSync(calls, "utf8").split("\n").filter(Boolean);
    expect(await send("shop/a")).toBe(200);
    expect(updated()).toEqual(["good"]);
    expect(await send("shop/z")).toBe(200);
    expect(updated()).toEqual(["good", "other"]);

    fs.rmSync(broken);
    await eventually("the service that is well again", () => Promise.resolve(updated().includes("bad")));
    // What was sent before comes again.
    expect(await send("shop/a")).toBe(200);
    expect(updated()).toEqual(["good", "other", "bad"]);
  });
});
