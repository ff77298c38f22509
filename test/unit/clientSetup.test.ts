import * as fs from "fs";
import * as path from "path";
import { daemonConfig, loginCommand, trustCommand } from "../../components/lib/clientSetup";
import { Workspace } from "../support/clients";
import { FakeCommands } from "../support/fakeCommands";
import { makeCertificate } from "../support/pki";
import { attempt, run } from "../support/run";

const { certificate } = makeCertificate({ subject: "Test CA", authority: true });
const folders = new Workspace();
const tools = new FakeCommands();
afterAll(() => {
  folders.dispose();
  tools.dispose();
});

/** Runs the command with /etc in a folder of the test; returns the file it wrote. */
async function trusted(prefix: string, root = fs.mkdtempSync(path.join(folders.folder, "root-"))): Promise<string> {
  await run("sh", ["-euc", trustCommand(prefix, certificate).replaceAll("/etc/docker", `${root}/etc/docker`)], {
    env: tools.env,
  });
  return path.join(root, "etc/docker/certs.d", prefix, "ca.crt");
}

describe("the command that makes an engine trust the registry", () => {
  const prefixes = ["localhost:5000", "registry.example.com:443", "[2001:db8::1]:5000"];

  it.each(prefixes)("is shell, for %s", async (prefix) => {
    const parsed = await attempt("sh", ["-n"], { input: trustCommand(prefix, certificate) });
    expect(parsed).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it.each(prefixes)("installs the CA where Docker looks for %s, without sudo for root", async (prefix) => {
    tools.make("id", "echo 0").make("sudo", "exit 9");
    expect(fs.readFileSync(await trusted(prefix), "utf8")).toBe(certificate);
    expect(tools.calls()).toEqual(["id -u", "id -u"]);
  });

  it("asks sudo for the two writes when the user is not root, and for nothing else", async () => {
    tools.make("id", "echo 1000").make("sudo", '"$@"');
    const file = await trusted("localhost:5000");
    expect(fs.readFileSync(file, "utf8")).toBe(certificate);
    const folder = path.dirname(file);
    expect(tools.calls().sort()).toEqual(["id -u", "id -u", `sudo mkdir -p ${folder}`, `sudo tee ${folder}/ca.crt`]);
  });

  it("can be repeated, and takes a new CA", async () => {
    tools.make("id", "echo 0");
    const root = path.join(folders.folder, "again");
    fs.writeFileSync(await trusted("localhost:5000", root), "an older and much longer text\n".repeat(100));
    expect(fs.readFileSync(await trusted("localhost:5000", root), "utf8")).toBe(certificate);
  });

  it("installs it for a mirror too, whose port is another", async () => {
    tools.make("id", "echo 0");
    const root = path.join(folders.folder, "mirror");
    const command = trustCommand("localhost:5000", certificate, "localhost:5001").replaceAll("/etc/docker", `${root}/etc/docker`);
    await run("sh", ["-euc", command], { env: tools.env });
    for (const port of [5000, 5001]) {
      expect(fs.readFileSync(`${root}/etc/docker/certs.d/localhost:${port}/ca.crt`, "utf8")).toBe(certificate);
    }
  });

  it("does nothing where there is no CA to trust", async () => {
    const command = trustCommand("localhost:5000", "");
    expect(command).toMatchInlineSnapshot(`"# nothing to install: Docker trusts this registry as it is"`);
    expect(await run("sh", ["-euc", command])).toBe("");
  });
});

describe("the login command", () => {
  it("hands the password over on standard input, where no process list shows it", async () => {
    tools.make("pulumi", "echo the-password").make("docker", "cat");
    tools.calls();
    expect(await run("sh", ["-euc", loginCommand("localhost:5000", "admin")], { env: tools.env })).toBe("the-password");
    expect(tools.calls().sort()).toEqual([
      "docker login localhost:5000 --username admin --password-stdin",
      "pulumi stack output password --show-secrets",
    ]);
  });

  it("does nothing where there are no users", async () => {
    expect(await run("sh", ["-euc", loginCommand("localhost:5000", "")])).toBe("");
  });
});

describe("the piece of daemon.json", () => {
  it("is an empty object for a registry that Docker takes as it is", () => {
    expect(JSON.parse(daemonConfig({}))).toEqual({});
  });

  it("has an exception for plain HTTP and the mirror, in Docker's own words", () => {
    expect(JSON.parse(daemonConfig({ insecureRegistry: "registry:5000", mirror: "https://localhost:5001" }))).toEqual({
      "insecure-registries": ["registry:5000"],
      "registry-mirrors": ["https://localhost:5001"],
    });
  });
});
