import { CleanUp } from "../support/cleanUp";
import { request, Workspace } from "../support/clients";
import { PrivateEngine } from "../support/engine";
import { serverUser } from "../support/folders";
import { freePort } from "../support/ports";
import { TestStack } from "../support/testStack";

/** What some engines refuse or leave out, and others do. */
describe("a registry on an engine without a userland proxy", () => {
  const cleanUp = new CleanUp();
  let engine: PrivateEngine;
  let address: Record<string, string>;

  beforeAll(async () => {
    engine = cleanUp.add(await PrivateEngine.start());
    engine.write("docker/daemon.json", JSON.stringify({ "userland-proxy": false }));
    await engine.stop();
    await engine.start();
    address = { hostname: engine.address, bindAddress: engine.address };
  });

  async function onEngine(command: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await engine.on(command, args);
    expect([command, code, stderr]).toEqual([command, 0, ""]);
    return stdout.trim();
  }

  // Docker starts a container there without an IPv6 address that it was made with, and says nothing.
  it("stays as it was instead of losing its address, and is told of one that nobody reaches", async () => {
    const stack = cleanUp.add(await TestStack.create(address, {}, engine.env));
    const outputs = await stack.up();
    await stack.set({ bindAddress: "::1" });
    await expect(stack.up()).rejects.toThrow(/The registry stays as it was: .* can't give it \[::1\]:\d+ .*userland-proxy/);
    const metricsPort = await freePort();
    await stack.set({ bindAddress: engine.address, "metrics.port": metricsPort, "metrics.bindAddress": "::" });
    await expect(stack.up()).rejects.toThrow(`The registry stays as it was: the Docker host can't give it [::]:${metricsPort}`);
    expect((await request(outputs, "/v2/")).status).toBe(200);
    expect(await onEngine("docker", "ps", "--all", "--quiet", "--filter", "label=container-registry.trial-of")).toBe("");

    const first = cleanUp.add(await TestStack.create({ ...address, bindAddress: "::1" }, {}, engine.env));
    await expect(first.up()).rejects.toThrow(/Nobody reaches the container .* at \[::1\]:\d+ .*userland-proxy/);
    await first.set({ bindAddress: engine.address });
    expect((await request(await first.up(), "/v2/")).status).toBe(200);
  });

  it("takes over a folder that it could not have, by the next up once it can", async () => {
    const { folder } = cleanUp.add(new Workspace());
    await onEngine("mount", "-t", "tmpfs", "-o", "ro,size=8m", "images", folder);
    const stack = cleanUp.add(await TestStack.create({ ...address, "storage.filesystem.hostPath": folder }, {}, engine.env));
    await expect(stack.up()).rejects.toThrow(/hostPath: nothing was handed over .*: read-only file system/);
    await onEngine("mount", "-o", "remount,rw", folder);
    await stack.up();

    // It is the registry's by now and not tried again, but for what has come meanwhile.
    await onEngine("touch", `${folder}/lost+found`);
    await onEngine("mount", "-o", "remount,ro", folder);
    await expect(stack.up("--replace", "**-data-owner")).rejects.toThrow(
      /could not be given to the registry's user: .*read-only file system; correct that, and run pulumi up again/,
    );
    await expect(stack.up()).rejects.toThrow(/nothing was handed over .*read-only file system/);
    await onEngine("mount", "-o", "remount,rw", folder);
    await stack.up();
    expect(await onEngine("stat", "--format", "%u:%g", `${folder}/lost+found`)).toBe(serverUser);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });
});
