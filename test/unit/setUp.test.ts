import { spawnSync } from "child_process";
import * as path from "path";

const script = path.join(__dirname, "..", "..", "scripts", "setup.sh");

describe("set-up", () => {
  it("stops when the archive it is told to use is not there, before it does anything else", () => {
    const { status, stderr } = spawnSync(script, {
      encoding: "utf8",
      env: { ...process.env, PULUMI_TOOLCHAIN: "/nowhere/pulumi.tar.xz" },
    });
    expect(status).toBe(1);
    expect(stderr.trim()).toMatch(
      /^setup: PULUMI_TOOLCHAIN names \/nowhere\/pulumi.tar.xz, and there is no such file\. Name an archive/,
    );
  });
});
