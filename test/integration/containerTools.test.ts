import { CleanUp } from "../support/cleanUp";
import { request, Workspace } from "../support/clients";
import { Buildah, Ctr, Podman } from "../support/containerTools";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Engines and builders that are not Docker's. */
describe("clients that are not Docker's", () => {
  const cleanUp = new CleanUp();
  const context = cleanUp.add(new Workspace());
  let outputs: RegistryOutputs;
  let built: string;

  beforeAll(async () => {
    outputs = await cleanUp.add(await TestStack.create()).up();
    built = `${outputs.repositoryPrefix}/team/built`;
    context.write("Dockerfile", "FROM scratch\nCOPY data /data\n");
    context.write("data", "what an image is made of");
  });

  async function digest(name: string): Promise<unknown> {
    const [repository, tag] = name.slice(outputs.repositoryPrefix.length + 1).split(":");
    return (await request(outputs, `/v2/${repository}/manifests/${tag}`)).headers["docker-content-digest"];
  }

  it("buildah pushes what it builds, in both formats, and a list of them", async () => {
    const buildah = cleanUp.add(new Buildah(outputs));
    await buildah.run("bud", "--isolation", "chroot", "--tag", `${built}:oci`, context.folder);
    await buildah.run("push", `${built}:oci`);
    await buildah.run("push", "--format", "v2s2", `${built}:oci`, `docker://${built}:docker`);
    const list = `${built}:list`;
    await buildah.run("manifest", "create", list);
    await buildah.run("manifest", "add", list, `docker://${built}:oci`);
    await buildah.run("manifest", "push", "--all", list, `docker://${list}`);
    await buildah.run("pull", `${built}:docker`);
    await buildah.run("pull", list);
  });

  it("podman pulls that, and pushes it with other layers", async () => {
    const podman = cleanUp.add(new Podman(outputs));
    await podman.run("pull", `${built}:list`);
    await podman.run("push", "--compression-format", "zstd", `${built}:list`, `${built}:zstd`);
    await podman.run("rmi", "--all", "--force");
    await podman.run("pull", `${built}:zstd`);
  });

  it("containerd pulls that, and pushes it byte by byte", async () => {
    const ctr = cleanUp.add(new Ctr(outputs));
    for (const tag of ["docker", "list"]) {
      await ctr.images("pull", "--snapshotter", "native", `${built}:${tag}`);
      await ctr.images("push", `${outputs.repositoryPrefix}/team/copied:${tag}`, `${built}:${tag}`);
      expect(await digest(`${outputs.repositoryPrefix}/team/copied:${tag}`)).toBe(await digest(`${built}:${tag}`));
    }
  });
});
