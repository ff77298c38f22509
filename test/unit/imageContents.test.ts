import { spawnSync } from "child_process";
import * as http from "http";
import { parseReference } from "../../commands/images/arguments";
import { deleteImages } from "../../commands/images/delete";
import { list } from "../../commands/images/list";
import { Registry } from "../../commands/images/registry";
import { CleanUp } from "../support/cleanUp";
import { FakeRegistry } from "../support/fakeRegistry";
import { projectRoot } from "../support/testStack";
import { listening } from "../support/ports";

const freed = "The space is freed by the next garbage collection.";
const untagged =
  "What has no tag now is freed only by `garbage-collect --delete-untagged` or with `garbageCollection.deleteUntagged`.";

describe("a repository of images and indexes", () => {
  const cleanUp = new CleanUp();
  let fake: FakeRegistry;
  let registry: Registry;
  let asked: { text: string; unexpected?: boolean }[];
  let amd64: string, arm64: string, single: string, multi: string;

  beforeEach(async () => {
    fake = await cleanUp.add(new FakeRegistry()).start();
    const made = new Registry({ endpoint: fake.endpoint });
    registry = made;
    cleanUp.add({ dispose: () => made.close() });
    asked = [];
    [amd64, arm64, single] = [fake.image("amd64"), fake.image("arm64"), fake.image("single")];
    multi = fake.index(amd64, arm64);
    fake.tags.set("1.0", multi).set("1.0-amd64", amd64).set("2.0", single);
  });

  const remove = (names: string[], answer = true): Promise<string> =>
    deleteImages(registry, names.map(parseReference), (text, unexpected) => {
      asked.push({ text, unexpected });
      return Promise.resolve(answer);
    });

  it("asks again before it breaks an index that stays, also one that lists the image by another", async () => {
    fake.tags.set("outer", fake.index(multi));
    expect(await remove([`app@${amd64}`], false)).toBe("Nothing was deleted.");
    expect(asked).toEqual([
      {
        text: `This will delete:\n  app@${amd64} with app:1.0-amd64; it is a part of app:1.0, app:outer, which breaks\n`,
        unexpected: true,
      },
    ]);
  });

  it("asks once where the index goes too", async () => {
    expect(await remove([`app@${amd64}`, `app@${multi}`])).toBe(`Deleted. ${freed} ${untagged}`);
    expect(asked).toMatchObject([{ unexpected: false }]);
    expect([...fake.manifests.keys()]).toEqual([arm64, single]);
  });

  it("says which index breaks where a registry deletes by digest only", async () => {
    fake.takesTags = false;
    await remove(["app:1.0-amd64"]);
    expect(asked[1]).toEqual({
      text: expect.stringContaining("go:\n  app:1.0-amd64\nThese break, as it is a part of them:\n  app:1.0\n") as string,
      unexpected: true,
    });
  });

  it.each([
    ["app:1.0-amd64", "which stays as a part of app:1.0", "Deleted."],
    ["app:2.0", "which stays without a tag; app@sha256:", `Deleted. ${untagged}`],
  ])("says what is left of %s", async (name, text, outcome) => {
    expect(await remove([name])).toBe(outcome);
    expect(asked[0]?.text).toContain(text);
  });

  it("deletes of a whole repository what indexes list and what is about any of it, tags by name", async () => {
    const signature = fake.image("signature", multi);
    const about = fake.image("about the signature", signature);
    expect(await remove(["app"])).toBe(`Deleted. ${freed}`);
    expect([...fake.manifests.keys()]).toEqual([]);
    expect(fake.deleted.slice(0, 4)).toEqual([single, "1.0", "1.0-amd64", multi]);
    expect(asked[0]?.text.split("\n").sort()).toEqual(
      [
        "",
        "This will delete:",
        `  app@${multi} with app:1.0`,
        `  app@${amd64} with app:1.0-amd64`,
        `  app@${single} with app:2.0`,
        ...[arm64, signature, about].map((digest) => `  app@${digest}`),
      ].sort(),
    );
  });

  it("takes no tag away where a registry deletes no image", async () => {
    fake.takesImage = () => false;
    await expect(remove(["app"])).rejects.toThrow(/answered 500[^\n]*$/);
    expect([...fake.tags.keys()]).toEqual(["1.0", "1.0-amd64", "2.0"]);
  });

  it("tells what is left where a registry deletes no more", async () => {
    fake.takesImage = (digest) => digest === single;
    await expect(remove(["app"])).rejects.toThrow(
      new RegExp(`answered 500.*\n.*no tag any more:\n  app@${multi}\n(  app@.*\n){2}$`),
    );
  });

  it("deletes a whole repository where a registry deletes no image that has a tag", async () => {
    fake.takesTagged = false;
    expect(await remove(["app"])).toBe(`Deleted. ${freed}`);
    expect([fake.tags.size, fake.manifests.size]).toEqual([0, 0]);
  });

  it("leaves a tag alone that was pushed anew meanwhile", async () => {
    const agreed = deleteImages(registry, [{ repository: "app" }], () => {
      fake.tags.set("2.0", fake.image("pushed meanwhile"));
      return Promise.resolve(true);
    });
    expect(await agreed).toBe(`Deleted. ${freed}`);
    expect([...fake.tags.keys()]).toEqual(["2.0"]);
  });

  it("deletes a whole repository where a registry deletes by digest only", async () => {
    fake.takesTags = false;
    expect(await remove(["app"])).toBe(`Deleted. ${freed}`);
    expect([fake.tags.size, fake.manifests.size]).toEqual([0, 0]);
  });

  it("deletes two tags of an image where a registry deletes by digest only", async () => {
    fake.takesTags = false;
    fake.tags.set("latest", single);
    expect(await remove(["app:2.0", "app:latest"])).toBe(`Deleted. ${freed}`);
    expect(fake.deleted).toEqual([single]);
  });

  it.each([[["app:2.0", "app:2.0"]], [["app:2.0", "app"]], [["app:2.0", "app@single"]]])(
    "says and does once what it is told twice: %p",
    async (names) => {
      await remove(names.map((name) => name.replace("single", single)));
      expect(asked[0]?.text.match(/app:2\.0/g)).toHaveLength(1);
      expect(new Set(fake.deleted).size).toBe(fake.deleted.length);
    },
  );

  it("marks an index that lacks images", async () => {
    fake.manifests.delete(arm64);
    const rows = (await list(registry, ["app"])).split("\n").map((line) => line.split(/ {2,}/));
    expect(rows.map((row) => [row[1], row[4]])).toEqual([
      ["TAG", "CREATED"],
      ["1.0", "1 of its images missing"],
      ["1.0-amd64", undefined],
      ["2.0", undefined],
    ]);
  });

  it("makes out digests that a registry does not give, and refuses what is none", async () => {
    fake.tell = () => undefined;
    expect(await list(registry, ["app"])).toContain(single);
    await remove([`app@${single}`, "app:1.0-amd64"]);
    expect(asked[0]?.text).toContain(`app@${single} with app:2.0`);
    expect(fake.deleted).toEqual(["1.0-amd64", single]);

    fake.tell = () => "undefined";
    await expect(list(registry, ["app"])).rejects.toThrow('The registry gave "undefined" for a digest.');
    await expect(remove(["app:1.0"])).rejects.toThrow('The registry gave "undefined" for a digest.');
  });

  it("does not take a fault of a moment for a broken image", async () => {
    fake.refusals.set("2.0", [500]);
    await remove(["app:2.0"], false);
    expect(asked[0]?.text).toContain(`app:2.0 of ${single}`);
    fake.refusals.set("2.0", [500, 500]);
    await remove(["app:2.0"], false);
    expect(asked[1]?.text).toContain("app:2.0, which is broken");
  });

  it.each([502, 504, 522])("does not take %d of a proxy for a broken image", async (status) => {
    fake.refusals.set("2.0", [status]);
    await expect(remove(["app:2.0"])).rejects.toThrow(`was answered ${status}`);
    expect(fake.deleted).toEqual([]);
  });

  it("is read in a moment with very many tags", async () => {
    // More than a function takes arguments.
    const names = Array.from({ length: 150_000 }, (_, index) => `t${index}`);
    const digests = Array.from(names, (_, index) => `sha256:${index.toString(16).padStart(64, "0")}`);
    const many = Object.assign(Object.create(registry) as Registry, {
      tags: () => Promise.resolve(names),
      find: (_: string, tag: string) => Promise.resolve({ digest: digests[Number(tag.slice(1))] }),
      parts: () => Promise.resolve([]),
      referrers: () => Promise.resolve([]),
      image: (_: string, tag: string) =>
        Promise.resolve({ digest: digests[Number(tag.slice(1))], size: 1, created: "", missing: 0, more: false }),
    });
    expect((await list(many, ["app"])).split("\n")).toHaveLength(150_001);
    let text = "";
    await deleteImages(many, [{ repository: "app" }], (question) => Promise.resolve((text = question) === ""));
    expect(text.split("\n")).toHaveLength(150_002);
  }, 20_000);
});

describe("what is no registry, or not there", () => {
  const cleanUp = new CleanUp();
  let port: number;

  beforeAll(async () => {
    const server = http.createServer((_, response) => void response.end("<html>"));
    cleanUp.add({ dispose: () => server.close().closeAllConnections() });
    port = await listening(server);
  });

  it.each([
    ["http", "/v2/_catalog was answered with something other than JSON"],
    ["https", "/v2/_catalog: what answers there does not speak TLS; is it http://?"],
  ])("is named with its address, asked by %s", async (scheme, message) => {
    const registry = new Registry({ endpoint: `${scheme}://127.0.0.1:${port}` });
    cleanUp.add({ dispose: () => registry.close() });
    await expect(list(registry, [])).rejects.toThrow(`GET ${scheme}://127.0.0.1:${port}${message}`);
  });

  it("is a repository that somebody names", async () => {
    const fake = await cleanUp.add(new FakeRegistry()).start();
    const registry = new Registry({ endpoint: fake.endpoint });
    cleanUp.add({ dispose: () => registry.close() });
    await expect(list(registry, ["app"])).rejects.toThrow("There is no tag in app.");
  });

  it("is the command pulumi", () => {
    const program = ["--require", "./components/loader/index.cjs", "commands/images/main.ts", "list"];
    const { status, stderr } = spawnSync(process.execPath, program, {
      cwd: projectRoot,
      encoding: "utf8",
      env: { PATH: "/nowhere" },
    });
    expect([status, stderr]).toEqual([1, "There is no command pulumi; npm start brings one, and a registry.\n"]);
  });
});
