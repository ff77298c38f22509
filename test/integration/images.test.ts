import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { digestOf, request } from "../support/clients";
import { checkImage, manifestType, pushImage, randomImage } from "../support/images";
import { indexOf } from "../support/madeImages";
import { attempt, eventually, Result, run } from "../support/run";
import { projectRoot, RegistryOutputs, TestStack } from "../support/testStack";

/** The command that lists and deletes, with nothing but what the stack tells it. */
describe("the command images", () => {
  const cleanUp = new CleanUp();
  const first = randomImage([300_000]);
  const second = randomImage();
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.create());
    outputs = await stack.up();
    for (const tag of ["1.0", "latest"]) {
      await pushImage(outputs, "team/app", tag, first);
    }
    await pushImage(outputs, "other", "2.0", second);
  });

  function images(...words: string[]): Promise<Result> {
    const program = [
      "--require",
      path.join(projectRoot, "components/loader/index.cjs"),
      path.join(projectRoot, "commands/images/main.ts"),
    ];
    return attempt("node", [...program, ...words], stack.inFolder());
  }

  async function listed(): Promise<string[][]> {
    const { stdout } = await images("list");
    return stdout
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(/ {2,}/));
  }

  it("lists repositories, tags, digests and sizes", async () => {
    expect(await listed()).toEqual([
      ["other", "2.0", second.digest, expect.stringMatching(/^1\.\d+kB$/)],
      ["team/app", "1.0", first.digest, "301kB"],
      ["team/app", "latest", first.digest, "301kB"],
    ]);
    expect((await images("list", "other")).stdout).not.toContain("team/app");
  });

  it("says what it would delete, and does not where nobody can be asked", async () => {
    const { code, stderr } = await images("delete", "team/app:1.0");
    expect(code).toBe(1);
    expect(stderr).toContain(`team/app:1.0 of ${first.digest}, which stays as team/app:latest`);
    expect(stderr).toContain("nobody to ask");
    expect(await listed()).toHaveLength(3);
  });

  it("deletes a tag and leaves another one of the same image", async () => {
    expect(await images("delete", "team/app:1.0", "--yes")).toMatchObject({ code: 0, stderr: "" });
    expect((await listed()).map(([repository, tag]) => `${repository}:${tag}`)).toEqual(["other:2.0", "team/app:latest"]);
    await checkImage(outputs, "team/app", "latest", first);
  });

  it("deletes an image by its digest, with its tags", async () => {
    const { stdout } = await images("delete", `team/app@${first.digest}`, "--yes");
    expect(stdout).toContain("with team/app:latest");
    await expect(checkImage(outputs, "team/app", first.digest, first)).rejects.toThrow("answered 404");
  });

  it("deletes a whole repository", async () => {
    expect((await images("delete", "other", "--yes", "--stack", stack.name)).code).toBe(0);
    expect((await images("list")).stdout).toBe("There are no images.\n");
  });

  it("deletes an index with its images and their signatures, which no tag names", async () => {
    const platforms = { amd64: randomImage(), arm64: randomImage() };
    const about = randomImage();
    const subject = { mediaType: manifestType, digest: platforms.arm64.digest, size: platforms.arm64.manifest.length };
    const signature = Buffer.from(JSON.stringify({ ...(JSON.parse(about.manifest.toString()) as object), subject }));
    for (const image of Object.values(platforms)) {
      await pushImage(outputs, "multi", image.digest, image);
    }
    await pushImage(outputs, "multi", digestOf(signature), { ...about, manifest: signature });
    const headers = { "Content-Type": "application/vnd.oci.image.index.v1+json" };
    await request(outputs, "/v2/multi/manifests/1.0", { method: "PUT", headers, body: indexOf(platforms) });

    const part = await images("delete", `multi@${platforms.amd64.digest}`, "--yes");
    expect([part.code, part.stderr]).toEqual([1, expect.stringContaining("it is a part of multi:1.0, which breaks")]);
    expect((await images("delete", "multi", "--yes")).code).toBe(0);
    for (const digest of [platforms.amd64.digest, platforms.arm64.digest, digestOf(indexOf(platforms)), digestOf(signature)]) {
      expect((await request(outputs, `/v2/multi/manifests/${digest}`)).status).toBe(404);
    }
  });

  it("lists what there is beside broken tags, and deletes those", async () => {
    for (const tag of ["dangling", "empty", "sound"]) {
      await pushImage(outputs, "broken", tag, randomImage());
    }
    const volume = `${stack.resourceName}-data`;
    const data = await run("docker", ["volume", "inspect", "--format", "{{.Mountpoint}}", volume]);
    const folder = path.join(data, "docker/registry/v2/repositories/broken/_manifests");
    const link = (tag: string): string => path.join(folder, "tags", tag, "current/link");
    // What a power cut leaves, and what an older registry's clean-up does.
    const lost = fs.readFileSync(link("dangling"), "utf8").replace(":", "/");
    fs.rmSync(path.join(folder, "revisions", lost), { recursive: true });
    fs.writeFileSync(link("empty"), "");
    await run("docker", ["restart", outputs.containerName]);
    await eventually("the server's return", () =>
      request(outputs, "/v2/")
        .then(({ status }) => status === 200)
        .catch(() => false),
    );

    expect(await listed()).toEqual([
      ["broken", "dangling", expect.stringContaining("broken: 404: MANIFEST_UNKNOWN")],
      ["broken", "empty", expect.stringContaining("broken: 404: MANIFEST_UNKNOWN")],
      ["broken", "sound", expect.stringMatching(/^sha256:/), expect.any(String)],
    ]);
    for (const tag of ["dangling", "empty"]) {
      const { code, stdout } = await images("delete", `broken:${tag}`, "--yes");
      expect([code, stdout]).toEqual([0, expect.stringContaining(`broken:${tag}, which is broken`)]);
    }
    expect((await listed()).map(([, tag]) => tag)).toEqual(["sound"]);
    expect((await images("delete", "broken", "--yes")).code).toBe(0);
  });

  it("says in a sentence what is not there, and what is no command", async () => {
    expect(await images("delete", "other:2.0")).toMatchObject({
      code: 1,
      stderr: "There is no other:2.0. Nothing was deleted.\n",
    });
    const { code, stderr } = await images("remove");
    expect([code, stderr.split("\n")[0]]).toEqual([2, "unknown command remove"]);
  });

  it("tells nobody the password", async () => {
    const { stdout, stderr } = await images("list");
    expect(stdout + stderr).not.toContain(outputs.password);
  });

  it("is a script of npm as well", async () => {
    const script = await attempt(path.join(projectRoot, "scripts/images.sh"), ["--help"]);
    expect(script).toMatchObject({ code: 0, stdout: expect.stringContaining("usage:") as string });
    expect(await run("npm", ["pkg", "get", "scripts.images"], { cwd: projectRoot })).toBe('"scripts/images.sh"');
  });
});
