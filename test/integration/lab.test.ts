import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { attempt, Result, run } from "../support/run";
import { projectRoot } from "../support/testStack";

/** The lab's own folder, which somebody may have a lab in. */
const usual = "/var/tmp/container-registry-lab";

/** A teacher's three commands, on a copy of the project whose nodes are in a folder of the test's own. */
describe("npm run lab", () => {
  const cleanUp = new CleanUp();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-lab-"));
  const nodes = path.join(folder, "nodes");
  const project = path.join(folder, "project");

  const lab = (command: string): Promise<Result> =>
    attempt("npm", ["run", "--silent", "lab", "--", command], {
      cwd: project,
      env: {
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "passphrase",
        PULUMI_CONFIG_PASSPHRASE_FILE: "",
      },
    });
  const onNode = (number: number, ...words: string[]): Promise<string> =>
    run("docker", ["--host", `unix://${nodes}/node${number}/docker.sock`, ...words]);
  const mounts = (): string[] =>
    fs
      .readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(folder));

  beforeAll(() => {
    fs.mkdirSync(project);
    const own = ["scripts", "stacks", "Pulumi.yaml"];
    for (const entry of fs.readdirSync(projectRoot).filter((name) => !own.includes(name) && !/^\.(git|quickstart)/.test(name))) {
      fs.symlinkSync(path.join(projectRoot, entry), path.join(project, entry));
    }
    for (const entry of own) {
      fs.cpSync(path.join(projectRoot, entry), path.join(project, entry), { recursive: true });
    }
    for (const file of ["scripts/lab.sh", "stacks/Pulumi.lab.yaml"].map((name) => path.join(project, name))) {
      const text = fs.readFileSync(file, "utf8");
      expect(text).toContain(usual);
      fs.writeFileSync(file, text.replaceAll(usual, nodes));
    }
    cleanUp.add({
      dispose: async () => {
        await attempt(path.join(projectRoot, "scripts", "swarm-nodes.sh"), ["down", nodes]);
        fs.rmSync(folder, { recursive: true, force: true });
      },
    });
  });

  it("says what it can do", async () => {
    expect(await lab("help")).toMatchObject({ code: 2, stderr: "usage: npm run lab -- up|status|down\n" });
  });

  it("brings up five managers and a registry on each, and again changes nothing", async () => {
    const { code, stdout, stderr } = await lab("up");
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Every node has the registry on 127.0.0.1:5000");
    for (const number of [1, 2, 3, 4, 5]) {
      const words = ["curl", "--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}"];
      const script = path.join(projectRoot, "scripts", "swarm-nodes.sh");
      expect(await run(script, ["exec", nodes, `node${number}`, ...words, "https://127.0.0.1:5000/v2/"])).toBe("401");
    }
    expect(await onNode(1, "node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}")).toMatch(
      /^node1 Leader\n(node\d Reachable\n?){4}$/,
    );
    const services = await onNode(5, "service", "ls", "--quiet");
    const again = await lab("up");
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/Resources:\s+\d+ unchanged/);
    expect(await onNode(5, "service", "ls", "--quiet")).toBe(services);
  });

  it("tells how it is", async () => {
    const { code, stdout } = await lab("status");
    expect(code).toBe(0);
    expect(stdout.match(/Ready/g)).toHaveLength(5);
    expect(stdout).toMatch(/container-registry-lab +replicated +1\/1/);
    expect(stdout).toMatch(/container-registry-lab-forwarder +global +5\/5/);
  });

  it("takes all of it down", async () => {
    // All of its links and namespaces are named after it.
    const id = fs.readFileSync(path.join(nodes, "id"), "utf8").trim();
    const named = async (): Promise<string[]> =>
      (await Promise.all([run("ip", ["netns", "list"]), run("ip", ["link"])]))
        .join("\n")
        .split("\n")
        .filter((line) => line.includes(id));
    expect((await named()).length).toBeGreaterThan(5);
    expect(await lab("down")).toMatchObject({ code: 0 });
    expect(await named()).toEqual([]);
    expect(fs.existsSync(nodes)).toBe(false);
    expect(mounts()).toEqual([]);
    expect((await attempt("pgrep", ["--full", nodes])).stdout).toBe("");
    expect((await lab("status")).code).not.toBe(0);
    expect((await lab("down")).code).toBe(0);
  });
});
