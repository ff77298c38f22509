import * as bcrypt from "bcryptjs";
import * as fs from "fs";
import * as path from "path";
import { DockerClient, open, request, servedFingerprint } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { Load } from "../support/load";
import { eventually } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Certificates and users change under a working registry. */
describe("rotation", () => {
  const docker = new DockerClient();
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    stack = await TestStack.create({ "users[0].name": "admin", "users[1].name": "robot", "users[2].name": "guest" });
    outputs = await stack.up();
  });

  afterAll(async () => {
    await docker.dispose();
    await stack.dispose();
  });

  const as = (username: string): { username: string; password: string } => ({
    username,
    password: outputs.credentials[username] ?? "",
  });

  function container(): Promise<string> {
    return docker.run("inspect", "--format", "{{.Id}} {{.State.StartedAt}} {{.RestartCount}}", outputs.containerName);
  }

  /** The folder with the server's files, on the engine's host. */
  function filesFolder(): Promise<string> {
    return docker.run("volume", "inspect", "--format", "{{.Mountpoint}}", `${stack.resourceName}-files`);
  }

  it("fails no request of others while the certificate changes five times and a user three times", async () => {
    const before = await container();
    const load = new Load(outputs, as("robot"));
    load.start();
    for (let generation = 2; generation <= 6; generation++) {
      const old = { fingerprint: await servedFingerprint(outputs), admin: as("admin") };
      await stack.set({ "tls.generation": generation, "users[0].generation": Math.min(generation, 4) });
      outputs = await stack.up();
      const ended = Date.now();
      await eventually("a new certificate", async () => (await servedFingerprint(outputs)) !== old.fingerprint);
      console.log(`generation ${generation}: new certificate served ${Date.now() - ended} ms after up had ended`);
      expect((await request(outputs, "/v2/", { login: as("admin") })).status).toBe(200);
      if (generation <= 4) {
        expect((await request(outputs, "/v2/", { login: old.admin })).status).toBe(401);
      }
    }
    await eventually(
      "20,000 requests",
      () => Promise.resolve(load.tally.requests >= 20_000 || load.tally.failures.length > 0),
      300,
    );
    const { requests, images, failures } = await load.stop();
    console.log(`${requests} requests and ${images} images pushed and pulled during the rotations`);
    expect(failures).toEqual([]);
    expect(images).toBeGreaterThan(10);
    expect(await container()).toBe(before);
  });

  it("has nothing to change afterwards", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("refuses a removed user on the next request, in the middle of a push as well", async () => {
    const guest = as("guest");
    const upload = await request(outputs, "/v2/interrupted/blobs/uploads/", { method: "POST", login: guest });
    expect(upload.status).toBe(202);
    const { pathname, search } = new URL(String(upload.headers.location), outputs.endpoint);

    await stack.unset("users[2]");
    outputs = await stack.up();
    const next = await request(outputs, `${pathname}${search}`, { method: "PATCH", login: guest, body: "more of the layer" });
    expect(next.status).toBe(401);
    expect((await request(outputs, "/v2/", { login: guest })).status).toBe(401);
    expect((await request(outputs, "/v2/", { login: as("robot") })).status).toBe(200);
  });

  it("leaves the passwords and hashes of other users as they are", async () => {
    const file = path.join(await filesFolder(), "htpasswd");
    const linesOf = (user: string): string[] =>
      fs
        .readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.startsWith(`${user}:`));
    const robot = { password: as("robot").password, lines: linesOf("robot") };
    await stack.set({ "users[0].generation": 5 });
    outputs = await stack.up();
    expect({ password: as("robot").password, lines: linesOf("robot") }).toEqual(robot);
  });

  it("accepts the old password beside the new one until the grace period is ended", async () => {
    const old = as("admin");
    await stack.set({ "users[0].generation": 6, "users[0].keepPrevious": true });
    outputs = await stack.up();
    expect(as("admin").password).not.toBe(old.password);
    expect((await request(outputs, "/v2/", { login: old })).status).toBe(200);
    expect((await request(outputs, "/v2/", { login: as("admin") })).status).toBe(200);

    await stack.unset("users[0].keepPrevious");
    outputs = await stack.up();
    expect((await request(outputs, "/v2/", { login: old })).status).toBe(401);
    expect((await request(outputs, "/v2/", { login: as("admin") })).status).toBe(200);
  });

  it("takes a changed password of the user's own, and the hash of one that another tool made", async () => {
    const hash = (await bcrypt.hash("as before", 5)).replace("$2b$", "$2y$");
    await stack.set({ "users[2].name": "before" }, { "users[1].password": "one two three", "users[2].passwordHash": hash });
    outputs = await stack.up();
    expect((await request(outputs, "/v2/", { login: { username: "before", password: "as before" } })).status).toBe(200);
    expect(outputs.credentials).not.toHaveProperty("before");
    expect((await request(outputs, "/v2/", { login: { username: "robot", password: "one two three" } })).status).toBe(200);
    await stack.set({}, { "users[1].password": "fünf ✓", "users[1].previousPassword": "one two three" });
    outputs = await stack.up();
    for (const password of ["one two three", "fünf ✓"]) {
      expect((await request(outputs, "/v2/", { login: { username: "robot", password } })).status).toBe(200);
    }
  });

  it("has an overlap when the CA changes: clients of either CA are served", async () => {
    const old = outputs.caCertificate;
    await stack.set({ "tls.caGeneration": 2, "tls.keepPreviousCa": true });
    outputs = await stack.up();
    const [current, previous] = outputs.caCertificate.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g) ?? [];
    expect(previous).toBe(old.trim());
    for (const ca of [current, previous]) {
      await eventually("the new chain", async () =>
        request(outputs, "/v2/", { tls: { ca } }).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
    }
    const image = randomImage();
    await pushImage(outputs, "overlap", "latest", image);
    await checkImage(outputs, "overlap", "latest", image, { tls: { ca: previous } });

    await stack.unset("tls.keepPreviousCa");
    outputs = await stack.up();
    await eventually("the end of the overlap", async () =>
      request(outputs, "/v2/", { tls: { ca: previous } }).then(
        () => false,
        () => true,
      ),
    );
    expect((await request(outputs, "/v2/", { tls: { ca: current } })).status).toBe(200);
  });

  it("keeps the certificate it has when a broken one is put in its place, and says why", async () => {
    const file = path.join(await filesFolder(), "server.pem");
    const good = fs.readFileSync(file, "utf8");
    const fingerprint = await servedFingerprint(outputs);
    fs.writeFileSync(file, good.slice(0, good.length / 2));
    const complaint = /level=error msg="[^"]*certificate/;
    await eventually("a word in the log", async () => {
      const { stdout, stderr } = await docker.attempt("logs", outputs.containerName);
      return complaint.test(stdout + stderr);
    });
    expect(await servedFingerprint(outputs)).toBe(fingerprint);
    expect((await request(outputs, "/v2/")).status).toBe(200);
    fs.writeFileSync(file, good);
  });

  it("tells when the certificate ends, in an output and in the log", async () => {
    const log = await docker.attempt("logs", outputs.containerName);
    expect(log.stdout + log.stderr).toContain(`expires="${outputs.certificateExpiresAt.replace(".000Z", "Z")}"`);
  });

  it("lets uploads go on while the certificate changes", async () => {
    const start = await request(outputs, "/v2/slow/blobs/uploads/", { method: "POST" });
    const { pathname, search } = new URL(String(start.headers.location), outputs.endpoint);
    const upload = open(outputs, `${pathname}${search}`, { method: "PATCH", headers: { "Content-Length": "8" } });
    const answered = new Promise<number>((resolve, reject) => {
      upload.on("response", (response) => resolve(response.resume().statusCode ?? 0)).on("error", reject);
    });
    upload.write("half");
    await stack.set({ "tls.generation": 7 });
    outputs = await stack.up();
    upload.end("half");
    expect(await answered).toBe(202);
  });
});
