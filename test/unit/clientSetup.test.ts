import * as fs from "fs";
import * as path from "path";
import { daemonConfig, loginCommand, trustCommand } from "../../components/lib/clientSetup";
import { makeCertificate } from "../support/pki";
import { attempt, run } from "../support/run";
import { Workspace } from "../support/clients";

const { certificate } = makeCertificate({ subject: "Test CA", authority: true });
const workspace = new Workspace();
afterAll(() => workspace.dispose());

/** A folder of commands that stand in for real ones: each writes down its arguments and runs `body`. */
function commands(bodies: Record<string, string>): { env: { PATH: string }; log: () => string } {
  const folder = fs.mkdtempSync(path.join(workspace.folder, "bin-"));
  for (const [name, body] of Object.entries(bodies)) {
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\necho "${name} $*" >> ${folder}/log\n${body}\n`, { mode: 0o755 });
  }
  return {
    env: { PATH: `${folder}:${process.env.PATH ?? ""}` },
    log: () => fs.readFileSync(path.join(folder, "log"), "utf8"),
  };
}

/** Runs the command with /etc in a folder of the test. */
async function trusted(prefix: string, env: Record<string, string>): Promise<string> {
  const root = fs.mkdtempSync(path.join(workspace.folder, "root-"));
  await run("sh", ["-euc", trustCommand(prefix, certificate).replaceAll("/etc/docker", `${root}/etc/docker`)], { env });
  return path.join(root, "etc/docker/certs.d", prefix, "ca.crt");
}

describe("the command that makes an engine trust the registry", () => {
  it.each(["localhost:5000", "registry.example.com:443", "[2001:db8::1]:5000"])("is shell, for %s", async (prefix) => {
    const parsed = await attempt("sh", ["-n"], { input: trustCommand(prefix, certificate) });
    expect(parsed).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it.each(["localhost:5000", "[2001:db8::1]:5000"])(
    "installs the CA where Docker looks for %s, without sudo for root",
    async (prefix) => {
      const asRoot = commands({ id: "echo 0", sudo: "exit 9" });
      const file = await trusted(prefix, asRoot.env);
      expect(fs.readFileSync(file, "utf8")).toBe(certificate);
      expect(asRoot.log()).toBe("id -u\nid -u\n");
    },
  );

  it("asks sudo for the two writes when the user is not root, and for nothing else", async () => {
    const asUser = commands({ id: "echo 1000", sudo: '"$@"' });
    const file = await trusted("localhost:5000", asUser.env);
    expect(fs.readFileSync(file, "utf8")).toBe(certificate);
    expect(asUser.log().replaceAll(path.dirname(file), "FOLDER")).toBe(
      "id -u\nsudo mkdir -p FOLDER\nid -u\nsudo tee FOLDER/ca.crt\n",
    );
  });

  it("can be repeated, and takes a new CA", async () => {
    const { env } = commands({ id: "echo 0" });
    const file = await trusted("localhost:5000", env);
    const folder = path.dirname(file);
    fs.writeFileSync(file, "an older and much longer text\n".repeat(100));
    await run(
      "sh",
      ["-euc", trustCommand("localhost:5000", certificate).replaceAll("/etc/docker/certs.d/localhost:5000", folder)],
      { env },
    );
    expect(fs.readFileSync(file, "utf8")).toBe(certificate);
  });

  it("does nothing where there is no CA to trust", async () => {
    const command = trustCommand("localhost:5000", "");
    expect(command).toMatchInlineSnapshot(`"# nothing to install: Docker trusts this registry as it is"`);
    expect(await run("sh", ["-euc", command])).toBe("");
  });
});

describe("the login command", () => {
  it("hands the password over on standard input, where no process list shows it", async () => {
    const tools = commands({ pulumi: "echo the-password", docker: "cat" });
    expect(await run("sh", ["-euc", loginCommand("localhost:5000", "admin")], { env: tools.env })).toBe("the-password");
    expect(tools.log().split("\n").sort()).toEqual([
      "",
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
