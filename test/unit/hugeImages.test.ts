import { parseReference } from "../../commands/images/arguments";
import { deleteImages } from "../../commands/images/delete";
import { forAll } from "../../commands/images/forAll";
import { list } from "../../commands/images/list";
import { Registry } from "../../commands/images/registry";
import { CleanUp } from "../support/cleanUp";
import { FakeRegistry } from "../support/fakeRegistry";

/** What somebody who may push to one repository can put in the way of whoever lists or deletes images. */
describe("images made to be in the way", () => {
  const cleanUp = new CleanUp();
  let fake: FakeRegistry;
  let registry: Registry;

  beforeEach(async () => {
    fake = await cleanUp.add(new FakeRegistry()).start();
    const made = new Registry({ endpoint: fake.endpoint });
    registry = made;
    cleanUp.add({ dispose: () => made.close() });
  });

  /** Twenty indexes that list one image, and one that is not there, thousands of times. */
  function mentions(): void {
    const image = fake.image("a");
    const lost = `sha256:${"0".repeat(64)}`;
    for (let at = 0; at < 20; at++) {
      const again = Array.from({ length: 5_000 }, () => [image, lost]).flat();
      fake.tags.set(`t${at}`, fake.index(fake.image(`own ${at}`), ...again));
    }
  }

  async function sizes(): Promise<(string | undefined)[][]> {
    const rows = (await list(registry, ["app"])).split("\n").slice(1);
    return rows.map((row) => row.split(/ {2,}/)).map(([, tag, , ...rest]) => [tag, ...rest]);
  }

  const askedTwice = (): string[] =>
    fake.asked.filter((request, at) => request.startsWith("GET ") && fake.asked.indexOf(request) < at);

  it("are listed, each manifest read once", async () => {
    mentions();
    const tags = [...fake.tags];
    tags.forEach(([tag, digest]) => fake.tags.set(`${tag}-again`, digest));
    const rows = await sizes();
    expect(rows).toHaveLength(40);
    expect(new Set(rows.map((row) => row.at(-1)))).toEqual(new Set(["1 of its images missing"]));
    expect(askedTwice()).toEqual([]);
  });

  it("are deleted, each manifest read once", async () => {
    mentions();
    await deleteImages(registry, [parseReference("app")], () => Promise.resolve(true));
    expect([fake.tags.size, fake.manifests.size]).toEqual([0, 0]);
    expect(askedTwice()).toEqual([]);
  });

  it("are counted so far as nobody has to wait for it", async () => {
    const layers = (name: string): object[] =>
      Array.from({ length: 20_000 }, (_, at) => ({ digest: `${name} ${at}`, size: 1_000_000 }));
    const large = ["a", "b", "c", "d", "e"].map((name) => fake.image(name, undefined, { layers: layers(name) }));
    fake.tags.set("large", fake.index(...large));
    fake.tags.set("small", fake.image("small", undefined, { layers: layers("small").slice(0, 1) }));
    const [[, size], small] = (await sizes()) as [string[], string[]];
    expect(size).toMatch(/^>\d+GB$/);
    expect(small).toEqual(["small", "1MB"]);
  });

  it("may be indexes of indexes, as deep as they like", async () => {
    let digest = fake.image("innermost");
    for (let depth = 0; depth < 3_000; depth++) {
      digest = fake.index(digest);
    }
    fake.tags.set("deep", digest);
    expect(await sizes()).toEqual([["deep", expect.stringMatching(/^>/)]]);
    expect(fake.asked.length).toBeLessThan(20);
    await deleteImages(registry, [parseReference("app")], () => Promise.resolve(true));
    expect(fake.manifests.size).toBe(0);
  });

  it("may have null for a list without anything in it, as programs in Go write it", async () => {
    fake.tags.set("empty", fake.image("empty", undefined, { config: null, layers: null, manifests: null } as object));
    expect(await sizes()).toEqual([["empty", expect.stringMatching(/^\d+B$/)]]);
  });

  it("may name a configuration that is as large as a layer: it is not fetched", async () => {
    const config = { digest: `sha256:${"1".repeat(64)}`, size: 10_000_000_000 };
    fake.tags.set("large", fake.image("large", undefined, { config }));
    expect(await sizes()).toEqual([["large", "10GB"]]);
    expect(fake.blobs).toEqual([]);
  });
});

describe("work for all", () => {
  it("is done a few at a time, in order, and ends with the first failure", async () => {
    let now = 0;
    let most = 0;
    const items = Array.from({ length: 100 }, (_, at) => at);
    const work = async (item: number): Promise<number> => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return item * 2;
    };
    expect(await forAll(items, work)).toEqual(items.map((item) => item * 2));
    expect(most).toBe(8);

    const done: number[] = [];
    const failing = forAll(items, (item) => {
      done.push(item);
      return item === 20 ? Promise.reject(new Error("no")) : Promise.resolve();
    });
    await expect(failing).rejects.toThrow("no");
    expect(done.length).toBeLessThan(40);
  });
});
