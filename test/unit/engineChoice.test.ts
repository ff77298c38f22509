import * as fs from "fs";
import * as path from "path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { recover } from "@pulumi/pulumi/output";
import { engineBy, engineOf, onDockerEngine } from "../../components/docker/engineChoice";
import { EngineAddress, localEngine } from "../../components/docker/engine";
import { FakeCommands } from "../support/fakeCommands";
import { MockedDeployment } from "../support/mockedDeployment";
import { valueOf } from "../support/mocks";

const tools = new FakeCommands();
const { PATH, DOCKER_CONFIG } = process.env;
const configuration = path.join(tools.folder, "docker");

class Component extends pulumi.ComponentResource {
  public readonly engine: pulumi.Output<EngineAddress>;

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("test:index:Component", name, {}, onDockerEngine(name, opts));
    this.engine = engineOf(this);
  }
}

/** What `docker context inspect` says of contexts. */
function contexts(all: Record<string, { host: string; tls?: string[]; skip?: boolean }>): void {
  const cases = Object.entries(all).map(([name, { host, tls, skip = false }]) => {
    const inspected = {
      Name: name,
      Endpoints: { docker: { Host: host, SkipTLSVerify: skip } },
      TLSMaterial: tls === undefined ? {} : { docker: tls },
      Storage: { TLSPath: `/contexts/tls/${name}` },
    };
    return `"context inspect ${name}") echo '${JSON.stringify([inspected])}' ;;`;
  });
  tools.make("docker", 'case "$*" in', ...cases, `*) echo "context not found" >&2; exit 1 ;;`, "esac");
}

/** Where a component that is told nothing has its engine, and the providers that were made for it. */
async function chosen(
  opts: () => pulumi.ComponentResourceOptions = () => ({}),
): Promise<{ engine: EngineAddress; providers: Record<string, unknown>[] }> {
  const { made, deployment } = await MockedDeployment.run(() => new Component("registry", opts()));
  const providers = deployment.resources.filter(({ type }) => type === "pulumi:providers:docker").map(({ inputs }) => inputs);
  return { engine: (await valueOf(made.engine)).value, providers };
}

/** Chooses a context as `docker context use` does. */
function use(context: string): void {
  fs.writeFileSync(path.join(configuration, "config.json"), JSON.stringify({ currentContext: context }));
}

beforeAll(() => {
  process.env.PATH = tools.env.PATH;
  process.env.DOCKER_CONFIG = configuration;
  fs.mkdirSync(configuration);
});
beforeEach(() => {
  contexts({
    other: { host: "unix:///tmp/other.sock" },
    far: { host: "ssh://root@registry.example.com" },
    secure: { host: "tcp://192.0.2.1:2376", tls: ["ca.pem", "cert.pem", "key.pem"] },
    blind: { host: "tcp://192.0.2.2:2376", tls: ["ca.pem", "cert.pem", "key.pem"], skip: true },
    half: { host: "tcp://192.0.2.3:2376", tls: ["ca.pem"] },
  });
  tools.calls();
});
afterEach(() => {
  fs.rmSync(path.join(configuration, "config.json"), { force: true });
  delete process.env.DOCKER_CONTEXT;
  delete process.env.DOCKER_HOST;
  delete process.env.DOCKER_TLS_VERIFY;
  delete process.env.DOCKER_CERT_PATH;
  pulumi.runtime.setAllConfig({});
});
afterAll(() => {
  Object.assign(process.env, { PATH, DOCKER_CONFIG });
  tools.dispose();
});

const certPath = "/contexts/tls/secure/docker";
const other = { host: "unix:///tmp/other.sock", certPath: "" };
const far = { host: "ssh://root@registry.example.com", certPath: "" };
const byTls = { DOCKER_HOST: "tcp://192.0.2.9:2376", DOCKER_TLS_VERIFY: "1" };

describe("the engine that is meant", () => {
  it("has one provider for components of one name, of which nothing else need be the same", async () => {
    use("other");
    const { deployment } = await MockedDeployment.run(() => [new Component("registry"), new Component("registry")]);
    expect(deployment.resources.filter(({ type }) => type === "pulumi:providers:docker")).toHaveLength(1);
  });

  it.each<[string, () => void, EngineAddress]>([
    ["the current context's", () => use("other"), other],
    ["the current context's, over ssh", () => use("far"), far],
    ["the current context's, with its certificates", () => use("secure"), { host: "tcp://192.0.2.1:2376", certPath }],
    ["that of DOCKER_CONTEXT", () => (process.env.DOCKER_CONTEXT = "secure"), { host: "tcp://192.0.2.1:2376", certPath }],
    [
      "that of docker:context",
      () => pulumi.runtime.setAllConfig({ "docker:context": "secure" }),
      { host: "tcp://192.0.2.1:2376", certPath },
    ],
    [
      "that of docker:context before DOCKER_HOST and the current context",
      () => {
        use("other");
        process.env.DOCKER_HOST = "tcp://192.0.2.9:2375";
        pulumi.runtime.setAllConfig({ "docker:context": "far" });
      },
      far,
    ],
    [
      "that of DOCKER_HOST before the current context",
      () => {
        use("other");
        process.env.DOCKER_HOST = "tcp://192.0.2.9:2375";
      },
      { host: "tcp://192.0.2.9:2375", certPath: "" },
    ],
    [
      "that of DOCKER_HOST, with the certificates of DOCKER_CERT_PATH",
      () => Object.assign(process.env, byTls, { DOCKER_CERT_PATH: "/certs" }),
      { host: "tcp://192.0.2.9:2376", certPath: "/certs" },
    ],
    [
      "that of DOCKER_HOST, with the certificates in the docker command's folder",
      () => Object.assign(process.env, byTls),
      { host: "tcp://192.0.2.9:2376", certPath: configuration },
    ],
    [
      "that of DOCKER_HOST, which does without certificates over ssh",
      () => Object.assign(process.env, byTls, { DOCKER_HOST: "ssh://root@registry.example.com" }),
      far,
    ],
    [
      "that of DOCKER_HOST, without the certificates that the docker command ignores too",
      () => Object.assign(process.env, { DOCKER_HOST: "unix:///tmp/other.sock", DOCKER_CERT_PATH: "/certs" }),
      other,
    ],
    [
      "that of docker:host before all others",
      () => {
        use("other");
        process.env.DOCKER_HOST = "tcp://192.0.2.9:2375";
        pulumi.runtime.setAllConfig({ "docker:host": "tcp://192.0.2.8:2376", "docker:certPath": "/certs" });
      },
      { host: "tcp://192.0.2.8:2376", certPath: "/certs" },
    ],
  ])("is %s, by a provider of its own, of which nothing is left to the environment", async (_, choose, engine) => {
    choose();
    expect(await chosen()).toEqual({ engine, providers: [{ ...engine, context: "" }] });
  });

  it.each<[string, () => void, EngineAddress]>([
    ["this machine's", () => undefined, {}],
    ["this machine's with the default context", () => use("default"), {}],
    ["this machine's by its socket", () => (process.env.DOCKER_HOST = localEngine), { host: localEngine }],
  ])("is %s, by the default provider", async (_, choose, engine) => {
    choose();
    expect(await chosen()).toEqual({ engine, providers: [] });
    expect(tools.calls()).toEqual([]);
  });

  it("is this machine's by the default provider where the context's socket is the usual one by another name", async () => {
    const usual = "/var/run/docker.sock";
    const link = path.join(tools.folder, "desktop.sock");
    fs.symlinkSync(fs.existsSync(usual) ? fs.realpathSync(usual) : usual, link);
    contexts({ desktop: { host: fs.existsSync(usual) ? `unix://${link}` : `unix://${usual}` } });
    use("desktop");
    expect(await chosen()).toEqual({ engine: {}, providers: [] });
  });

  it("is the given provider's, whatever is current", async () => {
    use("other");
    const given = (args: docker.ProviderArgs) => () => ({ providers: [new docker.Provider("mine", args)] });
    expect(await chosen(given({ host: "tcp://192.0.2.7:2375" }))).toEqual({
      engine: { host: "tcp://192.0.2.7:2375" },
      providers: [{ host: "tcp://192.0.2.7:2375" }],
    });
    expect((await chosen(given({ context: "secure" }))).engine).toEqual({ host: "tcp://192.0.2.1:2376", certPath });
    const parent = (): pulumi.ComponentResourceOptions => ({
      parent: new Component("outer", given({ host: "tcp://192.0.2.7:2375" })()),
    });
    expect((await chosen(parent)).engine).toEqual({ host: "tcp://192.0.2.7:2375" });
  });

  it.each([{ host: "tcp://192.0.2.7:2375" }, { context: "far" }])("is known in a preview too: %o", async (args) => {
    const opts = (): pulumi.ComponentResourceOptions => ({ providers: [new docker.Provider("mine", args)] });
    const { made } = await MockedDeployment.run(() => new Component("registry", opts()), { preview: true });
    expect((await valueOf(made.engine)).value).toEqual(args.host === undefined ? far : { host: args.host });
  });

  it("has the logins of the stack's configuration", async () => {
    use("far");
    const registryAuth = [{ address: "registry.example.com", username: "u", password: "GIVEN" }];
    pulumi.runtime.setAllConfig({ "docker:registryAuth": JSON.stringify(registryAuth) });
    expect((await chosen()).providers).toEqual([{ ...far, context: "", registryAuth: { secret: JSON.stringify(registryAuth) } }]);
  });

  it.each<[string, () => void]>([
    ["the current context's", () => use("far")],
    ["that of DOCKER_HOST", () => (process.env.DOCKER_HOST = "ssh://root@registry.example.com")],
  ])("is not reached by options that the docker command can't be given: %s", async (_, choose) => {
    choose();
    pulumi.runtime.setAllConfig({ "docker:sshOpts": '["-p", "2222"]' });
    await expect(chosen()).rejects.toThrow(
      "docker:sshOpts would reach Pulumi's docker provider, but not the docker command, which loads the server's image and has no " +
        "such options. Put them into ~/.ssh/config, which both read, and remove the key",
    );
  });

  it.each(["caMaterial", "certMaterial", "keyMaterial"])("is not reached by a certificate as text: %s", async (key) => {
    const refused =
      `${key} would reach Pulumi's docker provider, but not the docker command, which takes no certificates as text. Write ca.pem, ` +
      "cert.pem and key.pem into a folder, and give that as certPath";
    const host = "tcp://192.0.2.9:2376";
    const { made } = await MockedDeployment.run(() => {
      const component = new Component("registry", { provider: new docker.Provider("given", { host, [key]: "PEM" }) });
      return recover(component.engine, (error: unknown) => ({ host: (error as Error).message }));
    });
    expect((await valueOf(made)).value.host).toBe(`The docker provider's ${refused}`);
    pulumi.runtime.setAllConfig({ "docker:host": host, [`docker:${key}`]: "PEM" });
    await expect(chosen()).rejects.toThrow(`docker:${refused}`);
  });

  it.each<[string, () => void, string]>([
    [
      "DOCKER_HOST and DOCKER_CONTEXT",
      () => (process.env.DOCKER_HOST = "tcp://192.0.2.9:2375"),
      "Two Docker engines are named: DOCKER_HOST is tcp://192.0.2.9:2375, and DOCKER_CONTEXT=other is unix:///tmp/other.sock. Unset DOCKER_CONTEXT",
    ],
    [
      "docker:host and DOCKER_CONTEXT",
      () => pulumi.runtime.setAllConfig({ "docker:host": "tcp://192.0.2.9:2375" }),
      "Two Docker engines are named: docker:host is tcp://192.0.2.9:2375, and DOCKER_CONTEXT=other is unix:///tmp/other.sock. Unset DOCKER_CONTEXT",
    ],
    [
      "docker:context and DOCKER_CONTEXT",
      () => pulumi.runtime.setAllConfig({ "docker:context": "far" }),
      "Two Docker engines are named: docker:context is ssh://root@registry.example.com, and DOCKER_CONTEXT=other is unix:///tmp/other.sock. Unset DOCKER_CONTEXT",
    ],
  ])("is not guessed where %s differ", async (_, choose, message) => {
    process.env.DOCKER_CONTEXT = "other";
    choose();
    await expect(chosen()).rejects.toThrow(message);
  });

  it("is known where DOCKER_HOST and DOCKER_CONTEXT say the same", async () => {
    Object.assign(process.env, { DOCKER_CONTEXT: "other", DOCKER_HOST: "unix:///tmp/other.sock" });
    expect(await chosen()).toEqual({ engine: other, providers: [{ ...other, context: "" }] });
  });

  it.each([
    ["blind", 'The docker context "blind" leads to tcp://192.0.2.2:2376 without a look at its certificate'],
    ["half", 'The docker context "half" leads to tcp://192.0.2.3:2376 without one of ca.pem, cert.pem, key.pem'],
    ["gone", 'The docker context "gone" can\'t be read: context not found'],
  ])("is not reached in a way that the provider does not know: context %s", async (context, message) => {
    use(context);
    await expect(chosen()).rejects.toThrow(message);
  });
});

/** `pulumi destroy` runs no program: it takes providers as the state has them, and what they lack from the environment. */
describe("the engine of a provider in the state", () => {
  it.each<[string, Record<string, string>, Parameters<typeof engineBy>[0], EngineAddress]>([
    ["one of its own", { DOCKER_HOST: "tcp://192.0.2.9:2375", DOCKER_CONTEXT: "far" }, { ...other, context: "" }, other],
    ["this machine's", {}, {}, {}],
    ["that of DOCKER_HOST", { DOCKER_HOST: "tcp://192.0.2.9:2375" }, {}, { host: "tcp://192.0.2.9:2375" }],
    ["that of DOCKER_CONTEXT", { DOCKER_CONTEXT: "far" }, {}, far],
    ["its context's", { DOCKER_HOST: "tcp://192.0.2.9:2375" }, { context: "far" }, far],
  ])("is %s", (_, environment, settings, engine) => {
    Object.assign(process.env, environment);
    expect(engineBy(settings)).toEqual(engine);
  });
});
