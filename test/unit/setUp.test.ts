import { spawnSync } from "child_process";
import * as fs from "fs";
import * as path from "path";
import { copyScripts, FakeCommands } from "../support/fakeCommands";
import { filesUnder } from "../support/folders";
import { attempt, eventually } from "../support/run";

const root = path.join(__dirname, "..", "..");
const commands = new FakeCommands();

const setUp = path.join(commands.folder, "scripts", "setup.sh");

beforeAll(() => {
  for (const file of [
    "scripts",
    "offline/go.sh",
    "offline/build-pulumi.sh",
    "offline/stand-ins.sh",
    "offline/stand-ins/package-lock.json",
    "package.json",
    "package-lock.json",
    "server/Dockerfile",
    "server/progress.sh",
  ]) {
    fs.cpSync(path.join(root, file), path.join(commands.folder, file), { recursive: true });
  }
  fs.chmodSync(commands.write("server/build.sh", "#!/bin/sh\n"), 0o755);
  commands.make("go", "echo go1.26.8");
});
afterAll(() => commands.dispose());

/** A PULUMI_HOME with all plugins. */
function homeWithPlugins(): string {
  const home = path.join(commands.folder, "home");
  for (const plugin of ["docker-v5.2.0", "random-v4.21.2", "tls-v5.6.1"]) {
    fs.mkdirSync(path.join(home, "plugins", `resource-${plugin}`), { recursive: true });
  }
  return home;
}

describe("set-up", () => {
  it("stops when the archive it is told to use is not there, before it does anything else", () => {
    const { status, stderr } = spawnSync(path.join(root, "scripts", "setup.sh"), {
      encoding: "utf8",
      env: { ...process.env, PULUMI_TOOLCHAIN: "/nowhere/pulumi.tar.xz" },
    });
    expect(status).toBe(1);
    expect(stderr.trim()).toMatch(
      /^setup: PULUMI_TOOLCHAIN names \/nowhere\/pulumi.tar.xz, and there is no file to read\. Name an archive/,
    );
  });

  // Only root can make what is another user's.
  (process.getuid?.() === 0 ? it : it.skip)("stops when it may not read that archive", () => {
    const archive = commands.write("pulumi.tar.xz", "");
    fs.chmodSync(archive, 0o600);
    fs.chmodSync(commands.folder, 0o755);
    const env = { ...commands.env, PULUMI_TOOLCHAIN: archive };
    const { status, stderr } = spawnSync(setUp, { encoding: "utf8", env, uid: 65534, gid: 65534 });
    expect({ status, stderr: stderr.trim() }).toEqual({
      status: 1,
      stderr: expect.stringContaining(`PULUMI_TOOLCHAIN names ${archive}, and there is no file to read. `) as string,
    });
  });

  it("has the oldest Pulumi from one place that others agree with", () => {
    const text = (file: string): string => fs.readFileSync(path.join(root, file), "utf8");
    const [, oldest = ""] = /^pulumi_minimum=(.+)$/m.exec(text("scripts/environment.sh")) ?? [];
    expect(text("Pulumi.yaml")).toContain(`\nrequiredPulumiVersion: ">=${oldest}"\n`);
    expect(text("docs/toolchain.md")).toContain(`**Pulumi**, ${oldest} or newer`);
  });

  it("refuses a Node.js that is too old, before it does anything else", async () => {
    const { engines } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as { engines: { node: string } };
    commands.make("node", "echo v20.9.1").calls();
    const { code, stderr } = await attempt(setUp, [], { env: commands.env });
    fs.rmSync(path.join(commands.folder, "bin", "node"));
    expect({ code, stderr: stderr.trim() }).toEqual({
      code: 1,
      stderr: `setup: Node.js ${engines.node.replace(">=", "")} or newer is needed, and this is v20.9.1: https://nodejs.org/`,
    });
    expect(commands.calls()).toEqual(["node --version"]);
  });

  it("ends with the first step that fails, and ends the steps beside it", async () => {
    const npm = path.join(commands.folder, "npm.pid");
    // Would go on for long, were it let.
    commands.make("npm", `echo $$ >${npm}`, "exec sleep 600");
    commands.make("pulumi", "exec sleep 600");
    // An engine of another context, which does not answer.
    commands.make("docker", `until [ -s ${npm} ]; do sleep 0.1; done`, '[ "$1" = context ] && echo other tcp://127.0.0.1:1');
    const { code, stderr } = await attempt(setUp, [], { env: { ...commands.env, DOCKER_HOST: "" } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^setup: the Docker engine at tcp:\/\/127\.0\.0\.1:1 \(other\) does not answer/m);
    const running = fs.readFileSync(npm, "utf8").trim();
    await eventually("the end of npm", () => Promise.resolve(!fs.existsSync(`/proc/${running}`)));
  });

  it("drops what was kept for versions of Node.js, or of the package, months ago", async () => {
    const cache = path.join(commands.folder, "components/node_modules/.cache");
    const monthsAgo = new Date(Date.now() - 120 * 24 * 3600 * 1000);
    for (const [name, written] of [
      ["compiled/v20.12.0/a", monthsAgo],
      ["compiled/v24.0.0/b", new Date()],
      ["new.js", new Date()],
      ["old.js", monthsAgo],
    ] as const) {
      fs.utimesSync(commands.write(`components/node_modules/.cache/${name}`, ""), written, written);
    }
    commands.make("npm", "exit 1");
    await attempt(setUp, [], { env: commands.env });
    expect(filesUnder(cache)).toEqual(["compiled/v24.0.0/b", "new.js"]);
  });

  it("goes on where that can't be dropped, as another user's or by another set-up at the same time", async () => {
    commands.write("components/node_modules/.cache/old.js", "");
    commands.make("npm", "exit 1").make("find", "echo 'Permission denied' >&2; exit 1");
    commands.calls();
    await attempt(setUp, [], { env: commands.env });
    fs.rmSync(path.join(commands.folder, "bin", "find"));
    expect(commands.calls()).toContainEqual(expect.stringMatching(/^npm ci /));
  });

  it("names a Docker context that is not there", async () => {
    commands.make("npm", "mkdir -p node_modules").make("pulumi");
    commands.make("docker", `echo 'context "nope": context not found' >&2`, "exit 1");
    const { code, stderr } = await attempt(setUp, [], { env: { ...commands.env, DOCKER_CONTEXT: "nope", DOCKER_HOST: "" } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^setup: the docker command can't tell its engine: context "nope": context not found$/m);
  });

  it("tells an engine that the user may not talk to from none", async () => {
    commands.make("npm", "mkdir -p node_modules").make("pulumi").make("dockerd").make("id", "echo 1000");
    const refusal = "permission denied while trying to connect to the Docker daemon socket";
    commands.make(
      "docker",
      `[ "$1" = context ] && echo default unix:///var/run/docker.sock || { echo '${refusal}' >&2; exit 1; }`,
    );
    const { code, stderr } = await attempt(setUp, [], { env: { ...commands.env, DOCKER_HOST: "" } });
    expect(code).toBe(1);
    expect(stderr).toContain(`setup: the Docker engine is installed but does not answer: ${refusal}\n`);
    expect(stderr).toContain("sudo usermod -aG docker $USER");
    fs.rmSync(path.join(commands.folder, "bin", "id"));
  });

  describe("without the docker command, where there is an engine", () => {
    const docker = path.join(commands.folder, "bin", "docker");
    const setUpWithout = async (host = ""): ReturnType<typeof attempt> => {
      commands.make("npm", "mkdir -p node_modules").make("pulumi", "echo v3.276.0").make("dockerd");
      fs.rmSync(docker, { force: true });
      commands.calls();
      return attempt(setUp, [], { env: { ...commands.envWithout("docker"), PULUMI_HOME: homeWithPlugins(), DOCKER_HOST: host } });
    };
    const called = (): string[] => commands.calls().filter((call) => /^(apt-get|dockerd) /.test(call));
    afterAll(() => {
      fs.cpSync(path.join(root, "scripts/common.sh"), path.join(commands.folder, "scripts/common.sh"));
      ["apt-get", "dockerd"].forEach((name) => fs.rmSync(path.join(commands.folder, "bin", name), { force: true }));
    });

    it.each([
      ["on this machine", "", "the docker command is missing (Debian: apt-get install docker-cli)"],
      ["elsewhere", "tcp://127.0.0.1:1", "Docker is needed: https://docs.docker.com/get-docker/"],
    ])("names it, and starts no second one: %s", async (_, host, said) => {
      commands.make("id", "echo 1000");
      const { code, stderr } = await setUpWithout(host);
      fs.rmSync(path.join(commands.folder, "bin", "id"));
      expect(code).toBe(1);
      expect(stderr).toContain(`setup: ${said}\n`);
      expect(called()).toEqual([]);
    });

    it("installs it where it may, and starts no second one", async () => {
      fs.appendFileSync(path.join(commands.folder, "scripts/common.sh"), "can_install() { :; }\n");
      commands.make("apt-get", `case "$*" in *" docker-cli") printf '#!/bin/sh\\n' >${docker}; chmod +x ${docker} ;; esac`);
      const { code, stderr } = await setUpWithout();
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      expect(called()).toEqual(["apt-get update -qq", expect.stringMatching(/^apt-get install .* docker-cli$/)]);
    });
  });

  it("finds what is not on a user's PATH, as Debian's dockerd", () => {
    const found = spawnSync("bash", ["-c", ". scripts/common.sh && command -v chroot"], {
      cwd: root,
      encoding: "utf8",
      env: { PATH: "/usr/bin:/bin" },
    });
    expect(found.stdout.trim()).toMatch(/sbin\/chroot$/);
  });

  it.each([
    ["leaves out what only development needs", [], "npm ci --omit=dev --omit=optional --omit=peer"],
    ["keeps the SDKs of the clouds that a plain npm ci has brought", ["@pulumi/gcp"], "npm ci"],
  ])("%s", async (_, installed, expected) => {
    fs.rmSync(path.join(commands.folder, "node_modules"), { recursive: true, force: true });
    installed.forEach((name) => commands.write(`node_modules/${name}/package.json`, "{}"));
    commands.make("npm", "mkdir -p node_modules").make("docker", "").make("pulumi", "echo v3.276.0");
    commands.calls();
    const { code, stderr } = await attempt(setUp, [], { env: { ...commands.env, PULUMI_HOME: homeWithPlugins() } });
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    const npm = commands.calls().filter((call) => call.startsWith("npm"));
    expect(npm).toEqual([`${expected} --no-audit --no-fund --loglevel=error`]);
  });

  it("has stand-ins of before run what is here, as Pulumi starts the versions that a state names", async () => {
    const standIns = path.join(commands.folder, ".tools", "stand-ins");
    const command = (version: string): string =>
      path.join(standIns, "plugins", `resource-docker-v${version}`, "pulumi-resource-docker");
    const other = commands.write(".tools/stand-ins/plugins/resource-aws-v7.48.0/pulumi-resource-aws", "official");
    commands.write(path.relative(commands.folder, command("5.0.0")), "exec node ../stand-ins/plugin.cjs");
    commands.make("npm", "mkdir -p node_modules").make("docker", "").make("pulumi", "echo v3.276.0");
    const { code, stderr } = await attempt(setUp, [], { env: { ...commands.env, CONTAINER_REGISTRY_PROVIDERS: "stand-in" } });
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(fs.readFileSync(command("5.2.0"), "utf8")).toContain("/offline/stand-ins/plugin.cjs");
    expect(fs.readFileSync(command("5.0.0"), "utf8")).toBe(fs.readFileSync(command("5.2.0"), "utf8"));
    expect(fs.readFileSync(other, "utf8")).toBe("official");
    fs.rmSync(standIns, { recursive: true });
  });

  it("is done by the first command that asks for Pulumi where there is none, which gets its words and its input", async () => {
    const clone = new FakeCommands();
    try {
      copyScripts(clone.folder);
      const pulumi = ".tools/pulumi/bin/pulumi";
      const setUpHere = [
        "#!/bin/sh",
        "cat; echo set up",
        'cd "$(dirname "$0")/.."',
        `mkdir -p ${path.dirname(pulumi)}`,
        `printf '#!/bin/sh\\necho "$@"; cat' > ${pulumi}`,
        `chmod +x ${pulumi}`,
      ];
      fs.chmodSync(clone.write("scripts/setup.sh", setUpHere.join("\n")), 0o755);
      const env = { PATH: "/usr/bin:/bin", PULUMI_BACKEND_URL: "file:///nowhere" };
      for (const stderr of ["set up\n", ""]) {
        const result = await attempt(path.join(clone.folder, "scripts", "pulumi.sh"), ["config", "set", "a"], {
          env,
          input: "the value",
        });
        expect(result).toEqual({ code: 0, stdout: "config set a\nthe value", stderr });
      }
    } finally {
      clone.dispose();
    }
  });

  it("is no matter of another project in a folder below, whose Pulumi is not this one", async () => {
    const clone = new FakeCommands();
    try {
      copyScripts(clone.folder);
      clone.make("pulumi");
      const other = path.dirname(clone.write("examples/yaml/Pulumi.yaml", ""));
      const below = path.dirname(clone.write("examples/yaml/parts/a", ""));
      const beside = path.dirname(clone.write("docs/a", ""));
      clone.write("Pulumi.yaml", "");
      const from = (folder: string): ReturnType<typeof attempt> =>
        attempt(path.join(clone.folder, "scripts/pulumi.sh"), ["destroy"], {
          env: { ...clone.env, PULUMI_BACKEND_URL: "file:///nowhere", INIT_CWD: folder },
        });
      for (const folder of [other, below]) {
        const { code, stderr } = await from(folder);
        expect({ code, stderr, calls: clone.calls() }).toEqual({
          code: 1,
          stderr: `${other} has a Pulumi project of its own, and this is Pulumi for the one in ${clone.folder}. There it takes a pulumi on PATH.\n`,
          calls: [],
        });
      }
      for (const folder of [beside, clone.folder, "/"]) {
        expect((await from(folder)).code).toBe(0);
        expect(clone.calls()).toEqual(["pulumi destroy"]);
      }
    } finally {
      clone.dispose();
    }
  });

  it("is done again by a command that asks for Pulumi once the clone is at another version, and by no other", async () => {
    const clone = new FakeCommands();
    try {
      copyScripts(clone.folder);
      fs.chmodSync(clone.write("scripts/setup.sh", "#!/bin/sh\necho set up\n"), 0o755);
      clone.make("pulumi");
      const standIn = { CONTAINER_REGISTRY_PROVIDERS: "stand-in" };
      const setsUp = async (env: object = {}): Promise<boolean> => {
        const command = path.join(clone.folder, "scripts", "pulumi.sh");
        const { code, stderr } = await attempt(command, [], {
          env: { ...clone.env, PULUMI_BACKEND_URL: "file:///nowhere", ...env },
        });
        expect(code).toBe(0);
        return stderr === "set up\n";
      };
      const installed = (folder: string): void => {
        const stamp = spawnSync("cksum", ["package-lock.json"], {
          cwd: path.join(clone.folder, folder),
          encoding: "utf8",
        }).stdout.trim();
        clone.write(path.join(folder, "node_modules/.installed"), `run ${stamp}`);
      };
      clone.write("package-lock.json", "{}");
      clone.write("offline/stand-ins/package-lock.json", "{}");
      // Packages of somebody's own `npm ci`.
      expect(await setsUp()).toBe(false);
      installed(".");
      expect(await setsUp()).toBe(false);
      clone.write("package-lock.json", "{ }");
      expect(await setsUp()).toBe(true);
      installed(".");

      const place = [
        ". scripts/environment.sh",
        ". offline/stand-ins.sh",
        "say() { :; }",
        "node_packages() { :; }",
        "place_stand_ins",
      ];
      const placed = (): unknown => spawnSync("bash", ["-c", place.join("\n")], { cwd: clone.folder });
      expect(await setsUp(standIn)).toBe(true);
      placed();
      installed("offline/stand-ins");
      expect([await setsUp(standIn), await setsUp()]).toEqual([false, false]);
      clone.write("offline/stand-ins/package-lock.json", "{ }");
      expect(await setsUp(standIn)).toBe(true);
      installed("offline/stand-ins");
      clone.write(".tools/stand-ins/plugins/resource-random-v4.21.2/pulumi-resource-random", "exec node ../stand-ins/plugin.cjs");
      expect(await setsUp(standIn)).toBe(true);
      placed();
      expect(await setsUp(standIn)).toBe(false);

      ["go.sum", "language-nodejs/main.go"].forEach((file) => clone.write(`offline/toolchain/pulumi/${file}`, ""));
      clone.write(".tools/pulumi/bin/.sources", "others");
      expect(await setsUp()).toBe(true);
    } finally {
      clone.dispose();
    }
  });
});
