import { digestOf } from "../../commands/randomImage";
import { CleanUp } from "../support/cleanUp";
import { Answer, DockerClient, Oras, Regctl, request } from "../support/clients";
import { manifestType, pushImage, randomImage } from "../support/images";
import { Notation } from "../support/notation";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** What clients attach to images: two that have no code in common, and a garbage collection. */
describe("signatures, lists of content and other referrers", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  const image = randomImage();
  let outputs: RegistryOutputs;
  let oras: Oras;
  let regctl: Regctl;

  beforeAll(async () => {
    const stack = cleanUp.add(
      await TestStack.create({ "garbageCollection.deleteUntagged": true, "foreignLayerHosts[0]": "layers.example.com" }),
    );
    outputs = await stack.up();
    oras = cleanUp.add(new Oras(outputs));
    regctl = cleanUp.add(new Regctl(outputs));
    await pushImage(outputs, "team/app", "1.0", image);
  });

  const reference = (name: string): string => `${outputs.repositoryPrefix}/${name}`;
  const attach = (type: string, name: string): Promise<string> =>
    oras.run("attach", "--artifact-type", type, "--annotation", `about=${name}`, reference(name));

  /** What oras finds, by type. */
  async function found(name: string): Promise<string[]> {
    const tree = JSON.parse(await oras.run("discover", "--format", "json", reference(name))) as {
      referrers?: { artifactType: string }[];
    };
    return (tree.referrers ?? []).map(({ artifactType }) => artifactType).sort();
  }

  async function tags(repository: string): Promise<unknown> {
    const { body } = await request(outputs, `/v2/${repository}/tags/list`);
    return (JSON.parse(body.toString()) as { tags: unknown }).tags;
  }

  it("gives each client what the other attached, and needs no tag for it", async () => {
    await attach("application/vnd.example.signature", "team/app:1.0");
    await regctl.run(
      "artifact",
      "put",
      "--artifact-type",
      "application/vnd.example.sbom",
      "--subject",
      reference("team/app:1.0"),
    );

    const types = ["application/vnd.example.sbom", "application/vnd.example.signature"];
    expect(await found("team/app:1.0")).toEqual(types);
    const listed = await regctl.run(
      "artifact",
      "list",
      "--format",
      "{{range .Descriptors}}{{.ArtifactType}} {{end}}",
      reference("team/app:1.0"),
    );
    expect(listed.trim().split(" ").sort()).toEqual(types);
    expect(await tags("team/app")).toEqual(["1.0"]);
  });

  it("copies an image with all that is about it", async () => {
    await oras.run("copy", "--recursive", reference("team/app:1.0"), reference("team/by-oras:1.0"));
    await regctl.run("image", "copy", "--referrers", reference("team/app:1.0"), reference("team/by-regctl:1.0"));
    for (const repository of ["team/by-oras", "team/by-regctl"]) {
      expect(await found(`${repository}:1.0`)).toHaveLength(2);
      expect(await tags(repository)).toEqual(["1.0"]);
    }
  });

  it("has notation sign again where one of its signatures was deleted", async () => {
    const notation = cleanUp.add(new Notation(outputs));
    await notation.trustOwnKey();
    const { digest } = image;
    await pushImage(outputs, "team/signed", "1.0", image);
    const name = notation.reference(`team/signed@${digest}`);
    const signatures = async (): Promise<string[]> =>
      (await notation.run("list", name)).match(/(?<=── )sha256:[0-9a-f]{64}$/gm) ?? [];
    const remove = async (signature: string): Promise<void> => {
      const { status } = await request(outputs, `/v2/team/signed/manifests/${signature}`, { method: "DELETE" });
      expect(status).toBe(202);
    };
    const tag = digest.replace(":", "-");
    const listed = async (): Promise<unknown> => {
      const { body } = await request(outputs, `/v2/team/signed/manifests/${tag}`, {
        headers: { Accept: "application/vnd.oci.image.index.v1+json" },
      });
      return (JSON.parse(body.toString()) as { manifests: { digest: string }[] }).manifests.map((each) => each.digest).sort();
    };

    await notation.run("sign", "--user-metadata", "number=1", name);
    await notation.run("sign", "--user-metadata", "number=2", name);
    const [first = "", second = ""] = await signatures();
    await remove(first);
    expect(await listed()).toEqual([second]);
    await notation.run("sign", "--user-metadata", "number=3", name);
    await docker.run("exec", outputs.containerName, "/registry", "garbage-collect");
    await notation.run("verify", name);
    const left = await signatures();
    expect(left).toHaveLength(2);
    expect(await listed()).toEqual(left.sort());

    for (const signature of left) {
      await remove(signature);
    }
    expect(await tags("team/signed")).toEqual(["1.0"]);
    expect((await notation.attempt("verify", name)).code).not.toBe(0);
  });

  it("takes images named by sha512", async () => {
    await regctl.run(
      "image",
      "mod",
      "--digest-algo",
      "sha512",
      "--create",
      reference("team/app:sha512"),
      reference("team/app:1.0"),
    );
    expect(await regctl.run("image", "digest", reference("team/app:sha512"))).toMatch(/^sha512:[0-9a-f]{128}$/);
    await attach("application/vnd.example.of-sha512", "team/app:sha512");
    expect(await found("team/app:sha512")).toContain("application/vnd.example.of-sha512");
  });

  it("keeps all of it in a garbage collection, until the image goes", async () => {
    const before = [await found("team/app:1.0"), await found("team/app:sha512"), await found("team/by-oras:1.0")];
    await docker.run("exec", outputs.containerName, "/registry", "garbage-collect");
    expect([await found("team/app:1.0"), await found("team/app:sha512"), await found("team/by-oras:1.0")]).toEqual(before);
    await oras.run("copy", "--recursive", reference("team/app:1.0"), reference("team/again:1.0"));

    // What a client pushes before its image, as copies do, is remembered for an hour.
    const other = randomImage();
    await pushImage(outputs, "team/other", "1.0", other);
    await attach("application/vnd.example.signature", "team/other:1.0");
    const about = async (): Promise<unknown> =>
      JSON.parse((await request(outputs, `/v2/team/other/referrers/${other.digest}`)).body.toString()) as unknown;
    expect(await about()).toMatchObject({ manifests: [{ artifactType: "application/vnd.example.signature" }] });
    const deleted = await request(outputs, `/v2/team/other/manifests/${other.digest}`, { method: "DELETE" });
    expect(deleted.status).toBe(202);
    await docker.run("exec", outputs.containerName, "/registry", "garbage-collect");
    expect(await about()).toMatchObject({ manifests: [] });
  });

  it("takes images whose layers are on hosts that it is told of, and no others", async () => {
    const push = async (url: string): Promise<Answer> => {
      const manifest = JSON.parse(image.manifest.toString()) as { layers: object[] };
      const elsewhere = {
        mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar",
        digest: digestOf(url),
        size: url.length,
        urls: [url],
      };
      const body = Buffer.from(JSON.stringify({ ...manifest, layers: [elsewhere] }));
      const headers = { "Content-Type": manifestType };
      return request(outputs, "/v2/team/app/manifests/elsewhere", { method: "PUT", headers, body });
    };
    expect((await push("https://layers.example.com/layer")).status).toBe(201);
    for (const url of ["https://evil.example.com/layer", "http://layers.example.com/layer"]) {
      const refused = await push(url);
      expect(refused.status).toBe(400);
      expect(refused.body.toString()).toContain("layers[0].urls[0]");
    }
  });
});
