import * as fs from "fs";
import * as path from "path";
import { createServer, IncomingHttpHeaders, Server } from "http";
import { AddressInfo } from "net";
import { randomBytes } from "crypto";
import { bridgeAddress } from "../support/bridge";
import { CleanUp } from "../support/cleanUp";
import { request, Workspace } from "../support/clients";
import { filesUnder } from "../support/folders";
import { pushImage, randomImage } from "../support/images";
import { attempt, eventually, run } from "../support/run";
import { readable, secretOf } from "../support/secretSearch";
import { RegistryOutputs, TestStack } from "../support/testStack";

interface Event {
  id: string;
  action: string;
  target: { repository: string; tag?: string; digest?: string; url?: string };
  actor: { name?: string };
}

function eventsIn(envelope: string): Event[] {
  return (JSON.parse(envelope) as { events: Event[] }).events;
}

/** Who is told, on a port of the address that containers reach this machine by. */
class Receiver {
  public readonly events: Event[] = [];
  public headers: IncomingHttpHeaders = {};
  private constructor(
    private server: Server,
    public readonly address: string,
    public readonly port: number,
  ) {}

  static async listen(address: string): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const receiver = new Receiver(server, address, (server.address() as AddressInfo).port);
    receiver.answer();
    return receiver;
  }

  private answer(): void {
    this.server.on("request", (asked, answer) => {
      let body = "";
      asked.setEncoding("utf8").on("data", (text: string) => (body += text));
      asked.on("end", () => {
        this.headers = asked.headers;
        this.events.push(...eventsIn(body));
        answer.end();
      });
    });
  }

  /** Is away from now on: connections are refused. */
  async leave(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async comeBack(): Promise<void> {
    this.server = createServer();
    this.answer();
    await new Promise<void>((resolve) => this.server.listen(this.port, this.address, resolve));
  }

  dispose(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

describe("a registry that tells of what happens in it", () => {
  const cleanUp = new CleanUp();
  const workspace = cleanUp.add(new Workspace());
  const image = randomImage();
  const [token, header] = [randomBytes(12).toString("hex"), randomBytes(12).toString("hex")];
  let receiver: Receiver;
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let printed: string;

  const tags = (): (string | undefined)[] => receiver.events.map(({ target }) => target.tag);

  beforeAll(async () => {
    const gateway = await bridgeAddress();
    receiver = cleanUp.add(await Receiver.listen(gateway));
    const endpoint = { "notifications[0].name": "hook", "notifications[0].repositories[0]": "team/*", allowInsecure: true };
    stack = cleanUp.add(
      await TestStack.create(endpoint, {
        "notifications[0].url": `http://${gateway}:${receiver.port}/${token}`,
        "notifications[0].headers.Authorization": `Bearer ${header}`,
      }),
    );
    printed = await stack.pulumi("preview", "--diff");
    outputs = await stack.up();
  });

  it("tells who pushed and deleted what, to those who want to know", async () => {
    await pushImage(outputs, "team/app", "1", image);
    await pushImage(outputs, "other/app", "1", image);
    await request(outputs, "/v2/team/app/manifests/1", { method: "DELETE" });
    await eventually("two events", async () => Promise.resolve(receiver.events.length === 2));
    expect(receiver.events).toEqual([
      expect.objectContaining({
        action: "push",
        actor: { name: "admin" },
        target: expect.objectContaining({ repository: "team/app", tag: "1", digest: image.digest }) as object,
      }),
      expect.objectContaining({
        action: "delete",
        target: expect.objectContaining({ repository: "team/app", tag: "1" }) as object,
      }),
    ]);
    expect(receiver.headers).toMatchObject({
      authorization: `Bearer ${header}`,
      "content-type": "application/vnd.docker.distribution.events.v2+json",
    });
  });

  it("keeps an event while the endpoint is away, over a restart of the server, and sends it once", async () => {
    await receiver.leave();
    receiver.events.length = 0;
    await pushImage(outputs, "team/app", "2", image);
    await pushImage(outputs, "team/app", "3", image);
    const folder = path.join(workspace.folder, "hook");
    await run("docker", ["cp", `${outputs.containerName}:/var/lib/registry/container-registry-events/hook`, folder]);
    const kept = filesUnder(folder).flatMap((file) => eventsIn(fs.readFileSync(path.join(folder, file), "utf8")));
    expect(kept.map(({ target }) => target.tag)).toEqual(["2", "3"]);
    await run("docker", ["restart", outputs.containerName]);
    await eventually("the registry", () =>
      request(outputs, "/v2/").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    await receiver.comeBack();
    await eventually("both events", async () => Promise.resolve(receiver.events.length >= 2), 60);
    // What came after them is the sign that nothing else was waiting.
    await pushImage(outputs, "team/app", "4", image);
    await eventually("the next event", async () => Promise.resolve(tags().includes("4")), 60);
    expect(tags()).toEqual(["2", "3", "4"]);
    expect(receiver.events.slice(0, 2)).toEqual(kept);
  });

  it("has neither the URL nor the headers where other people look", async () => {
    const { stdout, stderr } = await attempt("docker", ["logs", outputs.containerName]);
    expect(stderr).toContain("the endpoint does not get its events");
    const places = [
      { name: "the preview", text: printed },
      { name: "the log", text: stdout + stderr },
      { name: "docker inspect", text: await run("docker", ["inspect", outputs.containerName]) },
      { name: "the state", text: stack.storedState() },
      { name: "the processes", text: await run("ps", ["-ef"]) },
    ];
    expect(readable([secretOf("the URL's path", token), secretOf("header", header)], places)).toEqual([]);
  });

  it("is not changed by a second up", async () => {
    expect(await stack.plannedChanges()).toEqual({ same: expect.any(Number) as number });
  });
});
