import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { ChildProcess, spawn } from "child_process";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import * as path from "path";
import { eventually } from "../support/run";
import { plain, secret, unknown } from "../../offline/stand-ins/provider/wire";

it("takes settings that are secret", () => {
  expect(plain({ registryAuth: secret("[]"), nested: [{ password: secret("p") }, null, 1] })).toEqual({
    registryAuth: "[]",
    nested: [{ password: "p" }, null, 1],
  });
});

/** The stand-ins as the engine starts and calls them. */
describe("a stand-in's server", () => {
  const servers: ChildProcess[] = [];
  const clients: ResourceProviderClient[] = [];
  /** The random one. */
  let client: ResourceProviderClient;

  const urn = "urn:pulumi:dev::project::container-registry:index:Registry$random:index/randomPassword:RandomPassword::secret";
  const struct = (values: Record<string, string | number | boolean>): Struct => Struct.fromJavaScript(values);

  type Done<Response> = (error: grpc.ServiceError | null, response: Response) => void;

  /** What a call answers; its error has the text that the engine shows. */
  function answer<Response>(call: (done: Done<Response>) => void): Promise<Response> {
    return new Promise((resolve, reject) => {
      call((error, response) => (error === null ? resolve(response) : reject(new Error(error.details))));
    });
  }
  const plugin = path.join(__dirname, "..", "..", "offline", "stand-ins", "plugin.cjs");

  async function started(name: string): Promise<ResourceProviderClient> {
    const server = spawn(process.execPath, [plugin, name, "127.0.0.1:1"]);
    servers.push(server);
    const port = await new Promise<string>((resolve) =>
      server.stdout.once("data", (line: Buffer) => resolve(line.toString().trim())),
    );
    const connected = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    clients.push(connected);
    await answer<messages.ConfigureResponse>((done) =>
      connected.configure(new messages.ConfigureRequest().setArgs(struct({ version: "4.21.2" })), done),
    );
    return connected;
  }

  beforeAll(async () => {
    client = await started("random");
  });

  afterAll(() => {
    clients.forEach((each) => each.close());
    servers.forEach((each) => each.kill());
  });

  it("refuses a property by name, and shows no value", async () => {
    const request = new messages.CheckRequest().setUrn(urn).setNews(struct({ length: 8, seed: "hidden" }));
    const [failure] = (await answer<messages.CheckResponse>((done) => client.check(request, done))).getFailuresList();
    // With a property of its own the engine would print its value.
    expect(failure?.getProperty()).toBe("");
    expect(failure?.getReason()).toMatch(
      /^seed is not known here \(urn:.*::secret\)\. This is the stand-in for the random provider, .*stand-ins\/README\.md$/,
    );
    expect(failure?.getReason()).not.toContain("hidden");
  });

  it("refuses a kind of resource, a function, an import and a setting of the provider by name", async () => {
    const shuffle = new messages.CheckRequest()
      .setUrn(urn.replaceAll(/(random|Random)Password/g, "$1Shuffle"))
      .setNews(struct({}));
    await expect(answer<messages.CheckResponse>((done) => client.check(shuffle, done))).rejects.toThrow(
      "has no resource random:index/randomShuffle:RandomShuffle",
    );
    const invoke = new messages.InvokeRequest().setTok("random:index:pick");
    await expect(answer<messages.InvokeResponse>((done) => client.invoke(invoke, done))).rejects.toThrow(
      "has no function random:index:pick",
    );
    const read = new messages.ReadRequest().setUrn(urn).setId("none");
    await expect(answer<messages.ReadResponse>((done) => client.read(read, done))).rejects.toThrow("can't read or import");
    const settings = new messages.CheckRequest()
      .setUrn("urn:pulumi:dev::p::pulumi:providers:random::mine")
      .setNews(struct({ seed: 1, version: "4.21.2" }));
    const [failure] = (await answer<messages.CheckResponse>((done) => client.checkConfig(settings, done))).getFailuresList();
    expect(failure?.getReason()).toContain("seed is not known here");
  });

  it("makes nothing in a preview", async () => {
    const request = new messages.CreateRequest()
      .setUrn(urn)
      .setProperties(struct({ length: 8 }))
      .setPreview(true);
    const response = await answer<messages.CreateResponse>((done) => client.create(request, done));
    expect(response.getId()).toBe("");
    expect(response.getProperties()?.toJavaScript()).toMatchObject({ length: 8, special: true, result: { value: unknown } });
  });

  it("tells the engine which property of a difference replaces", async () => {
    const request = new messages.DiffRequest()
      .setUrn(urn)
      .setOlds(struct({ length: 8 }))
      .setOldInputs(struct({ length: 8 }))
      .setNews(struct({ length: 9 }));
    const response = await answer<messages.DiffResponse>((done) => client.diff(request, done));
    expect([response.getChanges(), response.getReplacesList()]).toEqual([
      messages.DiffResponse.DiffChanges.DIFF_SOME,
      ["length"],
    ]);
    expect(response.getDetaileddiffMap().get("length")?.getKind()).toBe(messages.PropertyDiff.Kind.UPDATE_REPLACE);
    const same = await answer<messages.DiffResponse>((done) =>
      client.diff(request.setNews(struct({ length: 8, lower: true })), done),
    );
    expect(same.getChanges()).toBe(messages.DiffResponse.DiffChanges.DIFF_NONE);
  });

  it("tells the engine by paths which parts of a property change and replace, and lists the properties", async () => {
    const docker = await started("docker");
    const service = (image: string, ip: string): Struct =>
      Struct.fromJavaScript({ name: "s", taskSpec: { containerSpec: { image, hosts: [{ host: "a", ip }] } } });
    const request = new messages.DiffRequest()
      .setUrn(urn.replace(/random:index.*/, "docker:index/service:Service::s"))
      .setOlds(service("one", "10.0.0.1"))
      .setOldInputs(service("one", "10.0.0.1"))
      .setNews(service("two", "10.0.0.2"));
    const response = await answer<messages.DiffResponse>((done) => docker.diff(request, done));
    expect([response.getDiffsList(), response.getReplacesList()]).toEqual([["taskSpec"], ["taskSpec"]]);
    const { UPDATE, UPDATE_REPLACE } = messages.PropertyDiff.Kind;
    const kinds = response.getDetaileddiffMap().toObject(false, (_, each) => each.getKind());
    expect(new Map(kinds)).toEqual(
      new Map([
        ["taskSpec.containerSpec.image", UPDATE],
        ["taskSpec.containerSpec.hosts", UPDATE_REPLACE],
      ]),
    );
  });

  it("ends when the engine that started it was killed", async () => {
    const engine = spawn("sh", ["-c", '"$0" "$1" random & echo $!; wait', process.execPath, plugin]);
    const pid = await new Promise<number>((resolve) => engine.stdout.once("data", (line: Buffer) => resolve(Number(line))));
    await new Promise((resolve) => engine.stdout.once("data", resolve));
    engine.kill("SIGKILL");
    await eventually("the end of the stand-in", () => Promise.resolve(!isRunning(pid)));
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
