import * as fs from "fs";
import * as path from "path";
import * as yaml from "js-yaml";
import { checkStackConfig } from "../../program/stackConfig";
import { attempt } from "../support/run";

const projectRoot = path.join(__dirname, "..", "..");

describe("the ready-made stacks", () => {
  it("are committed without anybody's salt: a new user's passphrase would not fit it", async () => {
    const { stdout } = await attempt("git", ["grep", "--files-with-matches", "encryptionsalt", "HEAD", "--", "stacks"], {
      cwd: projectRoot,
    });
    expect(stdout).toBe("");
  });

  const folder = path.join(projectRoot, "stacks");
  it.each(fs.readdirSync(folder))("%s has a configuration that is accepted", (file) => {
    const { config } = yaml.load(fs.readFileSync(path.join(folder, file), "utf8")) as { config: Record<string, unknown> };
    const values = Object.entries(config).map(([key, value]) => [key.replace(/^container-registry:/, ""), value]);
    expect(() => checkStackConfig(Object.fromEntries(values) as Record<string, unknown>)).not.toThrow();
  });
});
