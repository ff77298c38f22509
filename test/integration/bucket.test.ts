import { CleanUp } from "../support/cleanUp";
import { request, servedFingerprint } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { eventually, run } from "../support/run";
import { stores, TestStore } from "../support/storageServers";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** A registry that is on a bucket already: its certificate changes, then its credentials, to some that may only list and read. */
describe("a bucket", () => {
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
  });

  const container = (): Promise<string> =>
    run("docker", ["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", outputs.containerName]);

  it("is no reason to replace the container when only the certificate changes", async () => {
    const before = { container: await container(), fingerprint: await servedFingerprint(outputs) };
    await stack.set({ "tls.generation": 2 });
    outputs = await stack.up();
    await eventually("a new certificate", async () => (await servedFingerprint(outputs)) !== before.fingerprint);
    expect(await container()).toBe(before.container);
  });

  it("that may only be read is refused for a registry that takes pushes, with the reason alone", async () => {
    const before = await container();
    await stack.set({}, store.readerSecrets);
    await expect(stack.up()).rejects.toThrow(
      /error: storage: the registry was not switched to this store: .*(written|write|denied)/i,
    );
    expect(await container()).toBe(before);
    await pushImage(outputs, "team/other", "1", image);
  });

  it("that may only be read is enough for a registry that is read-only", async () => {
    await stack.set({ readOnly: true });
    outputs = await stack.up();
    await checkImage(outputs, "team/app", "1", image);
    expect((await request(outputs, "/v2/team/app/blobs/uploads/", { method: "POST" })).status).toBe(405);
    expect((await request(outputs, `/v2/team/app/manifests/${image.digest}`, { method: "DELETE" })).status).toBe(405);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });
});
