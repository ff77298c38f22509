import { CleanUp } from "../support/cleanUp";
import { request } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { stores, TestStore } from "../support/storageServers";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Credentials that may list and read a bucket, and no more. */
describe("a bucket that may only be read", () => {
  const cleanUp = new CleanUp();
  const image = randomImage();
  let store: TestStore;
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    store = cleanUp.add(await (stores.s3 ?? (() => Promise.reject(new Error("there is no S3"))))());
    stack = cleanUp.add(await TestStack.create(store.settings, store.secrets));
    outputs = await stack.up();
    await pushImage(outputs, "team/app", "1", image);
    await stack.set({}, store.readerSecrets);
  });

  it("is refused for a registry that takes pushes, with the reason alone", async () => {
    await expect(stack.up()).rejects.toThrow(
      /error: storage: the registry was not switched to this store: .*(written|write|denied)/i,
    );
    await pushImage(outputs, "team/other", "1", image);
  });

  it("is enough for one that is read-only", async () => {
    await stack.set({ readOnly: true });
    outputs = await stack.up();
    await checkImage(outputs, "team/app", "1", image);
    expect((await request(outputs, "/v2/team/app/blobs/uploads/", { method: "POST" })).status).toBe(405);
    expect((await request(outputs, `/v2/team/app/manifests/${image.digest}`, { method: "DELETE" })).status).toBe(405);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });
});
