import { spawnSync } from "child_process";
import * as fs from "fs";
import * as path from "path";
import { FakeCommands } from "../support/fakeCommands";
import { attempt, eventually } from "../support/run";

const root = path.join(__dirname, "..", "..");
const commands = new FakeCommands();

afterAll(() => commands.dispose());

describe("set-up", () => {
  it("stops when the archive it is told to use is not there, before it does anything else", () => {
    const { status, stderr } = spawnSync(path.join(root, "scripts", "setup.sh"), {
      encoding: "utf8",
      env: { ...process.env, PULUMI_TOOLCHAIN: "/nowhere/pulumi.tar.xz" },
    });
    expect(status).toBe(1);
    expect(stderr.trim()).toMatch(
      /^setup: PULUMI_TOOLCHAIN names \/nowhere\/pulumi.tar.xz, and there is no such file\. Name an archive/,
    );
  });

  it("ends with the first step that fails, and ends the steps beside it", async () => {
    for (const file of [
      "scripts",
      "offline/go.sh",
      "offline/build-pulumi.sh",
      "offline/stand-ins.sh",
      "offline/stand-ins/package-lock.json",
      "package-lock.json",
      "server/Dockerfile",
      "server/progress.sh",
    ]) {
      fs.cpSync(path.join(root, file), path.join(commands.folder, file), { recursive: true });
    }
    const npm = path.join(commands.folder, "npm.pid");
    commands.write("server/build.sh", "#!/bin/sh\n");
    fs.chmodSync(path.join(commands.folder, "server", "build.sh"), 0o755);
    commands.make("go", "echo go1.26.8");
    // Would go on for long, were it let.
    commands.make("npm", `echo $$ >${npm}`, "exec sleep 600");
    commands.make("pulumi", "exec sleep 600");
    // An engine of another context, which does not answer.
    commands.make("docker", `until [ -s ${npm} ]; do sleep 0.1; done`, '[ "$1" = context ] && echo other tcp://127.0.0.1:1');
    const setUp = path.join(commands.folder, "scripts", "setup.sh");
    const { code, stderr } = await attempt(setUp, [], { env: { ...commands.env, DOCKER_HOST: "" } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^setup: the Docker engine at tcp:\/\/127\.0\.0\.1:1 \(other\) does not answer/m);
    const running = fs.readFileSync(npm, "utf8").trim();
    await eventually("the end of npm", () => Promise.resolve(!fs.existsSync(`/proc/${running}`)));
  });
});
