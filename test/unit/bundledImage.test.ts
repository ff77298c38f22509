import type * as childProcess from "child_process";
import * as fs from "fs";
import * as path from "path";
import { promisify } from "util";
import * as pulumi from "@pulumi/pulumi";
import { buildBundledImage } from "../../components/docker/bundledImage";
import { FakeCommands } from "../support/fakeCommands";
import { run } from "../support/run";

// Jest's process.env is a copy, which commands would not see. The component's script says what it is asked for.
jest.mock("child_process", () => {
  const real = jest.requireActual<typeof childProcess>("child_process");
  const execute = promisify(real.execFile);
  const execFile = (file: string, words: string[], options: object): unknown =>
    execute(file, words, { ...options, env: process.env });
  const script =
    '[ ! -e "$0.broken" ] || exit 1; echo build.sh >>"$0"; echo "/a clone/0123456789abcdef-$GOARCH/image.tar sha256:1 sha256:2"';
  const spawn = (file: string, ...more: [readonly string[], object] | [object]): unknown =>
    more.length === 1
      ? real.spawn(fs.existsSync(`${built}.missing`) ? `${built}.missing/build.sh` : "sh", ["-c", script, built], more[0])
      : real.spawn(file, ...more);
  return { ...real, spawn, execFile: Object.assign(real.execFile.bind(real), { [promisify.custom]: execFile }) };
});

const root = path.join(__dirname, "..", "..");
const tools = new FakeCommands();
const built = tools.write("built", "");
const { PATH } = process.env;
beforeAll(() => {
  process.env.PATH = tools.env.PATH;
});
afterAll(() => {
  process.env.PATH = PATH;
  tools.dispose();
});

it("is built for the engine's architecture, whatever this machine's is, and once in a run", async () => {
  tools.make("docker", `case "$*" in *arm*) echo linux/arm64 ;; *) echo linux/amd64 ;; esac`);
  const hosts = ["ssh://me@arm1", undefined, "ssh://me@arm2", "tcp://other:2376", "ssh://me@arm1"];
  const archives = await Promise.all(hosts.map((host) => buildBundledImage({ host })));
  expect(archives.map(({ file }) => file.replace(/^.*-(.*)\/image\.tar$/, "$1"))).toEqual([
    ...["arm64", "amd64", "arm64", "amd64", "arm64"],
  ]);
  expect(archives[0]).toMatchObject({
    ids: ["sha256:1", "sha256:2"],
    name: "container-registry:0123456789ab",
    tag: "0123456789ab",
  });
  expect(fs.readFileSync(built, "utf8")).toBe("build.sh\nbuild.sh\n");
  expect(tools.calls()).toHaveLength(4);
});

it("is built for a processor that is said, by the names of Go and of kernels, without a word from the engine", async () => {
  tools.make("docker", "exit 1");
  const built = await Promise.all(["riscv64", "x86_64", "amd64", "aarch64"].map((each) => buildBundledImage({}, each)));
  expect(built.map(({ file }) => file)).toEqual(
    ["riscv64", "amd64", "amd64", "arm64"].map((each) => `/a clone/0123456789abcdef-${each}/image.tar`),
  );
  expect(tools.calls()).toEqual([]);
});

it("is asked for anew after an engine or a build that failed", async () => {
  const engine = { host: "tcp://away:2376" };
  tools.make("docker", "echo 'no route to host' >&2; exit 1");
  await expect(buildBundledImage(engine)).rejects.toThrow(
    "The Docker engine could not be asked for its platform: no route to host",
  );
  tools.make("docker", "echo linux/mips64");
  const broken = tools.write("built.broken", "");
  await expect(buildBundledImage(engine)).rejects.toThrow("The registry image could not be built");
  fs.rmSync(broken);
  expect((await buildBundledImage(engine)).file).toBe("/a clone/0123456789abcdef-mips64/image.tar");
});

it("is built from a clone only, which the package of npm is not", async () => {
  const missing = tools.write("built.missing/nothing", "");
  await expect(buildBundledImage({}, "s390x")).rejects.toThrow(
    /^The registry image could not be built \(spawn .*build\.sh ENOENT\): use the package from a clone of its repository, linked and not copied \(.* link: .*\), or set image$/,
  );
  fs.rmSync(path.dirname(missing), { recursive: true });
});

it("is previewed for this machine where the engine can't be asked", async () => {
  const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
  tools.make("docker", "echo 'no route to host' >&2; exit 1");
  const engine = { host: "tcp://nowhere:2376" };
  await pulumi.runtime.setMocks({ newResource: () => ({ id: "", state: {} }), call: () => ({}) }, "project", "stack", true);
  expect((await buildBundledImage(engine)).file).toBe(
    `/a clone/0123456789abcdef-${process.arch.replace("x64", "amd64")}/image.tar`,
  );
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn).toHaveBeenCalledWith(
    "The preview takes this machine's platform. The Docker engine could not be asked for its platform: no route to host",
  );
  await pulumi.runtime.setMocks({ newResource: () => ({ id: "", state: {} }), call: () => ({}) }, "project", "stack", false);
  await expect(buildBundledImage(engine)).rejects.toThrow("no route to host");
  warn.mockRestore();
});

describe("the script that builds it", () => {
  const server = path.join(tools.folder, "server");

  beforeAll(() => {
    for (const file of ["build.sh", "progress.sh", "Dockerfile"]) {
      fs.cpSync(path.join(root, "server", file), path.join(server, file));
    }
  });

  /** Builds from these sources; without an architecture for this machine's. */
  async function build(sources: string, architecture?: string): Promise<string> {
    fs.writeFileSync(path.join(server, "main.go"), sources);
    const printed = await run(path.join(server, "build.sh"), [], { env: { ...tools.env, GOARCH: architecture } });
    const [, archive = "", ids] = /^(.*image\.tar) (.*)$/m.exec(printed) ?? [];
    expect(ids).toBe("sha256:1 sha256:2");
    return archive;
  }
  const there = (...archives: string[]): boolean[] => archives.map((archive) => fs.existsSync(archive));

  /** A Go that compiles to the name of the architecture, and whose `pack` keeps its options. */
  function go(): void {
    const pack = tools.write("pack", '#!/bin/sh\necho "$*" >"$8"\necho "sha256:1 sha256:2"\n');
    fs.chmodSync(pack, 0o755);
    tools.make(
      "go",
      `[ "$1" = build ] || { echo go1.26.8 go; exit; }`,
      'while [ "$1" != -o ]; do shift; done',
      `case "$2" in *pack) cp ${pack} "$2" ;; *) echo "$GOOS/$GOARCH" >"$2" ;; esac`,
    );
  }

  it("keeps one result of each architecture, and the last", async () => {
    go();
    const [arm, amd] = [await build("one", "arm64"), await build("one", "amd64")];
    expect(fs.readFileSync(arm, "utf8")).toContain(" -arch arm64 ");
    expect(fs.readFileSync(amd, "utf8")).toContain(" -arch amd64 ");
    expect(path.basename(path.dirname(arm)).slice(0, 12)).not.toBe(path.basename(path.dirname(amd)).slice(0, 12));
    expect(there(arm, amd)).toEqual([true, true]);
    tools.calls();
    expect(await build("one", "aarch64")).toBe(arm);
    expect(tools.calls()).toEqual([]);
    const newer = await build("two", "amd64");
    expect(there(arm, amd, newer)).toEqual([true, false, true]);
    expect(fs.readdirSync(path.join(server, ".build"))).toHaveLength(2);
  });

  it("has a container compile for another architecture than its engine's, where there is no Go", async () => {
    tools.make("go", "exit 1");
    tools.make(
      "docker",
      `case "$1" in`,
      `  build) for word; do [ -z "$iid" ] || echo id >"$word"; [ "$word" = --iidfile ] && iid=1 || iid=; done ;;`,
      `  create) echo container ;;`,
      `  cp) echo "sha256:1 sha256:2" >"$3" ;;`,
      `esac`,
    );
    await build("three", "arm64");
    const [compiled = ""] = tools.calls().filter((call) => call.startsWith("docker build "));
    expect(compiled).toContain(" --build-arg GOARCH=arm64 ");
    expect(compiled).not.toContain("--platform");
  });
});
