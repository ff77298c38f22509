import { execFileSync, spawnSync } from "child_process";
import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import { contextArchive, contextDigest } from "../../offline/stand-ins/docker/build/buildContext";
import {
  containerBody,
  containerFacts,
  ContainerFound,
  containerInputs,
  ContainerInputs,
  containerProperties,
} from "../../offline/stand-ins/docker/containerBody";
import { duration, nanoseconds } from "../../offline/stand-ins/docker/durations";
import { connection } from "../../offline/stand-ins/docker/engine";
import { registryOf, storedLogin } from "../../offline/stand-ins/docker/logins";
import { secret } from "../../offline/stand-ins/docker/swarm/swarmFile";
import { service } from "../../offline/stand-ins/docker/swarm/service";
import { ServiceInputs, serviceInputs } from "../../offline/stand-ins/docker/swarm/serviceInputs";
import { serviceProperties, serviceSpec } from "../../offline/stand-ins/docker/swarm/serviceSpec";
import { comparableOf, filledIn, problemsOf, Values } from "../../offline/stand-ins/provider/types";

const container = (given: Values = {}): ContainerInputs =>
  filledIn(containerInputs, { name: "server", image: "sha256:1", ...given }) as ContainerInputs;

const serviceOf = (containerSpec: Values = {}, more: Values = {}): ServiceInputs =>
  filledIn(serviceInputs, {
    name: "server",
    taskSpec: { containerSpec: { image: "sha256:1", ...containerSpec } },
    ...more,
  }) as ServiceInputs;

const file = (name: string): Values => ({ secretId: name, secretName: name, fileName: `/${name}` });

describe("a container for the engine", () => {
  it.each<[string, Values, object]>([
    ["a command", { command: ["serve"], user: "0:0", envs: ["A=b"] }, { Cmd: ["serve"], User: "0:0", Env: ["A=b"] }],
    [
      "ports",
      {
        ports: [
          { internal: 5000, external: 5001, ip: "127.0.0.1" },
          { internal: 53, protocol: "udp" },
        ],
      },
      {
        ExposedPorts: { "5000/tcp": {}, "53/udp": {} },
        HostConfig: {
          PortBindings: {
            "5000/tcp": [{ HostIp: "127.0.0.1", HostPort: "5001" }],
            "53/udp": [{ HostIp: "0.0.0.0", HostPort: "0" }],
          },
        },
      },
    ],
    [
      "volumes",
      {
        volumes: [
          { volumeName: "files", containerPath: "/etc/files", readOnly: true },
          { hostPath: "/srv", containerPath: "/data" },
        ],
      },
      { Volumes: { "/etc/files": {}, "/data": {} }, HostConfig: { Binds: ["files:/etc/files:ro", "/srv:/data:rw"] } },
    ],
    [
      "a folder that has to be there",
      { mounts: [{ type: "bind", source: "/srv", target: "/data" }] },
      { HostConfig: { Binds: [], Mounts: [{ Type: "bind", Source: "/srv", Target: "/data", ReadOnly: false }] } },
    ],
    [
      "confinement",
      { capabilities: { drops: ["ALL"] }, securityOpts: ["no-new-privileges"], readOnly: true, tmpfs: { "/tmp": "size=1m" } },
      {
        HostConfig: {
          CapAdd: [],
          CapDrop: ["ALL"],
          SecurityOpt: ["no-new-privileges"],
          ReadonlyRootfs: true,
          Tmpfs: { "/tmp": "size=1m" },
        },
      },
    ],
    [
      "limits",
      { memory: 512, memorySwap: -1, ulimits: [{ name: "nproc", soft: 1, hard: 2 }] },
      { HostConfig: { Memory: 536870912, MemorySwap: -1, Ulimits: [{ Name: "nproc", Soft: 1, Hard: 2 }] } },
    ],
    [
      "what surrounds it",
      {
        hosts: [{ host: "a", ip: "::1" }],
        logDriver: "json-file",
        logOpts: { "max-file": "3" },
        restart: "always",
        stopTimeout: 9,
      },
      {
        StopTimeout: 9,
        HostConfig: {
          ExtraHosts: ["a:::1"],
          LogConfig: { Type: "json-file", Config: { "max-file": "3" } },
          RestartPolicy: { Name: "always", MaximumRetryCount: 0 },
          NetworkMode: "bridge",
        },
      },
    ],
    [
      "a health check",
      { healthcheck: { tests: ["CMD", "ok"], interval: "250ms", timeout: "1m30s", retries: 3 } },
      { Healthcheck: { Test: ["CMD", "ok"], Interval: 250e6, Timeout: 90e9, StartPeriod: 0, StartInterval: 0, Retries: 3 } },
    ],
  ])("has %s", (_, given, body) => {
    expect(containerBody(container(given))).toMatchObject(body);
  });

  it.each<[string, Values, string]>([
    ["a property that the stand-in lacks", { gpus: "all" }, "gpus is not known here"],
    [
      "one of a volume",
      { volumes: [{ containerPath: "/a", selinuxRelabel: "z" }] },
      "volumes[0].selinuxRelabel is not known here",
    ],
    ["a default that the stand-in can't change", { rm: true }, "rm must be false"],
    ["no duration", { healthcheck: { interval: "1 minute" } }, "healthcheck.interval must be a duration such as 1m30s"],
    [
      "no permissions",
      { uploads: [{ file: "/a", content: "", permissions: "rw" }] },
      "uploads[0].permissions must be file permissions such as 0644",
    ],
  ])("refuses %s", (_, given, problem) => {
    expect(problemsOf(containerInputs, { name: "server", image: "i", ...given })).toEqual([problem]);
  });

  it("is the same when the engine tells it back", () => {
    const given = container({
      mounts: [{ type: "bind", source: "/srv", target: "/data" }],
      command: ["serve"],
      user: "0:0",
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      memory: 512,
      memorySwap: 512,
      hosts: [{ host: "a", ip: "::1" }],
      ulimits: [{ name: "nproc", soft: 1, hard: 2 }],
      healthcheck: { tests: ["CMD", "ok"], interval: "250ms", startPeriod: "20s" },
      tmpfs: { "/tmp": "size=1m" },
      logDriver: "json-file",
      logOpts: { "max-file": "3" },
    });
    const { HostConfig, ...Config } = containerBody(given);
    const network = {
      IPAddress: "172.17.0.2",
      IPPrefixLen: 16,
      Gateway: "",
      GlobalIPv6Address: "",
      GlobalIPv6PrefixLen: 0,
      IPv6Gateway: "",
      MacAddress: "",
    };
    const found: ContainerFound = {
      Id: "1",
      Name: "/server",
      Image: "sha256:1",
      State: { Running: true, ExitCode: 0 },
      Config,
      HostConfig,
      NetworkSettings: {
        Ports: { "5000/tcp": [{ HostIp: "127.0.0.1", HostPort: "32768" }], "80/tcp": null },
        Networks: { bridge: network },
      },
    };
    expect(comparableOf(containerInputs, { ...given, ...containerProperties(found) })).toEqual(
      comparableOf(containerInputs, given),
    );
    expect(containerFacts(found, given)).toMatchObject({
      exitCode: undefined,
      ports: [{ internal: 5000, external: 32768, ip: "127.0.0.1", protocol: "tcp" }],
      networkDatas: [{ networkName: "bridge", ipAddress: "172.17.0.2", ipPrefixLength: 16 }],
    });
    expect(containerFacts({ ...found, State: { Running: false, ExitCode: 3 } }, given)).toMatchObject({ exitCode: 3, ports: [] });
  });
});

describe("a service for the engine", () => {
  const whole = serviceOf(
    {
      args: ["serve"],
      env: { A: "b=c" },
      readOnly: true,
      capDrops: ["ALL"],
      stopGracePeriod: "35s",
      hosts: [{ host: "a", ip: "10.0.0.1" }],
      secrets: [{ secretId: "s1", secretName: "key", fileName: "/key", fileUid: "1", fileMode: 0o400 }],
      mounts: [
        { type: "tmpfs", target: "/tmp", tmpfsOptions: { sizeBytes: 1024, mode: 0o1777 } },
        {
          type: "volume",
          target: "/data",
          source: "data",
          volumeOptions: { driverName: "local", driverOptions: { type: "nfs" } },
        },
      ],
      healthcheck: { tests: ["CMD", "ok"], interval: "5s" },
    },
    {
      mode: { replicated: { replicas: 2 } },
      endpointSpec: { mode: "dnsrr", ports: [{ targetPort: 5000, publishedPort: 5001, publishMode: "host" }] },
      updateConfig: { order: "start-first", maxFailureRatio: "0.5", failureAction: "rollback" },
    },
  );

  it("has all that was given", () => {
    expect(serviceSpec(whole)).toMatchObject({
      Name: "server",
      TaskTemplate: {
        ContainerSpec: {
          Args: ["serve"],
          Env: ["A=b=c"],
          ReadOnly: true,
          StopGracePeriod: 35e9,
          Hosts: ["10.0.0.1 a"],
          Secrets: [{ SecretID: "s1", SecretName: "key", File: { Name: "/key", UID: "1", GID: "0", Mode: 0o400 } }],
          Mounts: [
            { Type: "tmpfs", Target: "/tmp", TmpfsOptions: { SizeBytes: 1024, Mode: 0o1777 } },
            { Type: "volume", Source: "data", VolumeOptions: { DriverConfig: { Name: "local", Options: { type: "nfs" } } } },
          ],
          DNSConfig: {},
        },
        Placement: {},
        Resources: {},
      },
      Mode: { Replicated: { Replicas: 2 } },
      EndpointSpec: { Mode: "dnsrr", Ports: [{ TargetPort: 5000, PublishedPort: 5001, Protocol: "tcp", PublishMode: "host" }] },
      UpdateConfig: {
        Parallelism: 1,
        Delay: 0,
        Monitor: 5e9,
        MaxFailureRatio: 0.5,
        Order: "start-first",
        FailureAction: "rollback",
      },
    });
    expect(serviceSpec(serviceOf({}, { mode: { global: true } })).Mode).toEqual({ Global: {} });
  });

  it("is the same when the engine tells it back", () => {
    expect(comparableOf(serviceInputs, serviceProperties(serviceSpec(whole), whole))).toEqual(comparableOf(serviceInputs, whole));
  });

  const context = { configuration: null as never, urn: "urn", signal: new AbortController().signal };
  it.each<[string, Values, Values, object]>([
    [
      "another image is an update",
      {},
      { image: "sha256:2" },
      { "taskSpec.containerSpec.image": { kind: "update", replaces: false, input: true } },
    ],
    [
      "other host entries are another service",
      { hosts: [{ host: "a", ip: "10.0.0.1" }] },
      { hosts: [{ host: "a", ip: "10.0.0.2" }] },
      { "taskSpec.containerSpec.hosts": { kind: "update", replaces: true, input: true } },
    ],
    ["secrets in another order are nothing", { secrets: [file("a"), file("b")] }, { secrets: [file("b"), file("a")] }, {}],
    ["a duration in other words is nothing", { stopGracePeriod: "90s" }, { stopGracePeriod: "1m30s" }, {}],
  ])("%s", async (_, before, after, changes) => {
    const inputs = (spec: Values): Values => ({ name: "s", taskSpec: { containerSpec: { image: "sha256:1", ...spec } } });
    expect((await service.diff(inputs(before), inputs(before), inputs(after), context)).changes).toEqual(changes);
  });

  // As the official provider has it, which leaves it to the program to know that Swarm takes no other kind.
  const two = { replicated: { replicas: 2 } };
  it.each<[string, Values, Values, Record<string, string>]>([
    ["another number of tasks", two, { replicated: { replicas: 3 } }, { "mode.replicated.replicas": "update" }],
    ["a task on every node", two, { global: true }, { "mode.global": "update", "mode.replicated": "delete" }],
    ["a number of tasks", { global: true }, two, { "mode.global": "update", "mode.replicated": "add" }],
  ])("%s instead is an update, told with the kind apart from the number", async (_, before, after, kinds) => {
    const inputs = (mode: Values): Values => ({ name: "s", taskSpec: { containerSpec: { image: "sha256:1" } }, mode });
    const { changes } = await service.diff(inputs(before), inputs(before), inputs(after), context);
    expect(changes).toEqual(
      Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, { kind, replaces: false, input: true }])),
    );
  });
});

describe("a secret without a name", () => {
  const data = Buffer.from("text").toString("base64");

  const key = { name: "key", before: {}, seed: "c2VlZA==" };

  it("gets one of its own, and keeps it", () => {
    const { inputs } = secret.check({ data }, key);
    expect(inputs.name).toMatch(/^key-[0-9a-f]{7}$/);
    expect(inputs.__defaults).toEqual(["name"]);
    expect(secret.check({ data }, { ...key, before: inputs, seed: "" }).inputs.name).toBe(inputs.name);
  });

  it("gets the same as in the preview by an update plan, which has the seed, and another without one", () => {
    const nameBy = (seed: string): unknown => secret.check({ data }, { ...key, seed }).inputs.name;
    expect(nameBy(key.seed)).toBe(nameBy(key.seed));
    expect(nameBy("b3RoZXI=")).not.toBe(nameBy(key.seed));
  });

  it("has a new one beside the old one when its content changes", async () => {
    const context = { configuration: null as never, urn: "urn", signal: new AbortController().signal };
    const made = { name: "key-1234567", data, __defaults: ["name"] };
    expect((await secret.diff(made, made, { ...made, data: "b3RoZXI=" }, context)).deleteBeforeReplace).toBe(false);
    const named = { name: "key", data };
    expect((await secret.diff(named, named, { ...named, data: "b3RoZXI=" }, context)).deleteBeforeReplace).toBe(true);
  });

  it("is refused without Base64", () => {
    expect(secret.check({ data: "not base64!" }, key).problems).toEqual(["data must be Base64"]);
  });
});

describe("durations", () => {
  it.each([
    ["0s", 0],
    ["250ms", 250e6],
    ["1m30s", 90e9],
    ["1h0m5s", 3605e9],
    ["1.5s", 1.5e9],
    ["7us", 7000],
  ])("%s", (text, count) => {
    expect(nanoseconds(text)).toBe(count);
    expect(nanoseconds(duration(count))).toBe(count);
  });

  it.each(["", "5", "5 s", "1d", "-1s"])("%s is none", (text) => {
    expect(nanoseconds(text)).toBeUndefined();
  });
});

describe("the way to an engine", () => {
  const tls = { ca: "CA", cert: "CERT", key: "KEY" };

  it.each<[string | undefined, typeof tls | undefined, object]>([
    [undefined, undefined, { socketPath: "/var/run/docker.sock" }],
    ["unix:///run/user/1/docker.sock", undefined, { socketPath: "/run/user/1/docker.sock" }],
    ["tcp://10.0.0.1", undefined, { protocol: "http", host: "10.0.0.1", port: 2375 }],
    ["tcp://engine.example:2376", tls, { protocol: "https", host: "engine.example", port: 2376, ...tls }],
    ["ssh://root@engine.example", undefined, { protocol: "http", agent: expect.anything() as unknown }],
  ])("%s", (host, material, options) => {
    expect(connection(host, material, [])).toMatchObject(options);
  });

  it("is refused where there is none", () => {
    expect(() => connection("engine.example", undefined, [])).toThrow('docker:host: "engine.example" not a Docker host');
  });
});

describe("logins", () => {
  it.each([
    ["app", "docker.io"],
    ["team/app:1", "docker.io"],
    ["localhost/app", "localhost"],
    ["localhost:5000/app:1", "localhost:5000"],
    ["registry.example.com/team/app@sha256:1", "registry.example.com"],
  ])("%s is of %s", (image, registry) => {
    expect(registryOf(image)).toBe(registry);
  });

  it("are the ones of the docker command", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "docker-config-"));
    const before = process.env.DOCKER_CONFIG;
    try {
      const auth = Buffer.from("robot:a:b").toString("base64");
      fs.writeFileSync(path.join(folder, "config.json"), JSON.stringify({ auths: { "localhost:5000": { auth } } }));
      process.env.DOCKER_CONFIG = folder;
      expect(storedLogin("localhost:5000")).toEqual({ username: "robot", password: "a:b", serveraddress: "localhost:5000" });
      expect(storedLogin("localhost:5001")).toBeUndefined();
    } finally {
      if (before === undefined) {
        delete process.env.DOCKER_CONFIG;
      } else {
        process.env.DOCKER_CONFIG = before;
      }
      fs.rmSync(folder, { recursive: true });
    }
  });
});

it("hashes a build's context as the official provider does", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "context-"));
  try {
    const files = {
      Dockerfile: "FROM scratch\nCOPY . /\n",
      "a.txt": "a\n",
      "sub/b.txt": "b\n",
      "sub/x.log": "no\n",
      "sub/keep.log": "keep\n",
      "sub.txt": "s\n",
      ".dockerignore": "*.log\n**/*.log\n!sub/keep.log\n",
    };
    fs.mkdirSync(path.join(folder, "sub"));
    for (const [name, content] of Object.entries(files)) {
      fs.writeFileSync(path.join(folder, name), content);
      fs.chmodSync(path.join(folder, name), name === "sub/b.txt" ? 0o750 : 0o644);
    }
    expect(contextDigest(folder, path.join(folder, "Dockerfile"))).toBe(
      "798a61bbb68c74e875609765ff9e45fb60dbace26e8efc3fcd3affbac500b4a3",
    );
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

describe("a build's context", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "context-"));
  const dockerfile = path.join(folder, "Dockerfile");
  const files = [
    "Dockerfile",
    ".git/objects/ab/c",
    "app/(private)/key",
    "app/private",
    "src/+page.js",
    "src/page.js",
    "c++",
    "a|b",
    "a",
    "b",
  ];
  const more = ["customers/acme/file", "customers/kept", "empty-but-kept/", "logs/x.log", "logs/deep/y.log", "x{1}", "x1"];
  const keys = ["server.key", "keys/x.key"];

  beforeAll(() => {
    for (const file of [...files, ...more, ...keys]) {
      fs.mkdirSync(path.join(folder, file.endsWith("/") ? file : path.dirname(file)), { recursive: true });
      if (!file.endsWith("/")) {
        fs.writeFileSync(path.join(folder, file), "x", { mode: 0o644 });
      }
    }
    const ignored = [".git", "app/(private)", "src/+page.js", "c++", "a|b", "customers", "!customers/kept", "**/*.log", "x{1}"];
    fs.writeFileSync(path.join(folder, ".dockerignore"), [...ignored, "**.key", "keys", "bad*"].join("\n"));
    fs.chmodSync(path.join(folder, "src/page.js"), 0o666);
    execFileSync("mkfifo", [path.join(folder, "pipe")]);
  });

  afterAll(() => fs.rmSync(folder, { recursive: true }));

  /** What `tar` lists of a context, a line for each entry. */
  async function listed(context: string): Promise<string[]> {
    const chunks: Buffer[] = [];
    for await (const chunk of await contextArchive(context, path.join(context, "Dockerfile"))) {
      chunks.push(chunk as Buffer);
    }
    return spawnSync("tar", ["-tvf", "-"], { input: Buffer.concat(chunks), encoding: "utf8" })
      .stdout.trim()
      .split("\n");
  }
  const names = (lines: string[]): string[] => lines.map((line) => line.replace(/.*:\d\d /, "")).sort();

  it("is sent as Docker sends it: nothing of what is ignored, not even its folders", async () => {
    const lines = await listed(folder);
    const sent = [".", ".dockerignore", "Dockerfile", "a", "app", "app/private", "b", "customers", "customers/kept"];
    expect(names(lines)).toEqual([...sent, "empty-but-kept", "logs", "logs/deep", "src", "src/page.js", "x1"].sort());
    expect(lines.find((line) => line.endsWith("src/page.js"))).toMatch(/^-rw-rw-rw- 0\/0 /);
  });

  it("may be reached by a link", async () => {
    const link = `${folder}-link`;
    fs.symlinkSync(path.basename(folder), link);
    expect(names(await listed(link))).toEqual(names(await listed(folder)));
    fs.unlinkSync(link);
  });

  it("has what the Dockerfile is a link to, though that is ignored", async () => {
    const other = fs.mkdtempSync(path.join(os.tmpdir(), "context-"));
    fs.mkdirSync(path.join(other, "build"));
    fs.writeFileSync(path.join(other, "build/Dockerfile"), "FROM scratch\n");
    fs.symlinkSync("build/Dockerfile", path.join(other, "Dockerfile"));
    fs.writeFileSync(path.join(other, ".dockerignore"), "*\n");
    expect(names(await listed(other))).toEqual([
      ".",
      ".dockerignore",
      "Dockerfile -> build/Dockerfile",
      "build",
      "build/Dockerfile",
    ]);
    fs.rmSync(other, { recursive: true });
  });

  describe("with a name that is not UTF-8,", () => {
    const place = (name: string): Buffer => Buffer.concat([Buffer.from(`${folder}/${name}`), Buffer.from([0xff])]);

    it("is sent without it where it is ignored, file or folder", async () => {
      const expected = names(await listed(folder));
      fs.writeFileSync(place("bad"), "x");
      fs.mkdirSync(place("bad-folder"));
      expect(names(await listed(folder))).toEqual(expected);
      expect(contextDigest(folder, dockerfile)).toHaveLength(64);
      fs.rmSync(place("bad"));
      fs.rmdirSync(place("bad-folder"));
    });

    it.each(["file", "folder"])("is refused where it is not ignored: a %s", async (kind) => {
      const named = place("other");
      if (kind === "file") {
        fs.writeFileSync(named, "x");
      } else {
        fs.mkdirSync(named);
      }
      const message = `the name of ${folder}/other\ufffd is not UTF-8; rename it, or have .dockerignore leave it out`;
      expect(() => contextDigest(folder, dockerfile)).toThrow(message);
      await expect(listed(folder)).rejects.toThrow(message);
      fs.rmSync(named, { recursive: true });
    });
  });

  it("names a link that leads nowhere", () => {
    const link = path.join(folder, "dangling");
    fs.symlinkSync("nowhere", link);
    expect(() => contextDigest(folder, dockerfile)).toThrow(`the link ${link} leads nowhere; name it in .dockerignore`);
  });
});
