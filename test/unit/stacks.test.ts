import * as path from "path";
import { attempt } from "../support/run";

const projectRoot = path.join(__dirname, "..", "..");

describe("the ready-made stacks", () => {
  it("are committed without anybody's salt: a new user's passphrase would not fit it", async () => {
    const { stdout } = await attempt("git", ["grep", "--files-with-matches", "encryptionsalt", "HEAD", "--", "stacks"], {
      cwd: projectRoot,
    });
    expect(stdout).toBe("");
  });
});
