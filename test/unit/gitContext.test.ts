import { execFileSync } from "child_process";
import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import { checkedOut } from "../../components/builds/gitContext";

/** Git contexts of repositories on this machine. */
describe("a Git context", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "git-context-"));
  const made: string[] = [];
  const before = process.env.GIT_ALLOW_PROTOCOL;

  afterAll(() => {
    if (before === undefined) {
      delete process.env.GIT_ALLOW_PROTOCOL;
    } else {
      process.env.GIT_ALLOW_PROTOCOL = before;
    }
    [folder, ...made].forEach((each) => fs.rmSync(each, { recursive: true, force: true }));
  });

  function repository(name: string, ...commands: string[][]): string {
    const at = path.join(folder, name);
    const git = (...words: string[]): void => {
      execFileSync("git", ["-C", at, "-c", "user.name=test", "-c", "user.email=test@example.com", ...words], {
        stdio: "pipe",
        env: process.env,
      });
    };
    fs.mkdirSync(at);
    git("init", "--quiet");
    fs.writeFileSync(path.join(at, "Dockerfile"), `FROM scratch\n# ${name}\n`);
    git("add", ".");
    commands.forEach((words) => git(...words));
    git("commit", "--quiet", "--message", "first");
    return at;
  }

  it("has the submodules that are named relative to it", async () => {
    // Git takes submodules from this machine only if it is told to.
    process.env.GIT_ALLOW_PROTOCOL = "file";
    repository("lib");
    const app = repository(
      "app",
      ["submodule", "--quiet", "add", `file://${folder}/lib`, "lib"],
      ["config", "--file", ".gitmodules", "submodule.lib.url", "../lib"],
      ["add", ".gitmodules"],
    );
    const out = await checkedOut({ url: `file://${app}`, ref: "HEAD", folder: "lib" });
    made.push(path.dirname(out));
    expect(fs.readFileSync(path.join(out, "Dockerfile"), "utf8")).toContain("# lib");
  });

  it("may be a link within the repository, and none that leads out of it", async () => {
    const at = path.join(folder, "links");
    fs.mkdirSync(folder, { recursive: true });
    const link = (name: string, target: string): string[] => ["-c", `alias.link=!ln -s ${target} ${name}`, "link"];
    repository("links", link("here", "."), link("out", folder), ["add", "."]);
    const from = (name: string): Promise<string> => checkedOut({ url: `file://${at}`, ref: "HEAD", folder: name });
    const out = await from("here");
    made.push(path.dirname(out));
    expect(fs.readFileSync(path.join(out, "Dockerfile"), "utf8")).toContain("# links");
    for (const name of ["out", "out/links"]) {
      await expect(from(name)).rejects.toThrow(`${name} leads out of the repository by a link`);
    }
  });
});
