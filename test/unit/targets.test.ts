import * as fs from "fs";
import * as path from "path";
import * as pulumi from "@pulumi/pulumi";
import { checkStackConfig, targets } from "../../program/stackConfig";
import { clouds } from "../support/clouds";
import { schemaKeys } from "../support/schema";
import { Answers, mocked, valueOf } from "../support/mocks";

// A service is not only asked for but waited for; swarmEngine.test.ts has the tests.
jest.mock("../../components/swarm/takenPort", () => ({ withFreePort: (engine: unknown) => engine }));
jest.mock("../../components/swarm/rollout", () => ({
  untilRolledOut: () => Promise.resolve(),
  untilUpdated: () => Promise.resolve(),
}));
jest.mock("../../components/docker/volumeOwner", () => ({
  ...jest.requireActual<object>("../../components/docker/volumeOwner"),
  checkOwner: () => Promise.resolve(true),
  checkPresence: () => Promise.resolve(),
}));

const answers: Answers = {
  ...clouds,
  resources: {
    ...clouds.resources,
    "random:index/randomPassword:RandomPassword": () => ({ result: "the-generated-password", bcryptHash: "hash" }),
    "docker:index/remoteImage:RemoteImage": () => ({ imageId: "sha256:1" }),
  },
};

/** The least that a stack of each target needs. */
const least: Record<string, Record<string, unknown>> = {
  // Without TLS and the bundled server, whose certificate and health nobody here could give.
  "single-node": { image: `registry@sha256:${"0".repeat(64)}`, tls: { mode: "off" } },
  swarm: {
    image: `registry@sha256:${"0".repeat(64)}`,
    tls: { mode: "off" },
    allowInsecure: true,
    storage: { driver: "s3", s3: { bucket: "images", region: "eu-central-1" } },
  },
  ecr: { ecr: { repositories: ["app"] } },
  acr: { acr: { location: "westeurope" } },
  "artifact-registry": { artifactRegistry: { location: "europe-west3" } },
  external: { external: { hostname: "registry.example.com", username: "ci", password: "the-given-password" } },
};

/** What every registry tells; secrets are marked. */
const outputs = {
  endpoint: /^https?:\/\/[a-z0-9.-]+(:\d+)?$/,
  repositoryPrefix: /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9/-]+)?$/,
  username: /^.+$/,
  password: /^.+$/,
  caCertificate: /^(-----BEGIN CERTIFICATE-----[^]*)?$/,
  loginCommand: /docker/,
  trustCommand: /^(#|asRoot)/,
  daemonConfig: /^\{[^]*\}$/,
  version: /^.+$/,
} as const;

let fetched: jest.SpiedFunction<typeof fetch>;

beforeAll(() => {
  fetched = jest
    .spyOn(globalThis, "fetch")
    .mockImplementation(() => Promise.resolve(Response.json({ refresh_token: "the-registry-token" })));
});

afterAll(() => {
  fetched.mockRestore();
});

describe("the outputs of every target", () => {
  it("are looked at here", () => {
    expect(Object.keys(least).sort()).toEqual(Object.keys(targets).sort());
  });

  it.each(Object.entries(least))("have one shape: %s", async (target, config) => {
    const { result } = await mocked(() => checkStackConfig({ target, ...config }).deploy("registry"), answers);
    for (const [name, form] of Object.entries(outputs)) {
      const { value, secret } = await valueOf(result[name as keyof typeof outputs]);
      // `az acr login` has no docker in it.
      expect([name, value]).toEqual([
        name,
        expect.stringMatching(name === "loginCommand" && target === "acr" ? /^az acr login/ : form),
      ]);
      expect([name, secret]).toEqual([name, name === "password"]);
    }
    const credentials = await valueOf(result.credentials);
    const [username, password] = [await valueOf(result.username), await valueOf(result.password)];
    expect(credentials).toEqual({ value: { [username.value]: password.value }, secret: true });
    expect((await valueOf(result.loginCommand)).value).not.toContain(password.value);
  });
});

it("leave none of a stack's undefined, of which Pulumi would warn, for the target that has the fewest", async () => {
  const config = Object.entries({ target: "external", ...least.external }).map(([key, value]): [string, string] => [
    `project:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const { result } = await mocked(async () => {
    pulumi.runtime.setAllConfig(Object.fromEntries(config));
    return { ...(await import("../../index")) };
  }, answers);
  pulumi.runtime.setAllConfig({});
  expect(Object.entries(result).filter(([, value]) => value === undefined)).toEqual([]);
});

describe("what holds images", () => {
  it.each([
    ["ecr", /^aws:ecr\/repository:/],
    ["acr", /:(Registry|ResourceGroup)$/],
    ["artifact-registry", /^gcp:artifactregistry\/repository:/],
  ])("is protected and kept unless it is a lab: %s", async (target, holders) => {
    const kept = async (lab: boolean): Promise<(boolean | undefined)[]> => {
      const { resources } = await mocked(() => checkStackConfig({ target, ...least[target], lab }).deploy("registry"), answers);
      return resources
        .filter(({ type }) => holders.test(type))
        .flatMap(({ protect, retainOnDelete }) => [protect, retainOnDelete]);
    };
    expect(new Set(await kept(false))).toEqual(new Set([true]));
    expect(new Set(await kept(true))).toEqual(new Set([undefined]));
  });

  it("is deleted by Amazon with its images in a lab only", async () => {
    const forced = async (lab: boolean): Promise<unknown> =>
      (await mocked(() => checkStackConfig({ target: "ecr", ...least.ecr, lab }).deploy("registry"), answers)).resources[0]
        ?.inputs.forceDelete;
    expect([await forced(false), await forced(true)]).toEqual([false, true]);
  });
});

describe("a key of another target", () => {
  const values: Record<string, unknown> = {
    port: 5000,
    hostname: "localhost",
    lab: true,
    allowInsecure: true,
    anonymousPull: true,
  };
  const all = [...new Set(Object.values(targets).flatMap(({ keys }) => keys))];
  const foreign = Object.entries(targets).flatMap(([target, { keys }]) =>
    all.filter((key) => !keys.includes(key)).map((key): [string, string] => [key, target]),
  );

  it.each(foreign)("is refused with a sentence: %s for target %s", (key, target) => {
    const problem = new RegExp(`^  - ${key}: has no meaning for target ${target}: .{10,}$`, "m");
    const config = { target, ...least[target], [key]: values[key] ?? {} };
    expect(() => checkStackConfig(config)).toThrow(problem);
    expect(() => checkStackConfig(config)).toThrow("The configuration has 1 problem;");
  });

  it("leads from a Swarm to the one mirror that is enough for it", () => {
    expect(() => checkStackConfig({ target: "swarm", ...least.swarm, mirror: {} })).toThrow(
      /mirror: .* one is enough for all nodes/,
    );
  });

  it.each(Object.entries(targets))("is one when a reason says so: %s", (_, { keys, foreign: reasons }) => {
    expect(Object.keys(reasons).filter((key) => keys.includes(key))).toEqual([]);
  });
});

describe("a hole in a list, as pulumi config set leaves before the item that it is given", () => {
  const at = (keyPath: string): unknown =>
    keyPath === "" ? null : keyPath.startsWith("[]") ? [at(keyPath.slice(2))] : inner(keyPath.replace(/^\./, ""));
  const inner = (keyPath: string): Record<string, unknown> => {
    const [, name = "", rest = ""] = /^(\w+)(.*)$/.exec(keyPath) ?? [];
    return { [name]: at(rest) };
  };
  const holes = Object.entries(targets).flatMap(([name, { component }]) =>
    [...schemaKeys(component)]
      .filter(([key, { type }]) => key.endsWith("[]") && type === "string")
      .map(([key]): [string, string] => [key, name]),
  );

  it.each(holes)("is named: %s for target %s", (key, name) => {
    const config = { target: name, ...inner(key) };
    expect(() => checkStackConfig(config)).toThrow(`- ${key.replaceAll("[]", "[0]")}: null is not allowed; give a text`);
  });
});

it("has a ready stack for every target", () => {
  const stacks = fs.readdirSync(path.join(__dirname, "..", "..", "stacks")).map((file) => file.split(".")[1]);
  const named = Object.keys(targets).filter((target) => target !== "single-node");
  expect(named.filter((target) => !stacks.includes(target))).toEqual([]);
});
