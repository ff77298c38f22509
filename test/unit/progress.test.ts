import { spawnSync } from "child_process";
import * as path from "path";
import { FakeCommands } from "../support/fakeCommands";

const script = path.join(__dirname, "..", "..", "server", "progress.sh");
const commands = new FakeCommands();
const compile = (): { status: number | null; stderr: string } =>
  spawnSync("sh", ["-c", '. "$0" && go_compile server ./cmd /out -trimpath -ldflags "-s -w"', script], {
    encoding: "utf8",
    env: { ...process.env, ...commands.env, PROGRESS_PREFIX: "setup: " },
  });
const lines = (...text: string[]): string[] => text.map((each) => `echo "${each}"`);
const packages = ["internal/goarch", "github.com/Azure/azure-sdk-for-go/sdk", "container-registry/image"];
const downloads = Array.from({ length: 210 }, (_, each) => `echo "go: downloading example.com/module v1.0.${each}" >&2`);

afterAll(() => commands.dispose());

describe("go_compile", () => {
  it("tells how far it is instead of all that Go says", () => {
    const told = lines(...packages).join("; ");
    commands.make("go", 'if [ "$1" = list ]; then', ...downloads, told, "else", `{ ${told}; } >&2`, "fi");
    expect(compile()).toMatchObject({
      status: 0,
      stderr: "setup: server: 200 modules fetched\nsetup: server: 66 % compiled\n",
    });
    expect(commands.calls()).toEqual([
      "go list -deps -trimpath -ldflags -s -w ./cmd",
      "go build -v -o /out -trimpath -ldflags -s -w ./cmd",
    ]);
  });

  it.each(["list", "build"])("fails with the errors when go %s does", (word) => {
    const errors = ["# container-registry/image", "./main.go:1:1: expected 'package', found 'EOF'"];
    const failing = `if [ "$1" = ${word} ]; then { ${lines(...errors).join("; ")}; } >&2; exit 1; fi`;
    commands.make("go", ...downloads.slice(0, 3), failing, ...lines(...packages));
    expect(compile()).toMatchObject({ status: 1, stderr: `${errors.join("\n")}\n` });
  });
});

describe("go_folders", () => {
  it("are in HOME where that can be written, and else where it is told; modules that are there stay in use", () => {
    const at = (name: string): string => path.join(commands.folder, name);
    commands.write("file", "");
    commands.write("home/modules/a", "");
    const folders = (cache: string, modules: string): string => {
      commands.make("go", `case "$2" in GOCACHE) echo "${cache}" ;; *) echo "${modules}" ;; esac`);
      const { stdout } = spawnSync("sh", ["-c", '. "$0"; go_folders /kept; echo "$GOCACHE $GOMODCACHE"', script], {
        encoding: "utf8",
        env: commands.env,
      });
      return stdout.trim();
    };
    expect(folders(at("home/cache"), at("home/modules"))).toBe("");
    // Below a file nobody can make a folder, not even root.
    expect(folders(at("file/cache"), at("file/modules"))).toBe("/kept/GOCACHE /kept/GOMODCACHE");
    expect(folders("/proc/self", "/proc/self")).toBe("/kept/GOCACHE");
    expect(folders("off", at("home/modules"))).toBe("/kept/GOCACHE");
  });
});
