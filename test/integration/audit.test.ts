import { CleanUp } from "../support/cleanUp";
import { request } from "../support/clients";
import { pushImage, randomImage } from "../support/images";
import { attempt, run } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

type Line = Record<string, string | number>;

/** Lines of JSON, as they come out of a command. */
function lines(text: string): Line[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

/** Who did what is written down where it outlives the container, and the logs can be read by machines. */
describe("a registry with an audit, and logs in JSON", () => {
  const cleanUp = new CleanUp();
  const [first, second] = [randomImage(), randomImage()];
  let stack: TestStack;
  let outputs: RegistryOutputs;

  const audit = async (): Promise<Line[]> =>
    lines(await run("docker", ["exec", outputs.containerName, "/registry", "audit"], { env: stack.env }));

  beforeAll(async () => {
    const users = { "users[0].name": "admin", "users[1].name": "robot" };
    stack = cleanUp.add(await TestStack.create({ "logs.format": "json", "logs.audit": "all", lab: false, ...users }));
    outputs = await stack.up();
  });

  it("says who moved a tag from which image to which, who deleted it, who pulled, and who could not log in", async () => {
    const robot = { ...outputs, username: "robot", password: outputs.credentials.robot ?? "" };
    await pushImage(outputs, "team/app", "latest", first);
    await pushImage(robot, "team/app", "latest", second);
    await request(robot, "/v2/team/app/manifests/latest", { headers: { "User-Agent": "docker/29" } });
    await request(outputs, "/v2/team/app/manifests/latest", { method: "DELETE" });
    await request({ ...outputs, password: "wrong" }, "/v2/");

    const record = await audit();
    const manifests = record.filter(({ kind, action }) => kind === "manifest" && action === "push");
    expect(manifests).toEqual([
      expect.objectContaining({ user: "admin", repository: "team/app", tag: "latest", to: first.digest }),
      expect.objectContaining({ user: "robot", tag: "latest", from: first.digest, to: second.digest }),
    ]);
    expect(manifests[0]).not.toHaveProperty("from");
    expect(record).toContainEqual(
      expect.objectContaining({ action: "pull", user: "robot", useragent: "docker/29", tag: "latest", digest: second.digest }),
    );
    expect(record).toContainEqual(
      expect.objectContaining({ action: "delete", kind: "tag", user: "admin", tag: "latest", from: second.digest }),
    );
    expect(record).toContainEqual(expect.objectContaining({ action: "login", user: "admin", reason: "wrong password" }));
    expect(record.every(({ time, address }) => !Number.isNaN(Date.parse(String(time))) && address !== undefined)).toBe(true);
  });

  it("has each line of the logs in JSON, with the same keys for the level and the message", async () => {
    const { stdout, stderr } = await attempt("docker", ["logs", outputs.containerName], { env: stack.env });
    const log = [...lines(stdout), ...lines(stderr)];
    expect(log).toContainEqual(expect.objectContaining({ level: "info", msg: "listening with TLS" }));
    expect(log).toContainEqual(
      expect.objectContaining({
        level: "info",
        msg: "request",
        method: "PUT",
        uri: "/v2/team/app/manifests/latest",
        status: 201,
      }),
    );
  });

  it("goes on in the same volume with another container, and keeps it when the audit ends", async () => {
    const before = await audit();
    expect(await stack.plannedChanges()).toEqual({ same: expect.any(Number) as number });
    await stack.set({ "logs.audit": "writes" });
    outputs = await stack.up();
    await pushImage(outputs, "team/app", "2", first);
    await request(outputs, "/v2/team/app/manifests/2");
    const after = await audit();
    expect(after.slice(0, before.length)).toEqual(before);
    const added = after.slice(before.length);
    expect(added).toContainEqual(expect.objectContaining({ action: "push", tag: "2", to: first.digest }));
    expect(added.filter(({ action }) => action === "pull")).toEqual([]);

    await stack.set({ "logs.audit": "off" });
    outputs = await stack.up();
    await expect(audit()).rejects.toThrow("this server keeps no audit");
    expect(await stack.engineObjects("volume")).toContain(`${stack.resourceName}-audit`);
    await stack.set({ "logs.audit": "writes" });
    outputs = await stack.up();
    expect((await audit()).slice(0, after.length)).toEqual(after);
  });

  it("is there for who follows it", async () => {
    const following = attempt("timeout", ["8", "docker", "exec", outputs.containerName, "/registry", "audit", "--follow"], {
      env: stack.env,
    });
    await pushImage(outputs, "team/app", "3", second);
    expect(lines((await following).stdout)).toContainEqual(expect.objectContaining({ action: "push", tag: "3" }));
  });

  it("goes with a lab", async () => {
    await stack.set({ lab: true });
    await stack.up();
    await stack.destroy();
    expect(await stack.leftOnEngine()).toEqual([]);
  });
});
