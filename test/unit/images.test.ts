import * as http from "http";
import * as path from "path";
import { digestOf } from "../../commands/randomImage";
import { parseArguments, UsageError } from "../../commands/images/arguments";
import { deleteImages } from "../../commands/images/delete";
import { list, readableSize } from "../../commands/images/list";
import { Registry } from "../../commands/images/registry";
import { listening } from "../support/ports";

describe("the command line", () => {
  const digest = `sha256:${"a".repeat(64)}`;

  it.each([
    ["list", { command: "list", references: [], yes: false }],
    ["list team/app --stack=dev", { command: "list", references: [{ repository: "team/app" }], stack: "dev" }],
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
    ["", "unknown command "],
    ["lst", "unknown command lst"],
    ["delete", "delete needs an image"],
    ["delete app --force", "Unknown option '--force'"],
    ["list --stack", "'-s, --stack <value>' argument missing"],
    ["list app:1", "without tag or digest"],
    ["delete localhost:5000/app", "localhost:5000/app is not an image"],
    ["delete App", "App is not an image"],
    ["delete ../../app", "is not an image"],
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

/** A registry with one image under three tags, and `other` at times, that deletes by digest only, and gives lists in pages of one. */
describe("a registry that does not delete by tag", () => {
  const digest = `sha256:${"b".repeat(64)}`;
  const otherDigest = `sha256:${"e".repeat(64)}`;
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
      const wanted = reference === "other" ? otherDigest : digest;
      answer(known ? 200 : 404, { layers: [{ digest: "l", size: 2_000_000 }] }, { "Docker-Content-Digest": wanted });
    } else if (reference === otherDigest) {
      tags.delete("other");
      answer(202, {});
    } else if (reference === digest) {
      tags.clear();
      answer(202, {});
    } else {
      answer(405, { errors: [{ code: "UNSUPPORTED", message: "by digest only" }] });
    }
  });
  let registry: Registry;

  beforeAll(async () => {
    const port = await listening(server);
    registry = new Registry({ endpoint: `http://127.0.0.1:${port}`, username: "", password: "", caCertificate: "" });
  });
  beforeEach(() => {
    tags.clear();
    ["1.0", "1.1", "latest"].forEach((tag) => tags.add(tag));
  });
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
    const answer = await deleteImages(registry, [{ repository: "team/app", tag: "1.0" }], confirm);
    expect(answer).toBe("Nothing was deleted.");
    expect(asked[0]).toContain(`team/app:1.0 of ${digest}, which stays as team/app:1.1, team/app:latest`);
    expect(asked[1]).toMatch(
      /takes no deletion by tag.*by digest only.*\n {2}team\/app:1\.0\n {2}team\/app:1\.1\n {2}team\/app:latest/,
    );
    expect(tags.size).toBe(3);

    const agreed = await deleteImages(registry, [{ repository: "team/app", tag: "1.0" }], () => Promise.resolve(true));
    expect(agreed).toBe("Deleted. The space is freed by the next garbage collection.");
    expect(tags.size).toBe(0);
  });

  it("does not take agreement to the first question for one to the second", async () => {
    const answer = await deleteImages(registry, [{ repository: "team/app", tag: "1.0" }], (_, unexpected) =>
      Promise.resolve(unexpected !== true),
    );
    expect(answer).toBe("Nothing was deleted.");
    expect(tags.size).toBe(3);
  });

  it("names what stayed beside what was deleted", async () => {
    tags.add("other");
    const references = ["1.0", "other"].map((tag) => ({ repository: "team/app", tag }));
    expect(await deleteImages(registry, references, (_, unexpected) => Promise.resolve(unexpected !== true))).toBe(
      "Deleted, but for team/app:1.0. The space is freed by the next garbage collection.",
    );
    expect([...tags]).toEqual(["1.0", "1.1", "latest"]);
  });

  it("does not say that a tag stayed that went with another one's image", async () => {
    const answers = [true, false, true];
    const references = ["1.0", "1.1"].map((tag) => ({ repository: "team/app", tag }));
    expect(await deleteImages(registry, references, () => Promise.resolve(answers.shift() ?? false))).toBe(
      "Deleted. The space is freed by the next garbage collection.",
    );
    expect(tags.size).toBe(0);
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

describe("an index", () => {
  const layer = (digest: string, size: number): object => ({ digest, size });
  const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifests: Record<string, object> = {
    [digest("f")]: { manifests: ["a", "b", "c"].map((letter) => ({ digest: digest(letter), size: 500, mediaType })) },
    [digest("a")]: { layers: [layer("base", 200_000_000), layer("amd64", 10_000_000)] },
    [digest("b")]: { layers: [layer("base", 200_000_000), layer("arm64", 10_000_000)] },
  };
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://registry");
    const reference = path.basename(pathname).replace("latest", digest("f"));
    const body = pathname === "/v2/app/tags/list" ? { tags: ["latest"] } : manifests[reference];
    response.writeHead(body === undefined ? 404 : 200, { "Docker-Content-Digest": reference }).end(JSON.stringify(body ?? {}));
  });
  afterAll(() => server.close());

  it("has layers once that its platforms share", async () => {
    const registry = new Registry({ endpoint: `http://127.0.0.1:${await listening(server)}` });
    const [, row] = (await list(registry, ["app"]).finally(() => registry.close())).split("\n");
    expect(row?.split(/ {2,}/)).toEqual(["app", "latest", digest("f"), "220MB", "1 of its images missing"]);
  });
});

/** A registry whose tags are sound, broken in every way that was seen, and deleted by others at that moment. */
describe("a registry with broken tags", () => {
  const digests = Object.fromEntries(
    ["cache", "garbled", "no-configuration", "sound", "terminal"].map((tag) => [tag, digestOf(Buffer.from(tag))]),
  );
  const refusals: Record<string, number> = { dangling: 404, empty: 500, moving: 404, "sha256:layer": 500 };
  let tags: string[];
  let deleted: string[];
  let listings: number;
  let away: boolean;
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://registry");
    const asked = /^\/v2\/app\/(?:manifests|blobs)\/(.+)$/.exec(pathname)?.[1] ?? "";
    const reference = Object.keys(digests).find((tag) => digests[tag] === asked) ?? asked;
    const headers = { "Docker-Content-Digest": digests[reference] ?? "" };
    const answer = (status: number, body: object): void => void response.writeHead(status, headers).end(JSON.stringify(body));
    const refusal = refusals[reference];
    if (away) {
      answer(503, { errors: [{ code: "UNAVAILABLE", message: "the store does not answer" }] });
    } else if (pathname === "/v2/_catalog") {
      answer(200, { repositories: ["app"] });
    } else if (pathname === "/v2/app/tags/list") {
      answer(200, { tags: listings++ === 0 ? tags : tags.filter((tag) => tag !== "moving") });
    } else if (request.method === "DELETE") {
      deleted.push(asked);
      answer(reference === "moving" ? 404 : 202, {});
    } else if (refusal !== undefined) {
      answer(refusal, { errors: [{ code: refusal === 404 ? "MANIFEST_UNKNOWN" : "UNKNOWN", message: "no\u001b[1A good" }] });
    } else if (reference === "garbled") {
      response.writeHead(200, headers).end("{");
    } else if (reference === "cache") {
      answer(200, { manifests: [{ digest: "sha256:layer", size: 5_000_000 }] });
    } else if (reference === "no-configuration") {
      answer(200, { config: { digest: "empty", size: 1_000_000 } });
    } else if (reference === "terminal") {
      answer(200, { config: { digest: "created", size: 3_000_000 } });
    } else if (reference === "created") {
      answer(200, { created: "\u001b[1A\u001b[2K" });
    } else {
      answer(200, { layers: [{ digest: "l", size: 2_000_000 }] });
    }
  });
  let registry: Registry;

  beforeAll(async () => {
    registry = new Registry({ endpoint: `http://127.0.0.1:${await listening(server)}` });
  });
  beforeEach(() => {
    tags = ["cache", "dangling", "empty", "garbled", "moving", "no-configuration", "sound", "terminal"];
    deleted = [];
    listings = 0;
    away = false;
  });
  afterAll(() => {
    registry.close();
    server.close();
  });

  it("is listed, and the broken rows say so", async () => {
    expect(
      (await list(registry, []))
        .split("\n")
        .slice(1)
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ["app", "cache", digests.cache, "5MB"],
      ["app", "dangling", "broken: 404: MANIFEST_UNKNOWN no\ufffd[1A good"],
      ["app", "empty", "broken: 500: UNKNOWN no\ufffd[1A good"],
      ["app", "garbled", "broken: its manifest isn't JSON"],
      ["app", "no-configuration", digests["no-configuration"], "1MB"],
      ["app", "sound", digests.sound, "2MB"],
      ["app", "terminal", digests.terminal, "3MB"],
    ]);
  });

  it("is not listed while nothing of it can be read", async () => {
    away = true;
    await expect(list(registry, [])).rejects.toThrow("was answered 503: UNAVAILABLE the store does not answer");
  });

  it.each(["dangling", "empty"])("loses the tag %s on demand", async (tag) => {
    const asked: string[] = [];
    const confirm = (text: string): Promise<boolean> => Promise.resolve(asked.push(text) > 0);
    await deleteImages(registry, [{ repository: "app", tag }], confirm);
    expect(asked).toEqual([`This will delete:\n  app:${tag}, which is broken\n`]);
    expect(deleted).toEqual([tag]);
  });

  it("is deleted as a whole, an image before the tags, and what others deleted meanwhile is no error", async () => {
    await deleteImages(registry, [{ repository: "app" }], () => Promise.resolve(true));
    const [last, ...rest] = Object.keys(digests);
    const images = rest.map((tag) => digests[tag]).reverse();
    expect(deleted).toEqual(["dangling", "empty", "moving", images[0], last, ...rest, ...images.slice(1), digests.cache]);
  });
});
