import { CleanUp } from "../support/cleanUp";
import { Crane, DockerClient, request, Skopeo } from "../support/clients";
import { filesUnder } from "../support/folders";
import { checkImage, manifestType, pushImage, randomImage } from "../support/images";
import { RegistryOutputs, TestStack } from "../support/testStack";

const mebibyte = 1 << 20;

/** Three clients that have no code in common, and what each leaves for the others. */
describe("a registry and its clients", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let skopeo: Skopeo;
  let crane: Crane;

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.create());
    outputs = await stack.up();
    skopeo = cleanUp.add(new Skopeo(outputs));
    crane = cleanUp.add(new Crane(outputs));
    await docker.login(outputs);
  });

  const reference = (repository: string): string => `${outputs.repositoryPrefix}/${repository}`;

  it("gives skopeo and crane the image that docker pushed", async () => {
    const image = reference("from-docker");
    await docker.tag(await docker.buildImage(`${stack.name}/from-docker`, [1000, 2000]), image);
    await docker.run("push", image);
    const pushed = await docker.run("image", "inspect", "--format", "{{index .RepoDigests 0}}", image);
    const digest = pushed.split("@")[1];

    expect(await skopeo.run("inspect", "--cert-dir", skopeo.path("."), "--format", "{{.Digest}}", `docker://${image}`)).toBe(
      digest,
    );
    expect(await crane.run("digest", image)).toBe(digest);
    // Skopeo checks every layer's digest as it stores it under it.
    await skopeo.copy(`docker://${image}`, `dir:${skopeo.path("pulled")}`);
    expect(filesUnder(skopeo.path("pulled"))).toHaveLength(5);
    await crane.run("pull", image, crane.path("pulled.tar"));
    await crane.run("validate", "--remote", image);
  });

  it.each([
    ["skopeo", (image: string) => skopeo.copy(`docker-archive:${skopeo.path("saved.tar")}`, `docker://${image}`)],
    ["crane", (image: string) => crane.run("push", skopeo.path("saved.tar"), image)],
  ])("gives docker the image that %s pushed", async (client, push) => {
    const local = await docker.buildImage(`${stack.name}/from-${client}`, [1000, 2000]);
    const id = await docker.run("image", "inspect", "--format", "{{.Id}}", local);
    const image = reference(`from-${client}`);
    await docker.run("save", "--output", skopeo.path("saved.tar"), local);
    await push(image);
    await docker.run("image", "rm", local);

    docker.willHave(image);
    await docker.run("pull", image);
    expect(await docker.run("image", "inspect", "--format", "{{.Id}}", image)).toBe(id);
  });

  it("takes a layer of 300 MB and gives it back", async () => {
    const image = reference("big");
    await docker.tag(await docker.buildImage(`${stack.name}/big`, [300 * mebibyte]), image);
    const id = await docker.run("image", "inspect", "--format", "{{.Id}}", image);
    await docker.run("push", image);
    await docker.run("image", "rm", image, `${stack.name}/big`);
    // Docker checks the digest of what it pulls, compressed and not.
    await docker.run("pull", image);
    expect(await docker.run("image", "inspect", "--format", "{{.Id}}", image)).toBe(id);
    const { layers } = JSON.parse(await crane.run("manifest", image)) as { layers: { size: number }[] };
    expect(layers.map(({ size }) => size > 300 * mebibyte)).toEqual([true]);
  });

  it("takes 20 pushes at once: of different images, and of one tag", async () => {
    const images = Array.from({ length: 20 }, () => randomImage([mebibyte, 1000]));
    await Promise.all(images.map((image, index) => pushImage(outputs, `parallel/${index}`, "latest", image)));
    await Promise.all(images.map((image, index) => checkImage(outputs, `parallel/${index}`, "latest", image)));

    await Promise.all(images.map((image) => pushImage(outputs, "parallel/one-tag", "latest", image)));
    // Which one was last is open, but it is one of them and whole, and the others are there by digest.
    const winner = (await request(outputs, "/v2/parallel/one-tag/manifests/latest", { headers: { Accept: manifestType } })).body;
    expect(images.filter(({ manifest }) => manifest.equals(winner))).toHaveLength(1);
    await Promise.all(images.map((image) => checkImage(outputs, "parallel/one-tag", image.digest, image)));
  });
});
