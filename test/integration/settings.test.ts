import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import * as fc from "fast-check";
import { SingleNodeRegistryArgs, Storage } from "../../components";
import { garbageCollectionProblems } from "../../components/checks/garbageCollection";
import { readArguments } from "../../components/checks/inputs";
import { completeMirror } from "../../components/checks/mirror";
import { registryProblems, RegistrySettings } from "../../components/checks/registry";
import { storageProblems } from "../../components/checks/storage";
import { chunkProblems } from "../../components/checks/storage/chunks";
import { timeZones } from "../../components/checks/garbageCollection/timeZones";
import { Configuration, renderConfiguration } from "../../components/render/configuration";
import { driverOf, storageConfiguration, StorageDriver, storageDrivers } from "../../components/render/driverParameters";
import { NotificationConfiguration } from "../../components/render/own";
import { KiB, MiB, serverMemory } from "../../components/render/sizes";
import { serverConfiguration } from "../../components/selfHosted/registryParts";
import { completeSettings } from "../../components/selfHosted/settings";
import { badConfigurations } from "../support/badConfigurations";
import { good as goodSettings, neighbours, notInFile, onlyHere as onlyHereOfServer } from "../support/neighbours";
import { run } from "../support/run";
import { packageSchema, schemaKeys, SchemaProperty } from "../support/schema";
import { projectRoot } from "../support/testStack";

/*
 * What the package accepts, its server accepts, and the other way round: else a bad setting would stop in the middle of an `up` instead
 * of in preview, or end a server that runs. Both are asked about every row of the table of bad configurations, and about every neighbour
 * of good ones: of a store each option with each value, and each two options together; of other keys the values in
 * test/support/neighbours.ts.
 */

type Options = Record<string, unknown>;

/** Good options of each driver. */
const good: Record<StorageDriver, Options[]> = {
  filesystem: [{}],
  s3: [
    { bucket: "images", region: "eu-central-1" },
    { bucket: "images", region: "eu-central-1", accessKey: "id", secretKey: "key" },
    { bucket: "images", regionEndpoint: "http://store:9000" },
  ],
  azure: [
    { accountName: "account", container: "images", accountKey: "a2V5" },
    { accountName: "account", container: "images" },
    {
      accountName: "account",
      container: "images",
      credentials: { type: "client_secret", clientId: "c", tenantId: "t", secret: "s" },
    },
  ],
  gcs: [{ bucket: "images", credentials: '{"type":"service_account","client_email":"a@b.c","private_key":"k"}' }],
  swift: [
    { authUrl: "https://keystone:5000/v3", username: "u", password: "p", container: "images" },
    { authUrl: "https://keystone:5000", authVersion: 2, username: "u", password: "p", container: "images" },
    { authUrl: "https://keystone:5000/v3", applicationCredentialId: "i", applicationCredentialSecret: "s", container: "images" },
    {
      authUrl: "https://keystone:5000/v3",
      username: "u",
      domain: "d",
      applicationCredentialName: "n",
      applicationCredentialSecret: "s",
      container: "images",
    },
  ],
  oss: [
    { bucket: "images", region: "cn-hangzhou", accessKeyId: "id", accessKeySecret: "key" },
    { bucket: "images", region: "cn-hangzhou", ramRole: "role" },
  ],
};

/** What only the package refuses, each with the reason why the server has no word on it. */
const onlyHere: Record<string, string> = {
  "storage.s3": "the server is told of one driver only",
  "storage.redirect": "the driver would send clients nowhere",
  "storage.caCertificates": "a file of its own",
  "storage.filesystem.volume": "Docker's, which the server does not see",
  "storage.filesystem.volumeDriver": "Docker's",
  "storage.filesystem.volumeOptions": "Docker's",
  "storage.filesystem.hostPath": "Docker's",
  "storage.filesystem.maxThreads": "the server has no upper limit",
  "storage.s3.bucket": "S3 refuses the name, and not the driver",
  "storage.s3.region": "the server takes the name of any region to come",
  "storage.s3.regionEndpoint": "the driver takes a host without a scheme",
  "storage.s3.accessKey": "the driver would go on without the half that is given",
  "storage.s3.secretKey": "the driver would go on without the half that is given",
  "storage.s3.rootDirectory": "S3 would not find what the driver copies",
  "storage.s3.keyId": "the driver would not encrypt",
  "storage.s3.secure": "the driver would go by one of two words",
  "storage.s3.multipartCopyMaxConcurrency": "the server has no upper limit",
  "storage.azure.container": "Azure refuses the name, and not the driver",
  "storage.azure.serviceUrl": "the driver would send the user along",
  "storage.azure.maxRetries": "the server has no upper limit",
  "storage.azure.accountKey": "the driver goes by credentials.type",
  "storage.azure.credentials.secret": "the driver goes by credentials.type",
  "storage.gcs.bucket": "Google refuses the name, and not the driver",
  "storage.gcs.chunkSize": "the server has no upper limit",
  "storage.gcs.maxConcurrency": "the server has no upper limit",
  "storage.swift.tenantId": "the driver would go by one of two words",
  "storage.swift.domainId": "the driver would go by one of two words",
  "storage.swift.tenantDomainId": "the driver would go by one of two words",
  "storage.oss.accessKeySecret": "the driver would sign with another than is meant",
  "storage.oss.region": "Alibaba refuses the name, and not the driver",
  "storage.oss.endpoint": "the name would not be found",
};

const typeNames: Record<StorageDriver, string> = {
  filesystem: "FilesystemStorage",
  s3: "S3Storage",
  azure: "AzureStorage",
  gcs: "GcsStorage",
  swift: "SwiftStorage",
  oss: "OssStorage",
};

const sizes = [
  -1,
  0,
  1,
  2,
  3,
  4,
  24,
  25,
  100,
  1024,
  100 * 2 ** 10,
  2 ** 18 - 1,
  2 ** 18,
  5 * 2 ** 20,
  5 * 2 ** 20 + 1,
  2 ** 30,
  5 * 2 ** 30,
  5 * 2 ** 30 + 1,
];
const words = [
  ...["", " ", "x", "images", "a/b", "eu-central-1", "cn-hangzhou", "STANDARD_IA", "private", "public", "30s", "a2V5"],
  ...[
    "https://store:9000",
    "http://store:9000/v1.0",
    "https://user@store",
    "store:9000",
    "https://store:abc",
    "https://store/%zz",
  ],
  // Numbers to a reader of YAML 1.1, which is the server.
  ...["2024_11", "0_", "1_0.5", "0x_1f", "0X1F", "0b_1", "0O7", "1.0_0", "+.5", "1_e3", "2024-1-2"],
];
const lists = [[], ["GET"], ["GET", "HEAD"], ["MOVE"]];

/** Of the folder in a store. */
const folders = [
  "/a/",
  "a.b",
  "..a",
  "..",
  ".",
  "../..",
  "a/./b",
  "a/..",
  "a\nb",
  "a\0",
  "a".repeat(256),
  "a".repeat(257),
  "é".repeat(129),
];

/** Values to try an option with. */
function candidates(key: string, { type }: SchemaProperty): unknown[] {
  if (key === "rootDirectory") {
    return [...words, ...folders];
  }
  return { boolean: [true, false], integer: sizes, number: sizes, string: words, array: lists }[type ?? ""] ?? [];
}

/** Good options of a driver with one option changed or left out, and with two. */
function neighboursOf(driver: StorageDriver): Storage[] {
  const properties = Object.entries(packageSchema().types[`container-registry:index:${typeNames[driver]}`]?.properties ?? {});
  const changes = properties.map(([key, property]) =>
    [undefined, ...candidates(key, property)].map((value) => ({ [key]: value })),
  );
  const pairs = changes.flatMap((one, i) => changes.slice(i + 1).map((other) => ({ ...one[2], ...other[2] })));
  return good[driver].flatMap((options) =>
    [{}, ...changes.flat(), ...pairs].map((change) => ({
      driver,
      [driver]: Object.fromEntries(Object.entries({ ...options, ...change }).filter(([, value]) => value !== undefined)),
    })),
  );
}

/** To the server an empty text is none; who gives one to the package means something, and is told. */
function isEmptySomewhere(storage: Storage): boolean {
  return Object.values(storage[driverOf(storage) as StorageDriver] ?? {}).some((value) => /^ ?$/.test(String(value)));
}

/** The rows of the table that are about the options of a driver. */
function rows(driver: StorageDriver): Storage[] {
  return badConfigurations
    .map(({ config }) => config.storage as Storage | undefined)
    .filter((storage): storage is Storage => storage !== undefined && driverOf(storage) === driver && storage.provision !== true);
}

function render(storage: Storage, changes: Pick<Configuration, "garbageCollection" | "proxy" | "maxSize" | "ui"> = {}): string {
  return renderConfiguration({
    httpSecret: "0123abcd",
    tls: false,
    bundled: true,
    readOnly: false,
    storage: storageConfiguration(storage),
    ...changes,
  });
}

/** Undefined where the settings are too bad to write a configuration by. */
function renderIfPossible(storage: Storage): string | undefined {
  try {
    return render(storage);
  } catch {
    return undefined;
  }
}

let folder: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-settings-"));
  await run("go", ["test", "-c", "-ldflags=-w", "-o", path.join(folder, "server"), "./internal/store"], {
    cwd: path.join(projectRoot, "server"),
    env: { CGO_ENABLED: "0", GOFLAGS: "-trimpath" },
  });
});

afterAll(() => fs.rmSync(folder, { recursive: true }));

/** What the server has against each configuration in a container of so many MiB; empty for nothing. */
async function complaints(configurations: string[], memory = 512): Promise<string[]> {
  const [given, answers] = [path.join(folder, "given"), path.join(folder, "answers")];
  fs.writeFileSync(given, configurations.map((each) => `${JSON.stringify(each)}\n`).join(""));
  await run(path.join(folder, "server"), ["-test.run", "^TestSettings$"], {
    env: { SETTINGS: given, SETTINGS_ANSWERS: answers, GOMEMLIMIT: `${serverMemory(memory)}MiB` },
  });
  const lines = fs.readFileSync(answers, "utf8").trim().split("\n");
  expect(lines).toHaveLength(configurations.length);
  return lines.map((line) => JSON.parse(line) as string);
}

it.each(storageDrivers)("refuses of %s what the server refuses, and no more", async (driver) => {
  const tried = [...neighboursOf(driver), ...rows(driver)].flatMap((storage) => {
    const rendered = renderIfPossible(storage);
    const problems = [...storageProblems(storage), ...chunkProblems(storage, 512)];
    return rendered === undefined && problems.length > 0 ? [] : [{ storage, problems, rendered: rendered ?? "" }];
  });
  const answers = await complaints(tried.map(({ rendered }) => rendered));
  const judged = tried.map((each, i) => ({ ...each, server: answers[i] ?? "" }));

  const unseen = judged.filter(({ problems, server }) => problems.length === 0 && server !== "");
  expect(unseen.map(({ storage, server }) => ({ storage, server }))).toEqual([]);
  const stricter = judged.filter(
    ({ storage, problems, server }) =>
      server === "" && !isEmptySomewhere(storage) && !problems.every(({ key }) => key in onlyHere),
  );
  expect(stricter.map(({ storage, problems }) => ({ storage, problems }))).toEqual([]);
  // Neither agrees by taking all, or nothing.
  expect(judged.some(({ problems }) => problems.length === 0)).toBe(true);
  expect(driver === "filesystem" || judged.some(({ server }) => server !== "")).toBe(true);
});

it.each([64, 93, 512])("refuses with %i MiB the chunks that the server refuses, and no more", async (memory) => {
  const sizes = Array.from({ length: 500 }, (_, i) => 5 * MiB + i * 256 * KiB);
  const tried = storageDrivers.flatMap((driver) => {
    const changes = driver === "filesystem" || driver === "azure" ? [] : sizes.map((chunkSize) => ({ chunkSize }));
    return [{}, ...changes].map((change): Storage => ({ driver, [driver]: { ...good[driver][0], ...change } }));
  });
  const answers = await complaints(
    tried.map((storage) => render(storage)),
    memory,
  );
  const refused = tried.map((storage) => chunkProblems(storage, memory).length > 0);
  expect(tried.filter((_, i) => refused[i] !== (answers[i] !== ""))).toEqual([]);
  expect(new Set(refused).size).toBe(2);
});

it("refuses of schedules what the server refuses, and no more", async () => {
  const number = fc.integer({ min: 0, max: 70 }).map(String);
  const word = fc.constantFrom("*", "?", "jan", "DEC", "sun", "sat", "mon", "x", "");
  const end = fc.oneof({ weight: 4, arbitrary: number }, word);
  const range = fc.oneof(
    { weight: 4, arbitrary: end },
    fc.tuple(end, end).map((ends) => ends.join("-")),
    fc.tuple(fc.oneof(fc.constant("*"), end), number).map((parts) => parts.join("/")),
  );
  const field = fc.oneof(
    { weight: 4, arbitrary: fc.constant("*") },
    range,
    fc.tuple(range, range).map((parts) => parts.join(",")),
  );
  const schedules = fc.sample(
    fc.array(field, { minLength: 4, maxLength: 6 }).map((fields) => fields.join(" ")),
    3000,
  );
  const collections = [
    ...schedules.map((schedule) => ({ schedule })),
    ...[
      "0 3 31 2 *",
      "0 3 29 2 *",
      "0 3 30 2,4 *",
      "0 3 30-31 2 *",
      "0 3 31 4,6,9 *",
      "0 3 31 2 mon",
      "0 3 31 2 */1",
      "0 3 31 4/2 *",
      "*/15 * * * *",
      "@daily",
      "TZ=UTC 0 3 * * *",
    ].map((schedule) => ({
      schedule,
    })),
  ];
  const answers = await complaints(collections.map((garbageCollection) => render({}, { garbageCollection })));
  // The server's library takes a range that begins or ends with * for *, and passes by what is empty in a list.
  const careless = /[*?]-|-[*?]|(^|[\s,]),|,(\s|$)/;
  const different = collections.flatMap((collection, i) => {
    const problems = garbageCollectionProblems(collection, "bundled");
    const same = (problems.length === 0) === (answers[i] === "");
    const stricter = answers[i] === "" && careless.test(collection.schedule);
    return same || stricter ? [] : [{ collection, problems, server: answers[i] }];
  });
  expect(different).toEqual([]);
});

/** Good settings with one value in place of a good one: `notifications[].name` is the name of the first. */
function replaced(settings: Options, key: string, value: unknown): Options {
  const [, name = "", isList, rest = ""] = /^(\w+)(\[\])?\.?(.*)$/.exec(key) ?? [];
  const inner = (of: unknown): unknown => (rest === "" ? value : replaced((of ?? {}) as Options, rest, value));
  const old = settings[name];
  return { ...settings, [name]: isList === undefined ? inner(old) : [inner((old as unknown[] | undefined)?.[0])] };
}

/** The names of all zones in the database of Go, which its compiler puts into the server. */
async function zonesOfGo(): Promise<string[]> {
  const root = (await run("go", ["env", "GOROOT"], { cwd: path.join(projectRoot, "server") })).trim();
  const archive = fs.readFileSync(path.join(root, "lib", "time", "zoneinfo.zip"));
  const names: string[] = [];
  // By the entries of the archive's directory (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12).
  for (let at = archive.indexOf("PK\x01\x02"); at >= 0; at = archive.indexOf("PK\x01\x02", at + 46)) {
    names.push(archive.toString("utf8", at + 46, at + 46 + archive.readUInt16LE(at + 28)));
  }
  return names.filter((name) => !name.endsWith("/"));
}

/** What is asked about settings: the package's problems, by the key in the schema, and the server's file by them. */
interface Asked {
  /** The value in question by its key, or the row's title. */
  about: unknown;
  problems: string[];
  rendered: string;
}

/** Undefined where the shape is wrong, of which no file is made. */
function asked(about: unknown, settings: Options): Asked | undefined {
  let given: SingleNodeRegistryArgs;
  try {
    given = readArguments<SingleNodeRegistryArgs>("SingleNodeRegistry", settings);
  } catch {
    return undefined;
  }
  const complete = completeSettings(given);
  const problems = registryProblems(complete).map(({ key }) => key.replace(/\[\d+\]/g, "[]").replace(/(\.headers)\..*/s, "$1"));
  try {
    return { about, problems, rendered: fileOf(complete) };
  } catch (error) {
    if (problems.length === 0) {
      throw error;
    }
    return undefined;
  }
}

/** The file of the registry, or of its mirror where one is asked about. */
function fileOf(settings: RegistrySettings): string {
  const { mirror, notifications, storage } = settings;
  if (mirror === undefined) {
    const known = { httpSecret: "0123abcd", shared: false, notifications: notifications as NotificationConfiguration[], storage };
    return renderConfiguration(serverConfiguration(settings, known));
  }
  const { upstream, username, password, ttl, maxSize, ui } = completeMirror(mirror);
  return render({}, { proxy: { upstream, username, password: password as string | undefined, ttl }, maxSize, ui });
}

it("refuses of every other key what the server refuses, and no more", async () => {
  const isIn = (key: string, of: string): boolean => key === of || [".", "["].some((next) => key.startsWith(of + next));
  const keys = [...schemaKeys("SingleNodeRegistry")].filter(([key]) => !Object.keys(notInFile).some((each) => isIn(key, each)));
  const leaves = keys.filter(([key]) => !keys.some(([other]) => other !== key && isIn(other, key)));
  const values = (key: string, type: string): readonly unknown[] => neighbours[key] ?? (type === "boolean" ? [true, false] : []);
  // A new key comes with its neighbours, or with who else is asked about it.
  expect(leaves.filter(([key, { type }]) => values(key, type).length === 0).map(([key]) => key)).toEqual([]);
  expect(Object.keys(neighbours).filter((key) => !leaves.some(([leaf]) => leaf === key))).toEqual([]);

  const { mirror, ...registry } = goodSettings;
  const changed = leaves.flatMap(([key, { type }]) => {
    const base = key.startsWith("mirror.") ? { mirror } : registry;
    return [...values(key, type), "none of these"].map((value) => ({
      about: { [key]: value },
      settings: replaced(base, key, value),
    }));
  });
  const ofRows = badConfigurations
    .filter(({ config: { image = "bundled" } }) => image === "bundled")
    .map(({ title, config }) => ({ about: title, settings: config }));
  const all = [{ about: "a registry", settings: registry }, { about: "a mirror", settings: { mirror } }, ...changed, ...ofRows];
  const tried = all.flatMap(({ about, settings }) => asked(about, settings) ?? []);
  const answers = await complaints(tried.map(({ rendered }) => rendered));
  const judged = tried.map((each, i) => ({ ...each, server: answers[i] ?? "" }));

  expect(judged.slice(0, 2).map(({ problems, server }) => [...problems, server])).toEqual([[""], [""]]);
  const unseen = judged.filter(({ problems, server }) => problems.length === 0 && server !== "");
  expect(unseen.map(({ about, server }) => ({ about, server }))).toEqual([]);
  const reasons = { ...onlyHere, ...onlyHereOfServer };
  const stricter = judged.filter(
    ({ problems, server }) =>
      server === "" && !problems.every((key) => key in reasons || Object.keys(notInFile).some((each) => isIn(key, each))),
  );
  expect(stricter.map(({ about, problems }) => ({ about, problems }))).toEqual([]);
});

it("takes every zone that the server's Go has, and no other", async () => {
  expect([...timeZones].sort()).toEqual((await zonesOfGo()).sort());
});
