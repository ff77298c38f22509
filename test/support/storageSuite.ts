import { CleanUp } from "./cleanUp";
import { Answer, digestOf, DockerClient, open, request } from "./clients";
import { checkImage, closing, locationOf, manifestType, pushImage, randomImage, startUpload } from "./images";
import { PageVisitor } from "./pageVisitor";
import { eventually } from "./run";
import { stores, TestStore } from "./storageServers";
import { RegistryOutputs, TestStack } from "./testStack";

const MiB = 1 << 20;

/** One registry on a store that `storage.driver` names, against a real server of that kind. Each driver has a file of its own, so that they run in parallel. */
export function testStorage(driver: string): void {
  describe(`images in ${driver}`, () => {
    const cleanUp = new CleanUp();
    const docker = new DockerClient();
    const big = randomImage([150 * MiB, ...Array.from({ length: 10 }, () => 1000)]);
    const small = randomImage();
    let store: TestStore;
    let stack: TestStack;
    let outputs: RegistryOutputs;

    beforeAll(async () => {
      cleanUp.add(docker);
      store = cleanUp.add(await (stores[driver] ?? (() => Promise.reject(new Error(driver))))());
      stack = cleanUp.add(await TestStack.create());
      outputs = await stack.up();
    });

    function container(): Promise<string> {
      return docker.run("inspect", "--format", "{{.Id}}", outputs.containerName);
    }

    /** The error with which an `up` fails; the running registry must still be the previous one. */
    async function refusedUp(): Promise<string> {
      const before = await container();
      const error = await stack.up().then(
        () => "up succeeded",
        (reason: unknown) => String(reason),
      );
      expect(await container()).toBe(before);
      expect((await request(outputs, "/v2/")).status).toBe(200);
      // Only the reason, and not which property of which resource it was found for.
      expect(error).toMatch(/error: storage: the registry was not switched to this store: /);
      expect(error).not.toContain("serializing");
      return error;
    }

    describe("before the switch", () => {
      beforeAll(() => stack.set(store.settings, store.secrets));

      it("refuses wrong credentials, and the old registry keeps running", async () => {
        await stack.set({}, store.wrongSecrets);
        const error = await refusedUp();
        expect(error).toMatch(/storage: the registry was not switched to this store/);
        expect(error).toMatch(/credentials|refused|unauthorized|denied/i);
        for (const secret of Object.values({ ...store.secrets, ...store.wrongSecrets })) {
          expect(error).not.toContain(String(secret));
        }
      });

      it("refuses a bucket that is not there", async () => {
        await stack.set(store.missingBucket, store.secrets);
        expect(await refusedUp()).toMatch(/no-such-(bucket|container).*(does not exist|not exist|missing)/is);
      });

      it("refuses a store that cannot be reached", async () => {
        await stack.set(store.settings, store.secrets);
        await store.cut();
        expect(await refusedUp()).toMatch(/cannot be reached|connection refused|does not answer/i);
        await store.restore();
      });

      it("switches once all is well", async () => {
        outputs = await stack.up();
        expect((await request(outputs, "/v2/_catalog")).body.toString()).toBe('{"repositories":[]}\n');
      });
    });

    it("takes and gives an image with a layer of 150 MB and ten small ones", async () => {
      await pushImage(outputs, "team/big", "1", big);
      await checkImage(outputs, "team/big", "1", big);
    });

    it("has a page of what is in it, and deletes by it", async () => {
      for (const tag of ["1", "2"]) {
        await pushImage(outputs, "team/paged", tag, small);
      }
      const visitor = new PageVisitor(outputs);
      expect((await visitor.logIn()).status).toBe(303);
      await eventually("the repository in the list", async () => (await visitor.text("/ui/")).includes("/ui/r/team/paged"));
      const size = /<td class="number">(157 MB)<\/td>/.exec(await visitor.text("/ui/r/team/big"))?.[1];
      expect(size).toBe("157 MB");
      expect(await visitor.text("/ui/r/team/big:1")).toContain(big.digest);
      const named: [string, string][] = [["named", `1@${small.digest}`]];
      const form: [string, string][] = [["repository", "team/paged"], ["confirmed", "yes"], ...named];
      const deleted = await visitor.post("/ui/delete", form);
      expect(deleted.headers.location).toBe("/ui/r/team/paged?deleted=1&onlytags=");
      expect(await visitor.text(String(deleted.headers.location))).toMatch(/1 tag was deleted[^]*value="2"/);
      expect((await request(outputs, "/v2/team/paged/tags/list")).body.toString()).toContain('"tags":["2"]');
    });

    it("changes nothing in a second up", async () => {
      expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
    });

    it("resumes an upload that was cut half way", async () => {
      const layer = randomImage([12 * MiB]).blobs[1] ?? Buffer.of();
      const half = layer.length / 2;
      let location = await startUpload(outputs, "team/resumed");
      const first = await request(outputs, location, { method: "PATCH", body: layer.subarray(0, half) });
      expect(first.status).toBe(202);
      location = locationOf(first);

      // The connection is cut in the middle of the second half.
      await new Promise<void>((resolve) => {
        const cut = open(outputs, location, { method: "PATCH", headers: { "Content-Length": `${half}` } });
        cut.on("error", () => resolve());
        cut.write(layer.subarray(half, half + MiB), () => cut.destroy(new Error("cut")));
      });
      const status = await eventually("the upload's state", async () => {
        const answer = await request(outputs, location);
        return answer.status === 204 && answer;
      });
      const received = Number(String(status.headers.range).split("-")[1]) + 1;
      expect(received).toBeGreaterThanOrEqual(half);

      const rest = await request(outputs, locationOf(status), {
        method: "PATCH",
        headers: { "Content-Range": `${received}-${layer.length - 1}` },
        body: layer.subarray(received),
      });
      expect(rest.status).toBe(202);
      const closed = await request(outputs, closing(locationOf(rest), digestOf(layer)), { method: "PUT" });
      expect(closed.status).toBe(201);
      const blob = await request(outputs, `/v2/team/resumed/blobs/${digestOf(layer)}`);
      expect(digestOf(blob.body)).toBe(digestOf(layer));
    });

    it("has its images when the container is replaced", async () => {
      await docker.run("rm", "--force", outputs.containerName);
      await stack.stack.refresh({ suppressProgress: true });
      outputs = await stack.up();
      await checkImage(outputs, "team/big", "1", big);
    });

    it("fails a push while the store is away, loses nothing, and goes on when it is back", async () => {
      await pushImage(outputs, "team/small", "1", small);
      await store.cut();
      const layer = `/v2/team/small/blobs/${digestOf(small.blobs[1] ?? "")}`;
      const refused: Record<string, Answer> = Object.fromEntries(
        await Promise.all(
          [
            "GET /v2/_catalog",
            "GET /v2/team/small/tags/list",
            "GET /v2/team/small/manifests/1",
            "HEAD /v2/team/big/manifests/none",
            "PUT /v2/team/small/manifests/2",
            "DELETE /v2/team/small/manifests/1",
            `GET ${layer}`,
            "POST /v2/team/lost/blobs/uploads/",
          ].map(async (asked): Promise<[string, Answer]> => {
            const [method, path = ""] = asked.split(" ");
            const headers = { "Content-Type": manifestType };
            return [
              asked,
              await request(outputs, path, { method, headers, body: method === "PUT" ? small.manifest : undefined }),
            ];
          }),
        ),
      );
      await store.restore();
      for (const [asked, { status, headers }] of Object.entries(refused)) {
        expect([asked, status, Number(headers["retry-after"]) > 0]).toEqual([asked, 503, true]);
      }
      // A request to a store that does not answer is given up after half a minute, and a push makes several.
      await eventually(
        "a push",
        () =>
          pushImage(outputs, "team/again", "1", small).then(
            () => true,
            () => false,
          ),
        120,
      );
      await checkImage(outputs, "team/small", "1", small);
      await checkImage(outputs, "team/big", "1", big);
    });

    it("comes back by itself when it was started while the store is away", async () => {
      await store.cut();
      try {
        await docker.run("restart", outputs.containerName);
        const restarts = (): Promise<string> => docker.run("inspect", "--format", "{{.RestartCount}}", outputs.containerName);
        const lives = (): Promise<boolean> =>
          request(outputs, "/livez").then(
            ({ status }) => status === 200,
            () => false,
          );
        await eventually(
          "a start without the store, or the end of one",
          async () => (await lives()) || (await restarts()) !== "0",
          60,
        );
      } finally {
        await store.restore();
      }
      // With stores that a server needs at its start, Docker waits longer from one start to the next.
      await eventually(
        "an image",
        () =>
          checkImage(outputs, "team/small", "1", small).then(
            () => true,
            () => false,
          ),
        120,
      );
    });

    it("frees the bytes of a deleted image by garbage collection", async () => {
      const deleted = await request(outputs, `/v2/team/big/manifests/${big.digest}`, { method: "DELETE" });
      expect(deleted.status).toBe(202);
      expect((await request(outputs, "/v2/team/big/manifests/1")).status).toBe(404);

      const before = await store.bytes();
      const command = JSON.parse(
        await docker.run("inspect", "--format", "{{json .Config.Cmd}}", outputs.containerName),
      ) as string[];
      const collect = (): Promise<string> =>
        docker.run("exec", outputs.containerName, "/registry", "garbage-collect", command.at(-1) ?? "");
      const layer = digestOf(big.blobs[1] ?? "");
      expect(await collect()).toContain(layer);
      expect(await collect()).not.toContain(layer);
      // Azure's emulator gives the space back to its host only minutes later.
      if (driver !== "azure") {
        await eventually("free space", async () => (await store.bytes()) < before - 140 * MiB, 60);
      }
      await checkImage(outputs, "team/small", "1", small);
    });
  });
}
