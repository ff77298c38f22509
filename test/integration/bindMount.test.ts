import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { digestOf, DockerClient, request, Workspace } from "../support/clients";
import { filesUnder, ownersUnder, serverUser } from "../support/folders";
import { eventually } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

interface Manifest {
  config: { digest: string };
  layers: { digest: string }[];
}

/** The course's second walk: the registry made again with a bind mount, to see how it stores images. */
describe("a registry that keeps its images in a folder of the host", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  const folder = path.join(cleanUp.add(new Workspace()).folder, "not-there-yet", "registry-data");
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let image: string;
  let manifest: string;

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.create({ "storage.filesystem.hostPath": folder }));
    outputs = await stack.up();
    image = `${outputs.repositoryPrefix}/hello-world`;
    await docker.login(outputs);
    await docker.tag(await docker.buildImage(`${stack.name}/hello-world`, [1000, 2000]), image);
    await docker.run("push", image);
    const headers = { Accept: "application/vnd.docker.distribution.manifest.v2+json" };
    manifest = (await request(outputs, "/v2/hello-world/manifests/latest", { headers })).body.toString();
  });

  const container = (): Promise<string> => docker.run("inspect", "--format", "{{.Id}}", outputs.containerName);

  it("has the tree under the folder that the registry stores images in", () => {
    const { config, layers } = JSON.parse(manifest) as Manifest;
    const image = digestOf(manifest);
    const blobs = [config.digest, ...layers.map(({ digest }) => digest)];
    const hex = (digest: string): string => digest.replace("sha256:", "");
    const root = "docker/registry/v2";
    const repository = `${root}/repositories/hello-world`;
    expect(filesUnder(folder)).toEqual(
      [
        // What makes room for a collection on a full disk.
        ...Array.from({ length: 8 }, (_, number) => `container-registry-collection/spare/${number}`),
        ...[image, ...blobs].map((digest) => `${root}/blobs/sha256/${hex(digest).slice(0, 2)}/${hex(digest)}/data`),
        ...blobs.map((digest) => `${repository}/_layers/sha256/${hex(digest)}/link`),
        `${repository}/_manifests/revisions/sha256/${hex(image)}/link`,
        `${repository}/_manifests/tags/latest/current/link`,
        `${repository}/_manifests/tags/latest/index/sha256/${hex(image)}/link`,
      ].sort(),
    );
  });

  it("stores under every blob's name the content the name was computed from", () => {
    const blobs = filesUnder(folder).filter((file) => file.endsWith("/data"));
    expect(blobs).not.toEqual([]);
    for (const blob of blobs) {
      expect(digestOf(fs.readFileSync(path.join(folder, blob)))).toBe(`sha256:${path.basename(path.dirname(blob))}`);
    }
  });

  it("gives the folder and all in it to the server's user", () => {
    expect(ownersUnder(folder)).toEqual([serverUser]);
  });

  it("refuses a file, and a folder of others, and takes it once it is the registry's alone", async () => {
    const workspace = cleanUp.add(new Workspace());
    const notes = workspace.write("shared/notes", "");
    const before = fs.statSync(notes).uid;
    const other = cleanUp.add(await TestStack.create({ "storage.filesystem.hostPath": notes }));
    await expect(other.up()).rejects.toThrow(/storage\.filesystem\.hostPath: nothing was handed over .*\/notes is no folder/);
    const shared = path.dirname(notes);
    await other.set({ "storage.filesystem.hostPath": shared });
    await expect(other.up()).rejects.toThrow(/hostPath: nothing was handed over .*\/shared has something else in it.*"notes"/);
    expect([fs.statSync(notes).uid, fs.statSync(shared).uid]).toEqual([before, before]);
    fs.rmSync(notes);
    await other.up();
    fs.writeFileSync(notes, "");
    expect(Object.keys(await other.plannedChanges())).toEqual(["same"]);
  });

  it("serves on where another folder can't be written, and tells why", async () => {
    const workspace = cleanUp.add(new Workspace());
    const [closed, away] = ["closed", "away"].map((name) => path.join(workspace.folder, name)) as [string, string];
    fs.mkdirSync(closed, { mode: 0o500 });
    const root = path.join(away, "docker", "registry", "v2");
    fs.mkdirSync(path.dirname(root), { recursive: true });
    fs.symlinkSync("/not-in-the-container", root);
    const before = await container();
    for (const [other, reason] of [
      [closed, /not switched to this store.*\/closed": it may not be written/],
      [away, /not switched to this store.*\/v2 is a link to what is not there/],
    ] as const) {
      await stack.set({ "storage.filesystem.hostPath": other });
      await expect(stack.up()).rejects.toThrow(reason);
      await docker.run("push", image);
    }
    await stack.set({ "storage.filesystem.hostPath": folder });
    await stack.up();
    expect(await container()).toBe(before);
  });

  it("changes nothing in a second up", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("doesn't start without its folder, as of a disk that is not mounted, and makes no other in its place", async () => {
    const away = `${folder}-away`;
    await docker.run("stop", outputs.containerName);
    fs.renameSync(folder, away);
    await expect(docker.run("start", outputs.containerName)).rejects.toThrow(/bind source path does not exist: .*registry-data/);
    expect(fs.existsSync(folder)).toBe(false);
    fs.renameSync(away, folder);
    await docker.run("start", outputs.containerName);
    await eventually("an answer", () => request(outputs, "/v2/").catch(() => undefined));
    await docker.run("push", image);
  });

  it("has no up make its folder anew while it is away, where what took it over is replaced", async () => {
    const away = `${folder}-away`;
    fs.renameSync(folder, away);
    for (const words of [["--replace", "**-data-owner"], []]) {
      await expect(stack.up(...words)).rejects.toThrow(/bind source path does not exist: .*registry-data/);
      expect(fs.existsSync(folder)).toBe(false);
    }
    fs.renameSync(away, folder);
    await stack.up();
    await docker.run("push", image);
  });

  it("leaves the user's folder alone when the stack is destroyed, and finds its images in the next one", async () => {
    // At its end a server may have something to tell the other servers of the folder.
    const images = (): string[] => filesUnder(folder).filter((each) => !each.startsWith("container-registry-changes/"));
    const before = images();
    await stack.destroy();
    expect(await stack.leftOnEngine()).toEqual([]);
    expect(images()).toEqual(before);

    outputs = await stack.up();
    await docker.login(outputs);
    const id = await docker.run("image", "inspect", "--format", "{{.Id}}", image);
    await docker.run("image", "rm", image, `${stack.name}/hello-world`);
    await docker.run("pull", image);
    expect(await docker.run("image", "inspect", "--format", "{{.Id}}", image)).toBe(id);
  });
});
