import * as fs from "fs";
import * as path from "path";
import { daemonConfig, loginCommand, trustCommand } from "../../components/render/clientCommands";
import { Workspace } from "../support/clients";
import { FakeCommands } from "../support/fakeCommands";
import { makeCertificate } from "../support/pki";
import { attempt, Result, run } from "../support/run";

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
  // The engine of who runs the tests may be rootless.
  beforeEach(() => void tools.make("docker", "echo '[name=seccomp]'"));
  const asksEngine = "docker info --format {{.SecurityOptions}}";
  const prefixes = ["localhost:5000", "registry.example.com:443", "[2001:db8::1]:5000"];

  it.each(prefixes)("is shell, for %s", async (prefix) => {
    const parsed = await attempt("sh", ["-n"], { input: trustCommand(prefix, certificate) });
    expect(parsed).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it.each(prefixes)("installs the CA where Docker looks for %s, without sudo for root", async (prefix) => {
    tools.make("id", "echo 0").make("sudo", "exit 9");
    expect(fs.readFileSync(await trusted(prefix), "utf8")).toBe(certificate);
    expect(tools.calls().sort()).toEqual([asksEngine, "id -u", "id -u"]);
  });

  it("asks sudo for the two writes when the user is not root, and for nothing else", async () => {
    tools.make("id", "echo 1000").make("sudo", '"$@"');
    const file = await trusted("localhost:5000");
    expect(fs.readFileSync(file, "utf8")).toBe(certificate);
    const folder = path.dirname(file);
    const writes = [`sudo mkdir -p ${folder}`, `sudo tee ${folder}/ca.crt`];
    expect(tools.calls().sort()).toEqual([asksEngine, "id -u", "id -u", ...writes]);
  });

  it("installs it where a rootless engine looks, without sudo", async () => {
    tools.make("id", "echo 1000").make("sudo", "exit 9").make("docker", "echo '[name=seccomp name=rootless]'");
    const home = fs.mkdtempSync(path.join(folders.folder, "home-"));
    const env = { ...tools.env, HOME: home, XDG_CONFIG_HOME: undefined };
    await run("sh", ["-euc", trustCommand("localhost:5000", certificate)], { env });
    tools.calls();
    expect(fs.readFileSync(path.join(home, ".config/docker/certs.d/localhost:5000/ca.crt"), "utf8")).toBe(certificate);
  });

  it("can be repeated, and takes a new CA", async () => {
    tools.make("id", "echo 0");
    const root = path.join(folders.folder, "again");
    fs.writeFileSync(await trusted("localhost:5000", root), "an older and much longer text\n".repeat(100));
    expect(fs.readFileSync(await trusted("localhost:5000", root), "utf8")).toBe(certificate);
  });

  describe("of a mirror beside it", () => {
    const root = path.join(folders.folder, "mirror");
    const folder = `${root}/etc/docker/certs.d`;
    const hosts = `${folder}/docker.io/hosts.toml`;
    const trust = (ofDockerHub: boolean): Promise<Result> => {
      const command = trustCommand("localhost:5000", certificate, {
        mirror: { prefix: "localhost:5001", ofDockerHub },
      });
      return attempt("sh", ["-uc", command.replaceAll("/etc/docker", `${root}/etc/docker`)], { env: tools.env });
    };
    const files = (): string[] => fs.readdirSync(folder, { recursive: true }).map(String).sort();
    const here = ["localhost:5000", "localhost:5000/ca.crt", "localhost:5001", "localhost:5001/ca.crt"];

    beforeEach(() => {
      tools.make("id", "echo 0");
      fs.rmSync(root, { recursive: true, force: true });
    });

    it("installs the CA for that too, whose port is another", async () => {
      expect((await trust(false)).code).toBe(0);
      expect(files()).toEqual(here);
      expect(fs.readFileSync(`${folder}/localhost:5001/ca.crt`, "utf8")).toBe(certificate);
    });

    it("names it as Docker Hub's for Engine 29, and adds no root for Docker Hub itself", async () => {
      expect((await trust(true)).code).toBe(0);
      expect(await trust(true)).toEqual({ code: 0, stdout: "", stderr: "" });
      expect(files()).toEqual(["docker.io", "docker.io/hosts.toml", "docker.io/mirror-ca.pem", ...here]);
      expect(fs.readFileSync(`${folder}/docker.io/mirror-ca.pem`, "utf8")).toBe(certificate);
      expect(fs.readFileSync(hosts, "utf8").replaceAll(root, "")).toMatchInlineSnapshot(`
        "# Written by trustCommand of container-registry.
        [host."https://localhost:5001"]
          capabilities = ["pull", "resolve"]
          ca = "mirror-ca.pem"
        "
      `);
    });

    it("leaves a hosts.toml of somebody else as it is, and says so", async () => {
      fs.mkdirSync(path.dirname(hosts), { recursive: true });
      fs.writeFileSync(hosts, "# of somebody else\n");
      expect(await trust(true)).toEqual({
        code: 1,
        stdout: "",
        stderr: `${hosts} is not of this command and stays as it is; see docs/mirror.md\n`,
      });
      expect(files()).toEqual(["docker.io", "docker.io/hosts.toml", ...here]);
      expect(fs.readFileSync(hosts, "utf8")).toBe("# of somebody else\n");
    });
  });

  it("does nothing where there is no CA to trust", async () => {
    const command = trustCommand("localhost:5000", "");
    expect(command).toMatchInlineSnapshot(`"# nothing to install: Docker trusts this registry as it is"`);
    expect(await run("sh", ["-euc", command])).toBe("");
  });

  it("says what to do instead where Docker has to be told of plain HTTP", async () => {
    const command = trustCommand("registry:5000", "", { plainHttp: true });
    expect(await attempt("sh", ["-euc", command])).toEqual({
      code: 0,
      stdout: "",
      stderr: "registry:5000 speaks plain HTTP: merge the output daemonConfig into /etc/docker/daemon.json, and reload Docker\n",
    });
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

describe("the last words of npm start", () => {
  const told = async (outputs: object): Promise<string> => {
    const all = {
      endpoint: "https://r:5000",
      repositoryPrefix: "r:5000",
      username: "",
      version: "1",
      caCertificate: "",
      ...outputs,
    };
    return run("node", [path.join(__dirname, "..", "..", "scripts", "summary.js")], { input: JSON.stringify(all) });
  };
  const words = (text: string, line: string): string | undefined => new RegExp(`^ +${line} +(.*)$`, "m").exec(text)?.[1];

  it.each([
    ["a certificate of our own", { caCertificate: certificate, daemonConfig: "{}" }, /stack output trustCommand \| sh$/],
    ["a certificate that everybody trusts", { daemonConfig: "{}" }, /^\(nothing to do/],
    [
      "plain HTTP",
      { daemonConfig: daemonConfig({ insecureRegistry: "r:5000" }) },
      /^merge into \/etc\/docker\/daemon\.json, and reload Docker: .* stack output daemonConfig$/,
    ],
  ])("say how Docker comes to trust %s", async (_, outputs, expected) => {
    expect(words(await told(outputs), "1\\. trust")).toMatch(expected);
  });

  it.each([
    ["one host", { containerName: "c", serviceName: "" }, "1, container c"],
    ["a Swarm", { containerName: "", serviceName: "s" }, "1, service s"],
    ["a cloud", { containerName: "", serviceName: "" }, "1"],
  ])("name what runs on %s", async (_, outputs, expected) => {
    expect(words(await told({ daemonConfig: "{}", ...outputs }), "server")).toBe(expected);
  });
});
