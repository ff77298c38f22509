import { stripVTControlCharacters } from "util";
import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { request } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { attempt } from "../support/run";
import { readable, secretOf } from "../support/secretSearch";
import { projectRoot, RegistryOutputs, TestStack } from "../support/testStack";

/** The package as programs in other languages use it: in a process of its own, by its schema. */
describe("the YAML program in examples/", () => {
  const cleanUp = new CleanUp();
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.ofYamlExample());
    outputs = await stack.up();
  });

  it("names a package that is there", () => {
    const folder = path.join(projectRoot, "examples", "yaml");
    const [, reference = ""] = /container-registry: (\S+)/.exec(fs.readFileSync(path.join(folder, "Pulumi.yaml"), "utf8")) ?? [];
    expect(fs.existsSync(path.join(folder, reference, "PulumiPlugin.yaml"))).toBe(true);
  });

  it("deploys a registry that takes an image and gives it back", async () => {
    const image = randomImage();
    await pushImage(outputs, "from-yaml/app", "1", image);
    await checkImage(outputs, "from-yaml/app", "1", image);
  });

  it("has users with different rights", async () => {
    expect((await request(outputs, "/v2/", { login: null })).status).toBe(401);
    const login = { username: "ci", password: outputs.credentials.ci ?? "" };
    expect((await request(outputs, "/v2/from-yaml/app/tags/list", { login })).status).toBe(200);
    const push = await request(outputs, "/v2/from-yaml/app/blobs/uploads/", { login, method: "POST" });
    expect([401, 403]).toContain(push.status);
  });

  it("changes nothing in a second up", async () => {
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });

  it("has no password in its state", () => {
    const secrets = Object.entries(outputs.credentials).map(([user, password]) => secretOf(`the password of ${user}`, password));
    expect(secrets).toHaveLength(2);
    expect(readable(secrets, [{ name: "state", text: stack.storedState() }])).toEqual([]);
  });

  it("leaves nothing behind", async () => {
    await stack.destroy();
    expect(await stack.leftOnEngine()).toEqual([]);
  });
});

describe("what a YAML user reads when an argument is wrong", () => {
  const cleanUp = new CleanUp();
  const marker = "MARKER-of-a-secret";

  /** The lines of a failed preview's error, without Pulumi's frame. */
  async function errorOf(change: (program: string) => string): Promise<string[]> {
    const stack = cleanUp.add(await TestStack.ofYamlExample(change));
    await stack.set({}, { given: marker.repeat(5) });
    const { code, stdout, stderr } = await attempt(
      "pulumi",
      ["preview", "--non-interactive", "--color", "never"],
      stack.inFolder(),
    );
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toContain(marker);
    expect(await stack.leftOnEngine()).toEqual([]);
    // The YAML host colours its errors whatever it is told.
    const lines = stripVTControlCharacters(stdout)
      .split("\n")
      .map((line) => line.trim());
    const diagnostics = lines.slice(lines.indexOf("Diagnostics:"), lines.indexOf("Resources:"));
    return diagnostics.slice(2).filter(Boolean);
  }

  it("is everything at once, and once", async () => {
    const error = await errorOf((program) => program.replace("${port}", "70000").replace("maxThreads: 50", "maxThreads: 5"));
    expect(error).toEqual([
      expect.stringMatching(
        /^error: container-registry:index:SingleNodeRegistry resource 'registry-from-yaml-\w+' has a problem: The configuration has 2 problems:$/,
      ),
      "- port: 70000 is not allowed; give a whole number from 1 to 65535",
      "- storage.filesystem.maxThreads: 5 is not allowed; give a whole number from 25 to 100000",
    ]);
  });

  it("does not show a secret that is wrong", async () => {
    const error = await errorOf((program) =>
      program
        .replace("config:", "config:\n  given: {type: string, secret: true}")
        .replace("name: admin", "name: admin\n          password: ${given}"),
    );
    expect(error.slice(1)).toEqual(["- users[0].password: has 90 bytes; bcrypt reads 72 at most"]);
  });

  it("says which arguments must be plain", async () => {
    const error = await errorOf((program) =>
      program
        .replace("config:", "config:\n  given: {type: string, secret: true}")
        .replace("port: ${port}", "port: ${port}\n      hostname: ${given}"),
    );
    expect(error.slice(1)).toEqual([
      "- hostname: is secret or known only during the deployment; it decides what is made, so give a plain value",
    ]);
  });

  it("comes from the schema for a mistyped key", async () => {
    const error = await errorOf((program) => program.replace("memory: 256", "memroy: 256"));
    expect(error[0]).toBe("Error: Property memroy does not exist on 'container-registry:index:Resources'");
  });
});
