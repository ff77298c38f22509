import { randomBytes } from "crypto";
import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, request, Workspace } from "../support/clients";
import { manifestType } from "../support/images";
import { attempt, run } from "../support/run";
import { readable, secretOf } from "../support/secretSearch";
import { RegistryOutputs, TestStack } from "../support/testStack";

const author = ["-c", "user.name=test", "-c", "user.email=test@example.com"];

/** A repository on this machine that has one branch, `main`, with an image's context in the folder `server`. */
class GitRepository extends Workspace {
  readonly url = `file://${this.folder}/app.git`;

  async commit(content: string): Promise<string> {
    const work = path.join(this.folder, "work");
    if (!fs.existsSync(work)) {
      await run("git", ["init", "--quiet", "--bare", "--initial-branch=main", path.join(this.folder, "app.git")]);
      await run("git", ["init", "--quiet", "--initial-branch=main", work]);
    }
    this.write("work/server/Dockerfile", "FROM scratch\nCOPY content /content\n");
    this.write("work/server/content", content);
    await run("git", ["-C", work, "add", "."]);
    await run("git", ["-C", work, ...author, "commit", "--quiet", "--message", "test"]);
    await run("git", ["-C", work, "push", "--quiet", this.url, "main"]);
    return run("git", ["-C", work, "rev-parse", "HEAD"]);
  }
}

/** Two images, one on the other, from folders, and one from a Git repository. */
describe("images of the configuration", () => {
  const cleanUp = new CleanUp();
  const contexts = cleanUp.add(new Workspace());
  const repository = cleanUp.add(new GitRepository());
  const docker = cleanUp.add(new DockerClient());
  const argument = `argument-${randomBytes(12).toString("hex")}`;
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let images: Record<string, string>;

  beforeAll(async () => {
    contexts.write("base/Dockerfile", "FROM scratch\nARG FLAVOUR\nLABEL flavour=$FLAVOUR\nCOPY content /base\n");
    contexts.write("base/content", "first base");
    contexts.write("app/Dockerfile", "ARG BASE\nFROM ${BASE}\nCOPY content /app\n");
    contexts.write("app/content", "first app");
    contexts.write("app/.dockerignore", "notes\n");
    await repository.commit("first commit");
    stack = cleanUp.add(
      await TestStack.create(
        {
          // Above the one it is built on: the order is free.
          ...{ "builds[0].name": "team/app", "builds[0].context": `${contexts.folder}/app`, "builds[0].from": "team/base" },
          ...{ "builds[0].tags[0]": "1.0", "builds[0].tags[1]": "latest" },
          ...{ "builds[1].name": "team/base", "builds[1].context": `${contexts.folder}/base` },
          ...{ "builds[2].name": "from-git", "builds[2].context": `${repository.url}#main:server` },
        },
        { "builds[1].buildArgs.FLAVOUR": argument },
      ),
    );
    await up();
  });

  /** Deploys, and returns the names of the images that changed. */
  async function up(): Promise<string[]> {
    const before = images;
    outputs = await stack.up();
    images = (outputs as unknown as { images: Record<string, string> }).images;
    // The engine keeps what it built: under its tags, and by digest also what has lost its tag.
    for (const name of ["team/app:1.0", "team/app", "team/base", "from-git"]) {
      docker.willHave(`${outputs.repositoryPrefix}/${name}`);
    }
    Object.values(images).forEach((reference) => docker.willHave(reference));
    return Object.keys(images)
      .filter((name) => images[name] !== before?.[name])
      .sort();
  }

  /** The digests of the layers that the registry has for a reference. */
  async function layers(repositoryName: string, reference: string): Promise<string[]> {
    const types = { Accept: `${manifestType}, application/vnd.docker.distribution.manifest.v2+json` };
    const answer = await request(outputs, `/v2/${repositoryName}/manifests/${reference}`, { headers: types });
    const manifest = JSON.parse(answer.body.toString()) as { layers: { digest: string }[] };
    return manifest.layers.map(({ digest }) => digest);
  }

  const digestIn = (name: string): string => images[name]?.split("@")[1] ?? "";

  it("are in the registry, each with the digest that the output says", async () => {
    expect(Object.keys(images).sort()).toEqual(["from-git", "team/app", "team/base"]);
    for (const [name, reference] of Object.entries(images)) {
      expect(reference).toMatch(new RegExp(`^${outputs.repositoryPrefix}/${name}@sha256:[0-9a-f]{64}$`));
      expect(await layers(name, digestIn(name))).toHaveLength(name === "team/app" ? 2 : 1);
    }
  });

  it("have all their tags", async () => {
    const tags = await request(outputs, "/v2/team/app/tags/list");
    expect((JSON.parse(tags.body.toString()) as { tags: string[] }).tags.sort()).toEqual(["1.0", "latest"]);
    for (const tag of ["1.0", "latest"]) {
      const { headers } = await request(outputs, `/v2/team/app/manifests/${tag}`, {
        headers: { Accept: `${manifestType}, application/vnd.docker.distribution.manifest.v2+json` },
      });
      expect(headers["docker-content-digest"]).toBe(digestIn("team/app"));
    }
  });

  it("stand on the image they name", async () => {
    expect((await layers("team/app", "latest"))[0]).toBe((await layers("team/base", "latest"))[0]);
  });

  it("are not built again when nothing changed, and neither for what is not part of a context", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
    contexts.write("app/notes", "for nobody's image");
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("are built again with the one below them, and no others", async () => {
    contexts.write("base/content", "second base");
    expect(await up()).toEqual(["team/app", "team/base"]);
    expect((await layers("team/app", "latest"))[0]).toBe((await layers("team/base", "latest"))[0]);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("leave those below them alone", async () => {
    contexts.write("app/content", "second app");
    expect(await up()).toEqual(["team/app"]);
  });

  it("follow the branch of a Git repository", async () => {
    await repository.commit("second commit");
    expect(await up()).toEqual(["from-git"]);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("say what is wrong with a Git repository in preview", async () => {
    const preview = async (context: string): Promise<string> => {
      await stack.set({ "builds[2].context": context });
      return (await attempt("pulumi", ["preview"], stack.inFolder())).stdout;
    };
    expect(await preview(`${repository.url}#missing:server`)).toContain(
      `builds[2].context: ${repository.url}#missing:server could not be fetched`,
    );
    expect(await preview(`${repository.url}#main`)).toContain("builds[2].dockerfile: is missing and there is no file");
    await stack.set({ "builds[2].context": `${repository.url}#main:server` });
  });

  it("have all their tags also when only the first is another one", async () => {
    await stack.set({ "builds[0].tags[0]": "2.0" });
    docker.willHave(`${outputs.repositoryPrefix}/team/app:2.0`);
    expect(await stack.plannedChanges()).toMatchObject({ update: 1 });
    await up();
    expect(await layers("team/app", "2.0")).toEqual(await layers("team/app", "latest"));
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("say what a step printed that failed, and keep no output of the registry from being stored", async () => {
    const server = await run("docker", ["inspect", "--format", "{{.Config.Image}}", outputs.containerName]);
    const base = `${stack.name}/server`;
    await docker.tag(server, base);
    contexts.write("broken/Dockerfile", `FROM ${base}\nRUN ["/registry", "no-such-command"]\n`);
    await stack.set({ "builds[3].name": "broken", "builds[3].context": `${contexts.folder}/broken` });
    await stack.set({ "users[0].name": "admin", "users[0].generation": 2 });
    const words = ["up", "--yes", "--skip-preview", "--continue-on-error"];
    const { code, stdout } = await attempt("pulumi", words, stack.inFolder());
    expect(code).not.toBe(0);
    expect(stdout).toContain('unknown command "no-such-command"');
    const { password } = await stack.outputs();
    expect(password).not.toBe(outputs.password);
    expect((await request({ ...outputs, password }, "/v2/")).status).toBe(200);
    await stack.unset("builds[3]");
    await up();
  });

  it("are pushed with a password that cannot be read, as are the build arguments that are secret", async () => {
    const secrets = [secretOf("password", outputs.password), secretOf("build argument", argument)];
    const places = [
      { name: "state", text: stack.storedState() },
      { name: "preview", text: await stack.pulumi("preview", "--diff") },
      { name: "outputs", text: await stack.pulumi("stack", "output", "--json") },
    ];
    expect(readable(secrets, places)).toEqual([]);
  });

  it("leave nothing of the stack behind but what the engine built", async () => {
    await stack.destroy();
    expect(await stack.leftOnEngine()).toEqual([]);
  });
});
