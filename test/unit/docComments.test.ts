import { GarbageCollection, Mirror, User } from "../../components/args/registry";
import { Problem } from "../../components/checks/problems";
import { registryProblems } from "../../components/checks/registry";
import { managedMirrorProblems, scheduleProblems } from "../../components/managed/checks";
import { completeSettings, GivenSettings } from "../../components/selfHosted/settings";
import { checkStackConfig } from "../../program/stackConfig";
import { schemaKeys } from "../support/schema";

// What people read in docs/configuration.md and in their editor, against the checks that refuse what it doesn't say.
const keys = ["EcrRegistry", "AcrRegistry", "ArtifactRegistry", "ExternalRegistry", "SingleNodeRegistry"].flatMap((component) => [
  ...schemaKeys(component),
]);
const descriptions = new Map(keys.map(([key, { description }]): [string, string] => [key, description]));
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();
const saying = (words: RegExp, under = ""): string[] =>
  sorted([...descriptions].filter(([key, description]) => key.startsWith(under) && words.test(description)).map(([key]) => key));
const partsOf = (key: string): string[] =>
  [...descriptions.keys()]
    .filter((each) => each.startsWith(key))
    .map((each) => each.slice(key.length))
    .filter((each) => /^\w+$/.test(each));
const namesOf = (problems: Problem[]): string[] => problems.map(({ key }) => key.replace(/\[\d+\]/g, "[]"));

/** The keys whose value is missing in a stack's configuration. */
function missingIn(config: Record<string, unknown>): string[] {
  try {
    checkStackConfig(config);
    return [];
  } catch (error) {
    return [...(error as Error).message.matchAll(/^\W*([\w.[\]]+): is missing/gm)].map(([, key = ""]) => key);
  }
}

describe("the doc comments", () => {
  it("say of every key whether it requires the bundled server", () => {
    const user: Required<User> = {
      ...{ name: "ci", password: "given", passwordHash: "$2y$", generation: 2, keepPrevious: true, previousPassword: "other" },
      ...{ access: "pull", repositories: ["team/*"] },
    };
    const given: GivenSettings = {
      ...{ hostname: "localhost", port: 5000, bindAddress: "127.0.0.1", externalUrl: "https://a.example", allowInsecure: false },
      ...{ trustedProxies: ["10.0.0.1"], tls: {}, users: [user], anonymousPull: true, authentication: { cacheSeconds: 1 } },
      ...{ cors: { allowedOrigins: ["*"] }, storage: { driver: "swift" }, readOnly: false, foreignLayerHosts: [], ui: true },
      ...{ garbageCollection: { deleteUntagged: true }, mirror: {}, metrics: {}, hosts: {}, resources: {} },
      ...{ notifications: [{ name: "a", url: "https://a.example" }], logs: { format: "json", audit: "all" } },
    };
    const problemsWith = (image: string): Problem[] => registryProblems(completeSettings({ ...given, image }));
    const ofAny = problemsWith("bundled").map(({ message }) => message);
    const another = problemsWith(`registry@sha256:${"0".repeat(64)}`);
    const refused = namesOf(another.filter(({ message }) => !ofAny.includes(message)));
    expect(refused.length).toBeGreaterThan(10);
    expect(saying(/requires? the bundled server/i)).toEqual(sorted(refused));
    // Nothing is left untried.
    expect(sorted(Object.keys(user))).toEqual(sorted(partsOf("users[].")));
    expect(sorted([...Object.keys(given), "image", "lab"])).toEqual(
      sorted([...schemaKeys("SingleNodeRegistry").keys()].filter((key) => /^\w+$/.test(key))),
    );
  });

  it.each([
    ...["s3", "azure", "gcs", "swift", "oss"].map((driver) => ({ storage: { driver } })),
    ...["s3", "azure", "gcs"].map((driver) => ({ storage: { driver, provision: true } })),
    { storage: { driver: "azure", azure: { credentials: { type: "client_secret" } } } },
    { tls: { mode: "provided" } },
    ...["ecr", "acr", "artifact-registry", "external"].map((target) => ({ target })),
  ])("say what is required in %j", (config) => {
    const missing = missingIn(config);
    expect(missing).not.toEqual([]);
    expect(missing.filter((key) => !/Default: .*\brequired\b/s.test(descriptions.get(key) ?? ""))).toEqual([]);
  });

  it("say of every key of the mirror and of the collection whether a cloud takes it", () => {
    const mirror: Required<Mirror> = {
      ...{ upstream: "https://quay.io", username: "me", password: "token", ttl: "1h", maxSize: "1GB", port: 5001 },
      ...{ caCertificates: "PEM", metrics: {}, ui: true },
    };
    const collection: GarbageCollection = { schedule: "0 3 * * *", timeZone: "UTC", deleteUntagged: true, retention: [] };
    const upstreams = [{ host: "quay.io", prefix: "quay", login: "possible" as const }];
    expect(sorted(Object.keys(mirror))).toEqual(sorted(partsOf("mirror.")));
    const refused = [
      ...managedMirrorProblems("Amazon", mirror, upstreams, "a day"),
      ...scheduleProblems("ecr", "daily", collection),
    ];
    expect(saying(/Not in a cloud/)).toEqual(sorted(namesOf(refused)));
  });
});
