import { BadConfiguration } from "./badConfiguration";

/** What `program/` refuses: unknown keys, values of another type, keys of another target. */
export const badStackConfig: BadConfiguration[] = [
  {
    title: "an unknown target",
    config: { target: "kubernetes" },
    problems: ['target: "kubernetes" is not allowed; choose single-node, swarm, ecr, acr, artifact-registry, external'],
  },
  {
    title: "a list of targets",
    config: { target: ["ecr"] },
    problems: ["target: a list is not allowed; choose single-node, swarm, ecr, acr, artifact-registry, external"],
  },
  {
    title: "a mistyped key",
    config: { prot: 5000 },
    problems: ["prot: unknown key; did you mean port?"],
  },
  {
    title: "the former name of a key",
    config: { images: [{ name: "app", context: "server" }] },
    problems: ["images: is now called builds; the output is still images"],
  },
  {
    title: "a key that resembles none",
    config: { colour: "red" },
    problems: [
      "colour: unknown key; known are target, builds, hostname, port, externalUrl, trustedProxies, bindAddress, allowInsecure, tls, users, anonymousPull, authentication, cors, storage, image, readOnly, foreignLayerHosts, ui, garbageCollection, mirror, metrics, notifications, logs, hosts, resources, lab",
    ],
  },
  {
    title: "a part of a key without --path",
    config: { "users[0].name": "a" },
    problems: [
      "users[0].name: unknown key; to set a part of a key, use pulumi config set --path 'users[0].name', and remove this one: pulumi config rm 'users[0].name'",
    ],
  },
  {
    title: "many things wrong at once",
    config: {
      hostname: "a b",
      port: "x",
      tls: { mode: "on", foo: 1 },
      users: ["x", { name: "a:b" }, { name: "" }],
      storage: { driver: "s3" },
      lab: "maybe",
    },
    problems: [
      'port: "x" is not allowed; give a number in plain digits',
      "tls.foo: unknown key; known are mode, certificate, privateKey, chain, validityDays, renewBeforeDays, generation, caGeneration, keepPreviousCa",
      "users[0]: a text is not allowed; give its parts name, password, passwordHash, generation, keepPrevious, previousPassword, access, repositories with pulumi config set --path 'users[0].<part>'",
      'lab: "maybe" is not allowed; give true or false',
      'hostname: "a b" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
      'tls.mode: "on" is not allowed; choose self-signed, provided, off',
      'users[1].name: "a:b" is not allowed; use letters, digits and ._@+- (128 at most, a letter or digit first, no ":")',
      'users[2].name: "" is not allowed; use letters, digits and ._@+- (128 at most, a letter or digit first, no ":")',
      'storage.s3.bucket: is missing; storage.driver "s3" needs it',
      'storage.s3.region: is missing; storage.driver "s3" needs it',
    ],
  },
  {
    title: "dates, as Pulumi gives those of YAML on",
    config: {
      hostname: "2026-11-30 00:00:00 +0000 UTC",
      users: [{ name: "a", password: "2001-12-14 21:59:43.1 -0500 -0500" }],
      builds: [{ name: "app", context: "server", buildArgs: { DAY: "2026-07-30 10:11:12 +0000 UTC" } }],
    },
    problems: [
      'hostname: "2026-11-30 00:00:00 +0000 UTC" is a date to YAML, and may not be what was written; put it in quotes in the stack\'s file',
      "users[0].password: this value (not shown) is a date to YAML, and may not be what was written; put it in quotes in the stack's file",
      'builds[0].buildArgs.DAY: "2026-07-30 10:11:12 +0000 UTC" is a date to YAML, and may not be what was written; put it in quotes in the stack\'s file',
    ],
  },
  {
    title: "a key of another target",
    config: { port: 5001, ecr: { repositories: ["app"] } },
    problems: ["ecr: has no meaning for target single-node: it belongs to ecr"],
  },
];
