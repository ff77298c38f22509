import * as path from "path";
import * as pulumi from "@pulumi/pulumi";
import * as components from "../../components";
import { argumentsOf, ObjectType, partsOf, Property } from "../../components/args/schema";
import { swarmNodes } from "../../components/swarm/nodes";
import { clouds } from "../support/clouds";
import { mocked } from "../support/mocks";
import { componentNames } from "../support/schema";

// What is asked of engines beside the provider.
jest.mock("../../components/docker/bundledImage", () => ({
  ...jest.requireActual<object>("../../components/docker/bundledImage"),
  buildBundledImage: () => Promise.resolve({ file: "/image.tar", ids: ["sha256:1d"], name: "container-registry:1", tag: "1" }),
}));
jest.mock("../../components/docker/volumeOwner", () => ({
  ...jest.requireActual<object>("../../components/docker/volumeOwner"),
  checkPresence: () => Promise.resolve(),
}));
jest.mock("../../components/swarm/takenPort", () => ({ withFreePort: (engine: unknown) => engine }));
jest.mock("../../components/swarm/nodes", () => ({
  ...jest.requireActual<object>("../../components/swarm/nodes"),
  swarmNodes: jest.fn(),
}));

type Values = Record<string, unknown>;
type Constructor = new (name: string, args: unknown) => pulumi.ComponentResource;

const upstream = "https://quay.io";
const server = { tls: {}, users: [{ name: "a" }], authentication: {}, garbageCollection: {}, logs: {}, metrics: {} };
/** What has to be given, and every part that may be there with nothing in it. */
const given: Record<string, Values> = {
  AcrRegistry: { acr: { location: "westeurope" }, garbageCollection: {}, mirror: { upstream } },
  ArtifactRegistry: { artifactRegistry: { location: "europe-west3" }, garbageCollection: {}, mirror: { upstream } },
  AzureStore: { options: { location: "westeurope" } },
  BuiltImages: {
    builds: [{ name: "app", context: path.join(__dirname, "..", "..", "server") }],
    repositoryPrefix: "localhost:5000",
  },
  EcrRegistry: { ecr: { repositories: ["a/b"] }, garbageCollection: {}, mirror: { upstream } },
  ExternalRegistry: { external: { hostname: "registry.example.com" } },
  GcsStore: { options: { location: "EU" } },
  PullThroughCache: { mirror: { metrics: {} }, resources: {} },
  RegistryCertificate: { hostname: "localhost", tls: {} },
  RegistryUsers: { users: [{ name: "a" }] },
  S3Store: { options: { region: "eu-central-1" } },
  ServerImage: {},
  SingleNodeRegistry: { ...server, storage: { filesystem: {} }, mirror: { metrics: {} }, resources: {}, hosts: {} },
  SwarmRegistry: {
    ...server,
    storage: { driver: "s3", s3: { region: "eu-central-1", bucket: "images" } },
    allowInsecure: true,
    resources: {},
    swarm: { imageDistribution: {}, update: {}, redis: { image: `redis@sha256:${"0".repeat(64)}` } },
  },
};

/** The same with `null` for everything that is not given. */
function withNulls(values: Values, { properties }: ObjectType): Values {
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, nullsWithin(values[name] ?? null, property)]),
  );
}

function nullsWithin(value: unknown, property: Property): unknown {
  const { items } = property;
  if (items !== undefined && Array.isArray(value)) {
    return value.map((each) => nullsWithin(each, items));
  }
  const parts = value === null ? undefined : partsOf(property);
  return parts === undefined ? value : withNulls(value as Values, parts);
}

/** What a component makes of arguments, or the words in which it refuses them. */
async function madeOf(component: string, args: unknown): Promise<unknown> {
  jest.mocked(swarmNodes).mockResolvedValue([{ id: "1", hostname: "node1", ready: true, facts: {}, engine: {} }]);
  const made = (components as unknown as Record<string, Constructor>)[component];
  const program = (): unknown => made && new made("given", args) && undefined;
  return mocked(program, clouds, true).catch((error: unknown) => (error as Error).message);
}

beforeAll(() => {
  jest.spyOn(globalThis, "fetch").mockImplementation(() => Promise.resolve(Response.json({ refresh_token: "the-token" })));
});

afterAll(() => jest.restoreAllMocks());

// YAML has `null` for a key without a value; no compiler looks at that, nor at JavaScript.
describe.each(componentNames())("the arguments of %s", (component) => {
  it("are not there where they are null", async () => {
    const args = given[component] ?? {};
    const made = await madeOf(component, args);
    expect(made).toHaveProperty("resources");
    expect(await madeOf(component, withNulls(args, argumentsOf(component)))).toEqual(made);
  });

  it("may all be missing, or the error says which may not", async () => {
    const made = await madeOf(component, {});
    expect(typeof made === "string" ? made : "").toMatch(/^$|^The configuration has /);
    expect(await madeOf(component, undefined)).toEqual(made);
    expect(await madeOf(component, null)).toEqual(made);
  });
});

it.each<[string, Values, Values]>([
  ["RegistryUsers", { users: [{ name: 1, password: 12345678 }] }, { users: [{ name: "1", password: "12345678" }] }],
  [
    "EcrRegistry",
    {
      ecr: { repositories: ["a/b"], mutableTags: [42], tags: { cost: 42 } },
      garbageCollection: { retention: [{ keepNewest: 1, keepTags: [42] }], retentionDryRun: false },
    },
    {
      ecr: { repositories: ["a/b"], mutableTags: ["42"], tags: { cost: "42" } },
      garbageCollection: { retention: [{ keepNewest: 1, keepTags: ["42"] }], retentionDryRun: false },
    },
  ],
])("are for %s the text that a number is written as", async (component, numbers, texts) => {
  const made = await madeOf(component, texts);
  expect(made).toHaveProperty("resources");
  expect(await madeOf(component, numbers)).toEqual(made);
});
