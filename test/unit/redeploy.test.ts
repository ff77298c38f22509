import { spawn } from "child_process";
import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { Workspace } from "../support/clients";
import { freePort } from "../support/ports";
import { eventually } from "../support/run";
import { projectRoot } from "../support/testStack";

/** The recipe in examples/redeploy, with a `docker` that knows three services. */
describe("the receiver of redeployments", () => {
  const cleanUp = new CleanUp();

  interface Receiver {
    /** A file that is there as long as the service `bad` can't be updated. */
    broken: string;
    /** A file that has the next `docker` hang that finds it. */
    hanging: string;
    /** The services that were updated. */
    updated: () => string[];
    /** What a push is answered. */
    send: (repository: string, at?: Date) => Promise<number>;
  }

  async function receive(): Promise<Receiver> {
    const files = cleanUp.add(new Workspace());
    const [broken, hanging] = [path.join(files.folder, "broken"), path.join(files.folder, "hanging")];
    const calls = files.write("calls", "");
    const docker = files.write(
      "docker",
      `#!/bin/sh
if rm "${hanging}" 2>/dev/null; then exec sleep 300; fi
case "$*" in
*"service ls"*redeploy=shop/a:p*) printf 'bad\\ngood\\n' ;;
*"service ls"*redeploy=shop/z:p*) echo other ;;
*"service inspect"*) echo '{"Spec":{"TaskTemplate":{"ContainerSpec":{"Image":"app"}}}}' ;;
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
      env: { ...env, TOKEN_FILE: files.write("token", "secret"), RETRY: "0.1", PATIENCE: "1" },
      stdio: "ignore",
    });
    cleanUp.add({ dispose: () => void receiver.kill() });
    const began = new Date();

    const send = async (repository: string, at = began): Promise<number> => {
      const target = { repository, tag: "p", digest: `sha256:${"0".repeat(64)}` };
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        headers: { Authorization: "Bearer secret" },
        body: JSON.stringify({ events: [{ action: "push", target, timestamp: at.toISOString() }] }),
      });
      return answer.status;
    };
    await eventually("the receiver", async () => (await send("shop/none").catch(() => 0)) === 200);
    return { broken, hanging, send, updated: () => fs.readFileSync(calls, "utf8").split("\n").filter(Boolean) };
  }

  it("lets no service that can't be updated keep others from it, and tries it again", async () => {
    const { broken, send, updated } = await receive();
    fs.writeFileSync(broken, "");
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

  it("waits for no command for ever", async () => {
    const { hanging, send, updated } = await receive();
    fs.writeFileSync(hanging, "");
    expect(await send("shop/z")).toBe(503);
    await eventually("the update that is tried again", () => Promise.resolve(updated().includes("other")));
    expect(await send("shop/a")).toBe(200);
    expect(updated()).toEqual(["other", "bad", "good"]);
  });

  it("forgets pushes of which the registry sends no older ones any more", async () => {
    const { send, updated } = await receive();
    const [older, newer] = [new Date("2026-01-01"), new Date("2026-01-02")];
    expect(await send("shop/a")).toBe(200);
    expect(await send("shop/z", newer)).toBe(200);
    await eventually("that it is forgotten", async () => (await send("shop/z", older)) === 200 && updated().length > 3);
    // Of the other one an older push may still come.
    expect(await send("shop/a", older)).toBe(200);
    expect(updated()).toEqual(["bad", "good", "other", "other"]);
  });
});
