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

/** The random stand-in as the engine starts and calls it. */
describe("a stand-in's server", () => {
  let server: ChildProcess;
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

  beforeAll(async () => {
    server = spawn(process.execPath, [plugin, "random", "127.0.0.1:1"]);
    const port = await new Promise<string>((resolve) =>
      server.stdout?.once("data", (line: Buffer) => resolve(line.toString().trim())),
    );
    client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    await answer<messages.ConfigureResponse>((done) =>
      client.configure(new messages.ConfigureRequest().setArgs(struct({ version: "4.21.2" })), done),
    );
  });

  afterAll(() => {
    client?.close();
    server?.kill();
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
