import * as fs from "fs";
import { Browser } from "../support/browser";
import { CleanUp } from "../support/cleanUp";
import { digestOf, DockerClient, request } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { engine29Programs } from "../support/engine29";
import { manifestType, pushImage, randomImage } from "../support/images";
import { freePort } from "../support/ports";
import { eventually } from "../support/run";
import { readable, secretOf } from "../support/secretSearch";
import { RegistryOutputs, TestStack } from "../support/testStack";

/**
 * A mirror on an engine that pulls through it, as its `trustCommand` and `daemonConfig` say. What stands for Docker Hub, by name
 * to the mirror and by address to the others, is a second registry, with users and a CA of its own.
 */
describe("a mirror beside the registry", () => {
  const dockerHub = { hostname: "registry-1.docker.io", port: 443 };
  const cleanUp = new CleanUp();
  let engine: PrivateEngine;
  let docker: DockerClient;
  let hub: TestStack;
  let hubOutputs: RegistryOutputs;
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let mirror: string;
  let warning: string;

  beforeAll(async () => {
    // Where the engine looks when the mirror gives nothing; it has no reason to trust what it finds there.
    engine = cleanUp.add(await PrivateEngine.start([dockerHub.hostname]));
    docker = cleanUp.add(new DockerClient(engine.env));
    const bindAddress = engine.address;
    hub = cleanUp.add(await TestStack.create({ ...dockerHub, bindAddress }, {}, docker.env));
    hubOutputs = { ...(await hub.up()), repositoryPrefix: `${engine.address}:443` };

    stack = cleanUp.add(
      await TestStack.create(
        {
          hostname: engine.address,
          bindAddress,
          [`hosts["${dockerHub.hostname}"]`]: engine.address,
          "mirror.port": await freePort(),
          "mirror.ui": true,
          "mirror.maxSize": "1MB",
          "mirror.username": hubOutputs.username,
          "mirror.caCertificates": hubOutputs.caCertificate,
        },
        { "mirror.password": hubOutputs.password },
        docker.env,
      ),
    );
    warning = (await stack.preview()).stdout;
    outputs = await stack.up();
    mirror = `${stack.resourceName}-mirror`;

    engine.write(`docker/certs.d/${hubOutputs.repositoryPrefix}/ca.crt`, hubOutputs.caCertificate);
    // What a user does by hand on each machine that shall pull through it.
    expect(await engine.on("sh", ["-ec", outputs.trustCommand])).toEqual({ code: 0, stdout: "", stderr: "" });
    engine.write("docker/daemon.json", outputs.daemonConfig);
    await engine.stop();
    await engine.start();
    await healthy(hubOutputs.containerName);
    await healthy(mirror);
    await docker.login(hubOutputs);
  });

  function healthy(container: string): Promise<unknown> {
    const status = (): Promise<string> => docker.run("inspect", "--format", "{{.State.Health.Status}}", container);
    return eventually(`health of ${container}`, async () => (await status()) === "healthy", 60);
  }

  /** Makes Docker Hub have an image, and nobody else; returns its name. */
  async function imageOfHub(name: string, layers = [200_000, 1000]): Promise<string> {
    const there = `${hubOutputs.repositoryPrefix}/library/${name}`;
    await docker.tag(await docker.buildImage(`made-${name}`, layers), there);
    await docker.run("push", there);
    await docker.run("image", "rm", there, `made-${name}`);
    docker.willHave(name);
    return name;
  }

  async function pullAnew(name: string): Promise<void> {
    await docker.attempt("image", "rm", name);
    await docker.run("pull", name);
    await docker.run("image", "inspect", name);
  }

  /** Asks the mirror. */
  function ask(path: string, method = "GET"): ReturnType<typeof request> {
    return request({ ...outputs, endpoint: outputs.mirrorEndpoint }, path, { method, login: null });
  }

  /** The mirror's page, as it comes. */
  async function shown(): Promise<string> {
    return (await ask("/ui/")).body.toString();
  }

  async function size(): Promise<string> {
    const command = JSON.parse(await docker.run("inspect", "--format", "{{json .Config.Cmd}}", mirror)) as string[];
    return docker.run("exec", mirror, "/registry", "size", command.at(-1) ?? "");
  }

  it("is tried on the engine that the project is about", async () => {
    const version = await docker.run("version", "--format", "{{.Server.Version}}");
    expect(version.startsWith("29.")).toBe(process.env.PATH?.startsWith(engine29Programs));
  });

  it("is in the output, and in daemonConfig", () => {
    expect(outputs.mirrorEndpoint).toMatch(new RegExp(`^https://${engine.address}:\\d+$`));
    expect(JSON.parse(outputs.daemonConfig)).toEqual({ "registry-mirrors": [outputs.mirrorEndpoint] });
    expect(hubOutputs).toMatchObject({ mirrorEndpoint: "", daemonConfig: "{}" });
  });

  it("comes with a warning where others can reach it", () => {
    expect(warning).toMatch(
      /warning: Everybody who reaches \S+ can pull through the mirror without a login, also what https:\S+ gives to admin alone/,
    );
  });

  it("changes nothing in a second up", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("fills on the first pull, and serves the second one without its upstream", async () => {
    const image = await imageOfHub("first");
    expect(await size()).toBe("0 repositories, 0 blobs, 0.0 MB");
    await pullAnew(image);
    expect(await size()).toBe("1 repositories, 4 blobs, 0.2 MB");

    await docker.run("stop", hubOutputs.containerName);
    await pullAnew(image);
    await docker.run("kill", mirror);
    await docker.run("start", mirror);
    await healthy(mirror);
    await pullAnew(image);
    expect((await docker.attempt("pull", "never-cached")).code).not.toBe(0);
  });

  it("fetches again once the upstream is back", async () => {
    await docker.run("start", hubOutputs.containerName);
    await healthy(hubOutputs.containerName);
    const image = await imageOfHub("second");
    await eventually("a pull", async () => (await docker.attempt("pull", image)).code === 0, 60);
    expect(await size()).toMatch(/^2 repositories, 8 blobs/);
  });

  it("has a page of its own: the upstream, what is cached, hits and misses", async () => {
    await eventually("what was fetched last", async () => (await shown()).includes("library/second"));
    const browser = cleanUp.add(await Browser.open());
    const views = [{}, { dark: true }, { width: 390 }, { width: 390, dark: true }, { script: false }];
    for (const [at, view] of views.entries()) {
      const person = await browser.person(outputs.mirrorEndpoint, view);
      await person.page.goto("/");
      expect(new URL(person.page.url()).pathname).toBe("/ui/");
      const text = await person.text();
      expect(text).toMatch(/Mirror of https:\/\/registry-1\.docker\.io[^]*kept for 7 days[^]*Above 1\.0 MB[^]*answers/);
      expect(text).toMatch(/Login there\s+yes[^]*\d+ % of requests[^]*2 repositories[^]*library\/first[^]*library\/second/);
      expect(text).toMatch(/Manifests\s+Blobs\s+Hits\s+\d+\s+[1-9]\d*\s+Misses\s+\d+\s+[1-9]/);
      const html = await person.page.content();
      expect([html.includes(hubOutputs.password), html.includes(hubOutputs.username)]).toEqual([false, false]);
      if (view.script !== false) {
        expect(await person.inspect(`mirror-${at}`)).toEqual([]);
        const beyond: number = await person.page.evaluate("document.documentElement.scrollWidth - innerWidth");
        expect([view, beyond]).toEqual([view, 0]);
      }
      expect(person.complaints).toEqual([]);
    }
    expect((await ask("/ui/login")).status).toBe(404);
  });

  it("lists what its upstream has about an image", async () => {
    const [image, about] = [randomImage(), randomImage()];
    const subject = { mediaType: manifestType, digest: image.digest, size: image.manifest.length };
    const manifest = Buffer.from(JSON.stringify({ ...(JSON.parse(about.manifest.toString()) as object), subject }));
    const signature = { blobs: about.blobs, manifest, digest: digestOf(manifest) };
    const listed = async (): Promise<string[]> => {
      const answer = await ask(`/v2/library/signed/referrers/${image.digest}`);
      expect(answer.status).toBe(200);
      return (JSON.parse(answer.body.toString()) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest);
    };
    await pushImage(hubOutputs, "library/signed", "latest", image, { host: engine.address });
    expect(await listed()).toEqual([]);
    await pushImage(hubOutputs, "library/signed", signature.digest, signature, { host: engine.address });
    expect(await listed()).toEqual([signature.digest]);
  });

  it("deletes what was pulled longest ago when it holds more than it may", async () => {
    const image = await imageOfHub("large", [600_000, 600_001]);
    await pullAnew(image);
    await eventually("room", async () => (await size()).endsWith(" 0.6 MB"));
    await eventually("a page without what is gone", async () => /\b60\d kB of it by images/.test(await shown()));
    await pullAnew(image);
    expect((await docker.attempt("logs", mirror)).stderr).toContain("what was pulled longest ago is deleted");
  });

  it("can be pulled from alone: it takes no push, and asks for no login", async () => {
    expect((await ask("/v2/")).status).toBe(200);
    expect((await ask("/v2/library/pushed/blobs/uploads/", "POST")).status).toBe(405);
  });

  it("has the upstream's password nowhere in clear", async () => {
    const logs = await docker.attempt("logs", mirror);
    const places = [
      { name: "state", text: stack.storedState() },
      { name: "configuration", text: fs.readFileSync(`${stack.folder}/stacks/Pulumi.${stack.name}.yaml`, "utf8") },
      { name: "docker inspect", text: await docker.run("inspect", mirror, `${mirror}-files-writer`) },
      { name: "logs", text: logs.stdout + logs.stderr },
      { name: "preview", text: warning + (await stack.pulumi("preview", "--diff")) },
      { name: "outputs", text: await stack.pulumi("stack", "output", "--json") },
    ];
    expect(readable([secretOf("the upstream's password", hubOutputs.password)], places)).toEqual([]);
    expect(places.map(({ text }) => text.length > 100)).toEqual(places.map(() => true));
  });

  it("deletes what has expired, also what was cached when the time was longer", async () => {
    await stack.set({ "mirror.ttl": "1s" });
    await stack.up();
    await eventually("an empty cache", async () => (await size()).endsWith(" 0.0 MB"));
    await pullAnew("second");
    await eventually("an empty cache again", async () => (await size()).endsWith(" 0.0 MB"));
  });

  it("leaves nothing behind", async () => {
    await stack.destroy();
    expect(await stack.leftOnEngine()).toEqual([]);
  });
});
