import { spawn } from "child_process";
import * as fs from "fs";
import * as path from "path";
import { bridgeAddress } from "../support/bridge";
import { CleanUp } from "../support/cleanUp";
import { Crane, digestOf, DockerClient, Oras, Regctl, request, Skopeo, Workspace } from "../support/clients";
import { checkImage, manifestType, pushImage, randomImage, received, sendAndCut, startUpload } from "../support/images";
import { PageVisitor } from "../support/pageVisitor";
import { makePki } from "../support/pki";
import { freePort } from "../support/ports";
import { eventually, run } from "../support/run";
import { projectRoot, RegistryOutputs, TestStack } from "../support/testStack";

/** The configurations that docs/reverse-proxy.md gives, in a section. */
function given(section: string): string[] {
  const document = fs.readFileSync(path.join(projectRoot, "docs", "reverse-proxy.md"), "utf8");
  const text = document.split(/^## /m).find((each) => each.startsWith(`${section}\n`)) ?? "";
  return [...text.matchAll(/^```(?:nginx|yaml)\n([^]*?)^```/gm)].map(([, configuration = ""]) => configuration);
}

/** A proxy that runs in a folder, with the documented configuration at a port of the test's own. */
type Proxy = (folder: Workspace, port: number, upstream: string) => { command: string; words: string[] };

const nginx: Proxy = (folder, port, upstream) => {
  const [server = ""] = given("nginx");
  const file = folder.write(
    "nginx.conf",
    `
    daemon off;
    pid nginx.pid;
    error_log error.log;
    events {}
    http {
      access_log off;
      client_body_temp_path body;
      proxy_temp_path proxy;
      ${server.replace("listen 443", `listen 127.0.0.1:${port}`).replace("https://127.0.0.1:5000", upstream)}
    }`,
  );
  return { command: "/usr/sbin/nginx", words: ["-p", folder.folder, "-c", file] };
};

const traefik: Proxy = (folder, port, upstream) => {
  const [begin = "", routes = ""] = given("Traefik");
  const file = folder.write("traefik.yml", begin.replace(":443", `127.0.0.1:${port}`));
  // By the names that the test asks for.
  const names = "(Host(`localhost`) || Host(`127.0.0.1`) || Host(`registry.internal`))";
  folder.write("registry.yml", routes.replace("Host(`registry.example.com`)", names).replace("https://127.0.0.1:5000", upstream));
  return { command: "traefik", words: [`--configFile=${file}`] };
};

/** The proxy has a certificate of its own, before a registry that has another. */
describe.each<[string, Proxy]>([
  ["nginx", nginx],
  ["Traefik", traefik],
])("a registry behind %s", (_, proxy) => {
  const cleanUp = new CleanUp();
  const folder = cleanUp.add(new Workspace());
  const pki = makePki(["localhost"]);
  const failedLogins = 3;
  let stack: TestStack;
  let outputs: RegistryOutputs;
  /** For clients that come past the proxy. */
  let beside: RegistryOutputs;
  let port: number;
  let inside: number;

  beforeAll(async () => {
    port = await freePort();
    inside = await freePort();
    // What comes from this host reaches a container from the gateway of Docker's bridge.
    const gateway = await bridgeAddress();
    const settings = { externalUrl: `https://localhost:${port}`, trustedProxies: JSON.stringify([gateway]) };
    const authentication = JSON.stringify({ failedLogins });
    stack = cleanUp.add(await TestStack.create({ ...settings, authentication, port: String(inside) }));
    const told = await stack.up();
    beside = { ...told, endpoint: `https://localhost:${inside}`, repositoryPrefix: `localhost:${inside}` };
    folder.write("registry-ca.crt", told.caCertificate);
    folder.write("registry.example.com.crt", pki.server.certificate + pki.intermediate.certificate);
    folder.write("registry.example.com.key", pki.server.privateKey);
    const { command, words } = proxy(folder, port, `https://127.0.0.1:${inside}`);
    const running = spawn(command, words, { cwd: folder.folder, stdio: "ignore" });
    cleanUp.add({ dispose: () => void running.kill() });
    // Clients trust the proxy's certificate, and need not know the registry's.
    outputs = { ...told, caCertificate: pki.root.certificate };
    await eventually("the proxy", () =>
      request(outputs, "/v2/").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  });

  it("has the proxy's address in its outputs", () => {
    expect(outputs).toMatchObject({ endpoint: `https://localhost:${port}`, repositoryPrefix: `localhost:${port}` });
    expect(outputs.loginCommand).toContain(`docker login localhost:${port} `);
    expect(outputs.daemonConfig).toBe("{}");
  });

  it("tells clients of no other address, whoever asks and however", async () => {
    const refused = await request(outputs, "/v2/team/app/tags/list", { login: null });
    expect(refused.status).toBe(401);
    const started = await request(outputs, "/v2/team/app/blobs/uploads/", { method: "POST" });
    expect(started.headers.location).toMatch(/^\/v2\/team\/app\//);
    await pushImage(outputs, "team/app", "1", randomImage());
    await pushImage(outputs, "team/app", "2", randomImage());
    const first = await request(outputs, "/v2/team/app/tags/list?n=1");
    expect(first.headers.link).toMatch(/^<\/v2\/team\/app\//);
    // Nor do forged headers have it tell of another.
    const headers = { "X-Forwarded-Host": "evil.example.com", "X-Forwarded-Proto": "http" };
    const forged = await request(outputs, "/v2/team/app/blobs/uploads/", { method: "POST", headers });
    expect(forged.headers.location).toMatch(/^\/v2\/team\/app\//);
  });

  it("gives each client behind the proxy a limit of its own", async () => {
    const asks = async (localAddress: string, headers: Record<string, string> = {}): Promise<number> => {
      const login = { username: outputs.username, password: "another" };
      // The address that clients come from; the proxy listens on 127.0.0.1 alone.
      return (await request(outputs, "/v2/", { login, headers, host: "127.0.0.1", tls: { localAddress } })).status;
    };
    const [first, second] = ["127.0.0.71", "127.0.0.72"];
    for (let failed = 0; failed < failedLogins; failed++) {
      expect(await asks(first)).toBe(401);
    }
    expect(await asks(first)).toBe(429);
    expect(await asks(second)).toBe(401);
    // Whatever a client says of itself, the proxy tells where it came from.
    expect(await asks(first, { "X-Forwarded-For": second, "X-Real-Ip": second })).toBe(429);
    expect(await asks(first, { "X-Forwarded-For": "garbage, 192.0.2.1" })).toBe(429);
    const log = await run("docker", ["logs", outputs.containerName]);
    expect(log).toContain(`${first} - - [`);
    expect(log).toContain(`${second} - - [`);
    expect(log).not.toContain("192.0.2.1");
  });

  it("has its page there: login, cookie, redirects and forms", async () => {
    await pushImage(outputs, "team/paged", "1", randomImage());
    const visitor = new PageVisitor(outputs);
    for (const entrance of ["/", "/ui"]) {
      // The port may be another one to browsers than to the proxy.
      expect((await visitor.get(entrance)).headers.location).toBe("/ui/");
    }
    expect((await visitor.get("/ui/r/team/paged")).headers.location).toBe("/ui/login?to=%2Fui%2Fr%2Fteam%2Fpaged");
    expect(await visitor.logIn()).toMatchObject({ status: 303, headers: { location: "/ui/" } });
    expect(visitor.given).toMatch(
      /^__Secure-container-registry-\w+=[^;]+; Path=\/ui\/; Max-Age=1800; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(await visitor.text("/ui/r/team/paged")).toContain(`docker pull localhost:${port}/team/paged:1`);
    const form: [string, string][] = [
      ["repository", "team/paged"],
      ["tag", "1"],
    ];
    for (const origin of [`https://127.0.0.1:${port}`, `https://localhost:${inside}`, "https://evil.example.com", "null"]) {
      expect([origin, (await visitor.post("/ui/delete", form, { origin })).status]).toEqual([origin, 403]);
    }
    expect((await visitor.post("/ui/delete", form)).body.toString()).toContain("Delete 1 tag?");
    // A proxy that asks by a name of its own: what browsers call the registry is its own all the same.
    const unnamed = { host: "127.0.0.1", headers: { Host: "registry.internal" } };
    expect((await visitor.post("/ui/delete", form, unnamed)).body.toString()).toContain("Delete 1 tag?");
    expect(await visitor.text("/ui/r/team/paged", unnamed)).toContain(`docker pull localhost:${port}/team/paged:1`);
    await visitor.post("/ui/logout", []);
    expect((await visitor.get("/ui/")).status).toBe(303);
  });

  it("takes images of any size and gives them back", async () => {
    const image = randomImage([8 << 20, 1000]);
    await pushImage(outputs, "team/large", "latest", image);
    await checkImage(outputs, "team/large", "latest", image);
    const skopeo = cleanUp.add(new Skopeo(outputs));
    await skopeo.copy(`docker://${outputs.repositoryPrefix}/team/large`, `dir:${skopeo.path("copy")}`);
    await skopeo.copy(`dir:${skopeo.path("copy")}`, `docker://${outputs.repositoryPrefix}/team/copied`);
    await checkImage(outputs, "team/copied", "latest", image);
  });

  it("takes pushes of clients beside the proxy, which know the registry by another name", async () => {
    const tools = [Crane, Oras, Regctl, Skopeo].map((Client) => cleanUp.add(new Client(beside)));
    const [crane, oras, regctl, skopeo] = tools as [Crane, Oras, Regctl, Skopeo];
    const docker = cleanUp.add(new DockerClient());
    await docker.login(beside);
    const image = `${beside.repositoryPrefix}/team/beside`;
    await docker.tag(await docker.buildImage(`${stack.name}/beside`, [1000, 2000]), `${image}:docker`);
    await docker.run("push", `${image}:docker`);
    const file = skopeo.path("saved.tar");
    await docker.run("save", "--output", file, `${image}:docker`);
    await skopeo.copy(`docker-archive:${file}`, `docker://${image}-by-skopeo`);
    await crane.run("push", file, `${image}-by-crane`);
    await oras.run("push", "--disable-path-validation", `${image}-by-oras:1`, file);
    await regctl.run("artifact", "put", "--file", file, `${image}-by-regctl:1`);
    expect((await oras.run("repo", "ls", beside.repositoryPrefix)).match(/beside.*/g)).toEqual(
      ["", "-by-crane", "-by-oras", "-by-regctl", "-by-skopeo"].map((client) => `beside${client}`),
    );
  });

  it("tells of all tags of a push", async () => {
    const image = randomImage();
    await pushImage(outputs, "team/tagged", "first", image);
    // Nearly as many as fit into the 8 KiB of a request's first line that nginx takes.
    const tags = Array.from({ length: 60 }, (_each, index) => `${index + 100}`.padEnd(120, "-"));
    const query = tags.map((tag) => `tag=${tag}`).join("&");
    const headers = { "Content-Type": manifestType };
    const pushed = await request(outputs, `/v2/team/tagged/manifests/${digestOf(image.manifest)}?${query}`, {
      method: "PUT",
      headers,
      body: image.manifest,
    });
    expect(pushed).toMatchObject({ status: 201, headers: { "oci-tag": tags.join(", ") } });
  });

  it("has what was sent of a layer when its client is cut off", async () => {
    const location = await startUpload(outputs, "team/cut");
    await sendAndCut(outputs, location, Buffer.alloc(10 << 20));
    await eventually("a part of the layer", async () => (await received(outputs, location)).bytes > 1 << 20);
  });

  it("gives tokens there, with anonymousPull", async () => {
    await stack.set({ anonymousPull: "true" });
    await stack.up();
    const refused = await request(outputs, "/v2/", { login: null });
    const realm = /^Bearer realm="([^"]+)"/.exec(String(refused.headers["www-authenticate"]))?.[1] ?? "";
    const scope = "scope=repository:team/large:pull";
    const { token } = JSON.parse((await request(outputs, `${realm}?${scope}`, { login: null })).body.toString()) as {
      token: string;
    };
    const headers = { Authorization: `Bearer ${token}` };
    expect((await request(outputs, "/v2/team/large/manifests/latest", { login: null, headers })).status).toBe(200);
    const skopeo = cleanUp.add(new Skopeo(outputs));
    await skopeo.copy(`docker://${outputs.repositoryPrefix}/team/large`, `dir:${skopeo.path("again")}`);
    await skopeo.copy(`dir:${skopeo.path("again")}`, `docker://${outputs.repositoryPrefix}/team/again`);
  });
});
