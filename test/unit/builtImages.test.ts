import * as fs from "fs";
import { ImageBuild, BuiltImages } from "../../components";
import { gitContext } from "../../components/builds/gitContext";
import { basesFirst, imageBuildProblems } from "../../components/builds/checks";
import { Workspace } from "../support/clients";
import { CleanUp } from "../support/cleanUp";
import { MockedDeployment } from "../support/mockedDeployment";
import { valueOf } from "../support/mocks";

const cleanUp = new CleanUp();
const contexts = cleanUp.add(new Workspace());
contexts.write("plain/Dockerfile", "FROM scratch\n");
contexts.write("above/Dockerfile", "ARG BASE\nFROM ${BASE}\n");
contexts.write("linked/hello", "");
fs.symlinkSync("../plain/Dockerfile", `${contexts.folder}/linked/Dockerfile`);
const plainContext = `${contexts.folder}/plain`;
const above = (name: string, from: string): ImageBuild => ({ name, from, context: `${contexts.folder}/above` });
const plain = (name: string): ImageBuild => ({ name, context: plainContext });

describe("what goes before an image's name", () => {
  const error = async (repositoryPrefix: string): Promise<string> =>
    MockedDeployment.run(() => new BuiltImages("images", { builds: [], repositoryPrefix })).then(
      () => "",
      (thrown: unknown) => (thrown as Error).message,
    );

  it.each([
    ["localhost:5000"],
    ["[::1]:5000"],
    ["REGISTRY.example.com"],
    ["europe-west3-docker.pkg.dev/project/images"],
    ["team"],
  ])("may be %s", async (prefix) => {
    expect(await error(prefix)).toBe("");
  });

  it.each([[""], ["https://localhost:1/"], ["localhost:15061/"], ["localhost:5000/App"], ["localhost:5000/a b"]])(
    "may not be %j",
    async (prefix) => {
      expect(await error(prefix)).toContain(`  - repositoryPrefix: ${JSON.stringify(prefix)} is not allowed`);
    },
  );
});

describe("a context", () => {
  it.each([
    ["https://example.com/app.git#v1:server", { url: "https://example.com/app.git", ref: "v1", folder: "server" }],
    ["https://example.com/app.git", { url: "https://example.com/app.git", ref: "HEAD", folder: "." }],
    ["https://example.com:8443/app.git#:server", { url: "https://example.com:8443/app.git", ref: "HEAD", folder: "server" }],
    ["ssh://git@example.com/app#main", { url: "ssh://git@example.com/app", ref: "main", folder: "." }],
    ["git@example.com:team/app.git#main", { url: "git@example.com:team/app.git", ref: "main", folder: "." }],
    ["file:///srv/app.git", { url: "file:///srv/app.git", ref: "HEAD", folder: "." }],
  ])("%s is a Git repository", (context, parts) => {
    expect(gitContext(context)).toEqual(parts);
  });

  it.each([".", "./app", "/srv/app", "app.git", "a:b", "http"])("%s is a folder", (context) => {
    expect(gitContext(context)).toBeUndefined();
  });
});

describe("images", () => {
  it("are built in the order of their bases, and else as listed", () => {
    const images = [above("top", "middle"), plain("b"), above("middle", "a"), plain("a")];
    expect(basesFirst(images).map(({ name }) => name)).toEqual(["b", "a", "middle", "top"]);
  });

  it.each<[string, ImageBuild[], string[]]>([
    [
      "of every kind",
      [{ ...plain("team/app-a.b_c"), tags: ["1.0", "latest"], platform: "linux/arm/v7" }, above("x", "team/app-a.b_c")],
      [],
    ],
    ["of a folder whose name begins with dots", [{ name: "docs", context: "https://example.com/app.git#main:..docs" }], []],
    [
      "of bad names",
      [plain("Team/App"), plain("localhost:5000/app"), plain("app:1"), plain("")],
      [0, 1, 2, 3].map((at) => `builds[${at}].name`),
    ],
    ["of one name", [plain("app"), plain("app")], ["builds[1].name"]],
    [
      "of bad tags",
      [
        { ...plain("a"), tags: ["-x", "a b", "x", "x"] },
        { ...plain("b"), tags: [] },
      ],
      ["builds[0].tags[0]", "builds[0].tags[1]", "builds[0].tags[3]", "builds[1].tags"],
    ],
    ["of a bad platform", [{ ...plain("a"), platform: "arm64" }], ["builds[0].platform"]],
    [
      "of no folder",
      [
        { name: "a", context: `${contexts.folder}/missing` },
        { name: "b", context: `${plainContext}/Dockerfile` },
      ],
      ["builds[0].context", "builds[1].context"],
    ],
    [
      "of no Dockerfile",
      [
        { name: "a", context: contexts.folder },
        { ...plain("b"), dockerfile: "missing" },
        { ...plain("c"), dockerfile: "../above/Dockerfile" },
        { name: "d", context: `${contexts.folder}/linked` },
      ],
      [0, 1, 2, 3].map((at) => `builds[${at}].dockerfile`),
    ],
    ["on no base", [above("a", "b")], ["builds[0].from"]],
    [
      "on themselves",
      [above("a", "b"), above("b", "a"), above("c", "c"), above("d", "a")],
      ["builds[0].from", "builds[1].from", "builds[2].from"],
    ],
    ["that ignore their base", [plain("a"), { ...plain("b"), from: "a" }], ["builds[1].from"]],
    ["with two bases", [plain("a"), { ...above("b", "a"), buildArgs: { BASE: "x" } }], ["builds[1].buildArgs.BASE"]],
    [
      "of Git URLs",
      [
        { name: "a", context: "https://user:word@example.com/a.git" },
        { name: "b", context: "https://example.com/b.git#-x" },
        { name: "c", context: "https://example.com/b.git#x:../y" },
        { name: "d", context: "git@example.com:a.git#main" },
        { name: "e", context: "https://example.com/a b.git" },
        { name: "f", context: "file:///srv/a\0b.git" },
        { name: "g", context: "file:///srv/a b.git" },
        { name: "h", context: "https://example.com/b.git#x:/y" },
      ],
      [0, 1, 2, 4, 5, 7].map((at) => `builds[${at}].context`),
    ],
    [
      "of build arguments that no Dockerfile can declare",
      ["A B", "A=B", "", "A", "http_proxy", "a.b-c"].map((name, at) => ({ ...plain(`a${at}`), buildArgs: { [name]: "x" } })),
      ["builds[0].buildArgs", "builds[1].buildArgs", "builds[2].buildArgs"],
    ],
  ])("%s", (_, images, keys) => {
    expect(imageBuildProblems(images).map(({ key }) => key)).toEqual(keys);
  });

  it.each([
    ["", false],
    [".quickstart\nclient", false],
    ["server/.quickstart\n", true],
    ["/server/", true],
    ["**/.quickstart", true],
    ["*\n!hello", true],
    ["serve?", true],
    ["**/.*", true],
    ["server/.quick*", true],
    ["server/.quickstart/**", true],
    ["*\n!server", false],
    ["**\n!server/**", false],
    ["server\n!server/.quickstart", false],
    ["server\n!server/public", true],
    ["# server", false],
    ["**/passphrase", false],
    ["*\n!**/*.json", false],
    ["**kstart", true],
    ["**/[.]quickstart", true],
    ["server/**kstart", false],
  ])("never take the states of stacks along, with %j ignored", (ignored, allowed) => {
    const folder = cleanUp.add(new Workspace());
    folder.write("Dockerfile", "FROM scratch\nCOPY . /\n");
    folder.write("server/.quickstart/passphrase", "the passphrase");
    folder.write(".dockerignore", ignored);
    const program = jest.spyOn(process, "cwd").mockReturnValue(`${folder.folder}/server`);
    const problems = imageBuildProblems([{ name: "a", context: folder.folder }, plain("b")]);
    program.mockRestore();
    expect(problems.map(({ key }) => key)).toEqual(allowed ? [] : ["builds[0].context"]);
  });

  it("are looked at a few times each, however many there are", () => {
    const count = 300;
    let looks = 0;
    const images = Array.from({ length: count }, (_, at): ImageBuild => ({
      context: "missing",
      from: at === 0 ? undefined : `a${at - 1}`,
      get name() {
        looks += 1;
        return `a${at}`;
      },
    }));
    expect(imageBuildProblems(images)).toHaveLength(count);
    expect(basesFirst(images)).toEqual(images);
    expect(looks).toBeLessThan(20 * count);
  });

  it("have no line in .dockerignore that is no pattern", () => {
    const folder = cleanUp.add(new Workspace());
    folder.write("Dockerfile", "FROM scratch\n");
    folder.write(".dockerignore", "logs\n!/.\n");
    expect(imageBuildProblems([{ name: "a", context: folder.folder }])).toEqual([
      { key: "builds[0].context", message: `the line "!/." of ${folder.folder}/.dockerignore is no pattern; correct it` },
    ]);
  });

  it("never have a token of a Git URL in an error", () => {
    const [problem] = imageBuildProblems([{ name: "a", context: "https://token@example.com/a.git" }]);
    expect(problem?.message).not.toContain("token@");
  });
});

describe("the component", () => {
  it("builds each image for each of its tags, and passes the reference of a base on", async () => {
    const images = [
      { ...above("app", "base"), tags: ["1", "2"], platform: "linux/arm64" },
      { ...plain("base"), buildArgs: { A: "b" }, platform: "linux/arm64" },
    ];
    const { made, deployment } = await MockedDeployment.run(
      () =>
        new BuiltImages("images", { builds: images, repositoryPrefix: "localhost:5000", username: "admin", password: "word" }),
    );
    expect(deployment.list()).toEqual([
      "container-registry.BuiltImages images in ",
      "docker.Image images-app:1 in images",
      "docker.Image images-app:2 in images",
      "docker.Image images-base:latest in images",
    ]);
    const registry = { username: "admin", password: { secret: "word" } };
    const build = {
      context: plainContext,
      dockerfile: `${plainContext}/Dockerfile`,
      platform: "linux/arm64",
      args: { A: { secret: "b" } },
    };
    expect(deployment.find("docker.Image", "images-base:latest").inputs).toMatchObject({
      imageName: "localhost:5000/base:latest",
      build,
      registry,
    });
    expect(deployment.find("docker.Image", "images-app:2")).toMatchObject({
      inputs: {
        imageName: "localhost:5000/app:2",
        // By it this tag follows the first one, when only that is another.
        build: {
          args: { BASE: "localhost:5000/base@sha256:<digest>", "container-registry.first": "localhost:5000/app@sha256:<digest>" },
        },
        registry,
      },
    });
    expect(await valueOf(made.references)).toEqual({
      value: { app: "localhost:5000/app@sha256:<digest>", base: "localhost:5000/base@sha256:<digest>" },
      secret: false,
    });
  });
});
