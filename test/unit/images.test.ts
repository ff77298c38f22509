import * as http from "http";
import { AddressInfo } from "net";
import { parseArguments, UsageError } from "../../images/arguments";
import { deleteImages } from "../../images/delete";
import { list, readableSize } from "../../images/list";
import { Registry } from "../../images/registry";

describe("the command line", () => {
  const digest = `sha256:${"a".repeat(64)}`;

  it.each([
    ["list", { command: "list", references: [], yes: false }],
    ["list team/app --stack dev", { command: "list", references: [{ repository: "team/app" }], stack: "dev" }],
    ["delete app:1.0 --yes", { command: "delete", references: [{ repository: "app", tag: "1.0" }], yes: true }],
    [
      `-s dev delete a_b/c-d@${digest} e`,
      { command: "delete", references: [{ repository: "a_b/c-d", digest }, { repository: "e" }] },
    ],
  ])("%s", (line, expected) => {
    expect(parseArguments(line.split(" "))).toMatchObject(expected);
  });

  it.each([
    ["", "is no command"],
    ["lst", "lst is no command"],
    ["delete", "delete needs an image"],
    ["delete app --force", "--force is no option"],
    ["list --stack", "--stack needs a name"],
    ["list app:1", "without tag or digest"],
    ["delete localhost:5000/app", "localhost:5000/app is no image"],
    ["delete App", "App is no image"],
    ["delete ../../app", "is no image"],
  ])("refuses: %s", (line, message) => {
    const parse = (): unknown => parseArguments(line.split(" "));
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });
});

describe("a size", () => {
  it.each([
    [0, "0B"],
    [999, "999B"],
    [1500, "1.5kB"],
    [27_100_000, "27.1MB"],
    [1_234_000_000, "1.23GB"],
  ])("%d is %s", (bytes, text) => expect(readableSize(bytes)).toBe(text));
});

/** A registry with one image under three tags that deletes by digest only, and gives lists in pages of one. */
describe("a registry that does not delete by tag", () => {
  const digest = `sha256:${"b".repeat(64)}`;
  const tags = new Set<string>();
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://registry");
    const reference = /^\/v2\/team\/app\/manifests\/(.+)$/.exec(url.pathname)?.[1] ?? "";
    const answer = (status: number, body: object, headers: http.OutgoingHttpHeaders = {}): void =>
      void response.writeHead(status, headers).end(JSON.stringify(body));
    if (url.pathname === "/v2/team/app/tags/list") {
      const at = Number(url.searchParams.get("at"));
      const next = at + 1 < tags.size ? { Link: `</v2/team/app/tags/list?at=${at + 1}>; rel="next"` } : {};
      answer(200, { tags: [...tags].slice(at, at + 1) }, next);
    } else if (request.method !== "DELETE") {
      const known = tags.has(reference) || (reference === digest && tags.size > 0);
      answer(known ? 200 : 404, { layers: [{ digest: "l", size: 2_000_000 }] }, { "Docker-Content-Digest": digest });
    } else if (reference === digest) {
      tags.clear();
      answer(202, {});
    } else {
      answer(405, { errors: [{ code: "UNSUPPORTED", message: "by digest only" }] });
    }
  });
  let registry: Registry;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    registry = new Registry({ endpoint: `http://127.0.0.1:${port}`, username: "", password: "", caCertificate: "" });
  });
  beforeEach(() => ["1.0", "1.1", "latest"].forEach((tag) => tags.add(tag)));
  afterAll(() => {
    registry.close();
    server.close();
  });

  it("is listed page by page", async () => {
    const lines = (await list(registry, ["team/app"])).split("\n").map((line) => line.split(/ +/));
    expect(lines).toEqual([
      ["REPOSITORY", "TAG", "DIGEST", "SIZE", "CREATED"],
      ...["1.0", "1.1", "latest"].map((tag) => ["team/app", tag, digest, "2MB"]),
    ]);
  });

  it("says which tags would go too, and deletes them only if the user agrees to that", async () => {
    const asked: string[] = [];
    const answers = [true, false];
    const confirm = (text: string): Promise<boolean> => {
      asked.push(text);
      return Promise.resolve(answers.shift() ?? false);
    };
    await deleteImages(registry, [{ repository: "team/app", tag: "1.0" }], confirm);
    expect(asked[0]).toContain(`team/app:1.0 of ${digest}, which stays as team/app:1.1, team/app:latest`);
    expect(asked[1]).toMatch(
      /takes no deletion by tag.*by digest only.*\n {2}team\/app:1\.0\n {2}team\/app:1\.1\n {2}team\/app:latest/,
    );
    expect(tags.size).toBe(3);

    await deleteImages(registry, [{ repository: "team/app", tag: "1.0" }], () => Promise.resolve(true));
    expect(tags.size).toBe(0);
  });

  it("does not take agreement to the first question for one to the second", async () => {
    await deleteImages(registry, [{ repository: "team/app", tag: "1.0" }], (_, unexpected) =>
      Promise.resolve(unexpected !== true),
    );
    expect(tags.size).toBe(3);
  });

  it("does nothing without agreement, and names what is not there", async () => {
    const refuse = (): Promise<boolean> => Promise.resolve(false);
    expect(await deleteImages(registry, [{ repository: "team/app" }], refuse)).toBe("Nothing was deleted.");
    expect(tags.size).toBe(3);
    await expect(deleteImages(registry, [{ repository: "team/app", tag: "2" }], refuse)).rejects.toThrow(
      "There is no team/app:2.",
    );
    await expect(deleteImages(registry, [{ repository: "team/other" }], refuse)).rejects.toThrow(
      "There is no tag in team/other.",
    );
  });
});
