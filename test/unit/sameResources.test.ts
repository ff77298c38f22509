import * as fs from "fs";
import * as path from "path";
import { checkStackConfig } from "../../program/stackConfig";
import { deployImages } from "../../program/images";
import { swarmNodes } from "../../components/swarm/nodes";
import { clouds } from "../support/clouds";
import { makePki } from "../support/pki";
import { mocked, MadeResource } from "../support/mocks";

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

const recorded = (file: string): unknown => JSON.parse(fs.readFileSync(path.join(__dirname, "..", "support", file), "utf8"));
const before = recorded("resourcesBefore.json") as Record<string, string[]>;
/** What version 0a38d4b, the last before the components were moved and renamed, asked of clouds: `type::name` and inputs. */
const cloudInputsBefore = recorded("cloudInputsBefore.json") as Record<string, Record<string, Record<string, unknown>>>;

const { server } = makePki(["localhost"]);
const upstream = "https://quay.io";
const stacks: Record<string, Record<string, unknown>> = {
  "single-node": {
    lab: true,
    mirror: {},
    logs: { audit: "all" },
    storage: { filesystem: { volume: "team-images" } },
    builds: [{ name: "app", context: path.join(__dirname, "..", "..", "server") }],
  },
  swarm: {
    allowInsecure: true,
    swarm: { constraints: ["node.hostname == node2"], trustNodes: true },
  },
  ecr: { ecr: { repositories: ["app", "team-a/*"], readers: ["arn:aws:iam::111122223333:root"] }, mirror: { upstream } },
  acr: { acr: { location: "westeurope" }, mirror: { upstream } },
  "artifact-registry": { artifactRegistry: { location: "europe-west3", readers: ["user:a@example.com"] }, mirror: { upstream } },
  external: { external: { hostname: "registry.example.com", username: "ci", password: "the-given-password" } },
  "swarm, s3": {
    allowInsecure: true,
    storage: { driver: "s3", s3: { region: "eu-central-1", bucket: "images" } },
    swarm: { redis: { image: `redis@sha256:${"0".repeat(64)}` } },
  },
  "single-node, s3": { storage: { driver: "s3", provision: true, s3: { region: "eu-central-1" } } },
  "single-node, azure": { storage: { driver: "azure", provision: true, azure: { location: "westeurope" } } },
  "single-node, gcs": { storage: { driver: "gcs", provision: true, gcs: { location: "EU" } } },
};

/** The names that a resource of a state may have to be taken for this one: `parent's type$type::name`. */
function namesOf(resource: MadeResource, all: readonly MadeResource[]): string[] {
  const parent = all.find(
    ({ type, name }) => resource.parent.endsWith(`$${type}::${name}`) || resource.parent.endsWith(`::${type}::${name}`),
  );
  const above = parent === undefined ? [""] : namesOf(parent, all).map((name) => `${name.split("::")[0] ?? ""}$`);
  return above.flatMap((chain) => [resource, ...resource.aliases].map(({ type, name }) => `${chain}${type}::${name}`));
}

/** What a stack is made of. */
async function madeFor(stack: string): Promise<MadeResource[]> {
  jest
    .mocked(swarmNodes)
    .mockResolvedValue([
      { id: "id-node2", hostname: "node2", ready: true, facts: { "node.hostname": "node2" }, engine: { host: "ssh://node2" } },
    ]);
  const resources = {
    ...clouds.resources,
    "tls:index/privateKey:PrivateKey": () => ({ privateKeyPem: server.privateKey }),
    "tls:index/selfSignedCert:SelfSignedCert": () => ({ certPem: server.certificate }),
    "tls:index/locallySignedCert:LocallySignedCert": () => ({ certPem: server.certificate }),
    "random:index/randomPassword:RandomPassword": () => ({ result: "the-generated-password", bcryptHash: "hash" }),
  };
  const run = await mocked(
    () => {
      const { deploy, images } = checkStackConfig({ target: stack.split(",")[0], ...stacks[stack] });
      return deployImages("project-stack-images", images, deploy("project-stack")) && undefined;
    },
    { ...clouds, resources },
    true,
  );
  return [...run.components, ...run.resources];
}

beforeAll(() => {
  jest.spyOn(globalThis, "fetch").mockImplementation(() => Promise.resolve(Response.json({ refresh_token: "the-token" })));
});

afterAll(() => jest.restoreAllMocks());

// What holds images must never be deleted and made anew only because a class or a file has another name: a component that is renamed
// keeps its type of before as an alias, and this list stays as it is.
it.each(Object.keys(before))("takes the resources of a stack of before for its own, for target %s", async (target) => {
  const all = await madeFor(target);
  const made = all.map((resource) => namesOf(resource, all));
  expect(before[target]).toContainEqual(expect.stringMatching(/::project-stack$/));
  expect(before[target]?.filter((name) => !made.some((names) => names.includes(name)))).toEqual([]);
});

// A cloud makes a bucket or a registry anew for a name, a place or a key that is another. Inputs may be added where it only updates.
it.each(Object.keys(cloudInputsBefore))("asks clouds for what a stack of before has, for %s", async (stack) => {
  const made = await madeFor(stack);
  const inputs = Object.fromEntries(
    made.flatMap((resource) => [resource, ...resource.aliases].map(({ type, name }) => [`${type}::${name}`, resource.inputs])),
  );
  expect(inputs).toMatchObject(cloudInputsBefore[stack] ?? {});
});

// The engine refuses a second one of the name; a volume that is made a second time is the one that is then deleted.
it.each(Object.keys(stacks))("makes nothing a second time under its name when it is to be made anew, for %s", async (stack) => {
  const named = (await madeFor(stack)).filter(
    ({ type, inputs, retainOnDelete }) =>
      /^docker:.*:(Container|Service|Volume)$/.test(type) && inputs.name !== undefined && !retainOnDelete,
  );
  expect(named.filter(({ deleteBeforeReplace }) => !deleteBeforeReplace).map(({ name }) => name)).toEqual([]);
});

// `retainOnDelete` on a component goes on to its parts. Of those whose name can't be given twice, the volumes of images and of the audit
// alone are taken up again. What Swarm keeps for tasks has another name each time, and holds keys and passwords, as volumes of files do.
it.each(Object.keys(stacks))("lets nothing stay that would be in the way of what comes in its place, for %s", async (stack) => {
  const unique = (await madeFor(stack)).filter(
    ({ type, name, deleteBeforeReplace }) =>
      (deleteBeforeReplace && !(type.endsWith(":Volume") && /^project-stack-(data|audit)$/.test(name))) ||
      /:(Network|Secret|ServiceConfig)$/.test(type),
  );
  expect(unique.filter(({ retainOnDelete }) => retainOnDelete !== false).map(({ name }) => name)).toEqual([]);
});
