import { BadConfiguration } from "../badConfiguration";

export const badEcr: BadConfiguration[] = [
  {
    title: "ECR without a repository",
    config: { target: "ecr" },
    problems: [
      "ecr.repositories: is missing; Amazon takes pushes to known repositories only: team-a/app, or team-a/* for all below",
    ],
  },
  {
    title: "keys of a self-hosted registry for ECR",
    config: {
      target: "ecr",
      ecr: { repositories: ["app"] },
      hostname: "registry.example.com",
      port: 5001,
      tls: { mode: "off" },
      users: [{ name: "a", password: "MARKER" }],
      acr: { location: "westeurope" },
    },
    problems: [
      "hostname: has no meaning for target ecr: the registry has a name of Amazon's",
      "port: has no meaning for target ecr: Amazon serves on port 443",
      "tls: has no meaning for target ecr: Amazon's certificate is used",
      "users: has no meaning for target ecr: identities of Amazon log in; name them in ecr.readers and ecr.writers",
      "acr: has no meaning for target ecr: it belongs to acr",
    ],
  },
  {
    title: "names and identities that Amazon does not know",
    config: {
      target: "ecr",
      ecr: { region: "Frankfurt", repositories: ["App", "app", "app", "*"], kmsKey: "my-key", readers: ["ci"], writers: ["*"] },
    },
    problems: [
      'ecr.region: "Frankfurt" is not allowed; give an AWS region such as eu-central-1',
      'ecr.repositories[0]: "App" is not allowed; give 2 to 256 characters, such as team-a/app, or a prefix such as team-a/*',
      'ecr.repositories[3]: "*" is not allowed; give 2 to 256 characters, such as team-a/app, or a prefix such as team-a/*',
      'ecr.repositories[2]: "app" is in the list already',
      'ecr.kmsKey: "my-key" is not allowed; give the key\'s ARN: arn:aws:kms:<region>:<account>:key/<id>',
      'ecr.readers[0]: "ci" is not allowed; give the ARN of an account (…:root), user or role: arn:aws:iam::<account>:role/<name>',
      'ecr.writers[0]: "*" is not allowed; give the ARN of an account (…:root), user or role: arn:aws:iam::<account>:role/<name>',
    ],
  },
  {
    title: "one identity in both lists of ECR",
    config: {
      target: "ecr",
      ecr: { repositories: ["app"], readers: ["arn:aws:iam::123456789012:root"], writers: ["arn:aws:iam::123456789012:root"] },
    },
    problems: ["ecr.readers[0]: is in ecr.writers too, who may pull as well; remove it here"],
  },
  {
    title: "exceptions without a rule for tags in ECR",
    config: {
      target: "ecr",
      ecr: { repositories: ["app"], immutableTags: false, mutableTags: ["*a*b*", "b", "c", "d", "e", "f"] },
    },
    problems: [
      "ecr.mutableTags: are exceptions of ecr.immutableTags, which is false; remove one of them",
      'ecr.mutableTags[0]: "*a*b*" is not allowed; give a tag such as latest, or a pattern with two * at most',
      "ecr.mutableTags: has more than the 5 exceptions that Amazon allows",
    ],
  },
  {
    title: "a schedule for Amazon, and a rule tried out",
    config: {
      target: "ecr",
      ecr: { repositories: ["app", "team-a/*"] },
      garbageCollection: { schedule: "0 3 * * *", timeZone: "Europe/Berlin", retention: [{ keepNewest: 5 }] },
    },
    problems: [
      "garbageCollection.schedule: has no meaning for target ecr: Amazon collects by itself, within a day",
      "garbageCollection.timeZone: has no meaning for target ecr: Amazon collects by itself, within a day",
      "garbageCollection.retentionDryRun: must be false for target ecr: Amazon applies rules at once; try them in its console first",
    ],
  },
  {
    title: "rules that Amazon can't follow",
    config: {
      target: "ecr",
      ecr: { repositories: ["app", "team-a/*"] },
      garbageCollection: {
        retentionDryRun: false,
        retention: [
          { keepNewest: 5, keepDays: 30 },
          { keepTags: ["v*"] },
          {},
          { repositories: ["team-a/app", "other"], keepNewest: 5, keepTags: ["*a*b*c*d*", "a/b"] },
          { repositories: [], keepNewest: 0, keepDays: 1.5 },
        ],
      },
    },
    problems: [
      "garbageCollection.retention[2]: would delete every tag; give keepNewest, keepDays or keepTags",
      'garbageCollection.retention[3].keepTags[1]: "a/b" is not allowed; give a tag, with * for any letters',
      "garbageCollection.retention[4].repositories: is empty; name repositories, or leave it out for all",
      "garbageCollection.retention[4].keepNewest: 0 is not allowed; give a whole number of 1 or more",
      "garbageCollection.retention[4].keepDays: 1.5 is not allowed; give a whole number from 1 to 36500",
      "garbageCollection.retention[0].keepDays: can't be combined with garbageCollection.retention[0].keepNewest for target ecr: Amazon deletes what either names; give one of them",
      "garbageCollection.retention[1].keepTags: needs keepNewest or keepDays beside it for target ecr: Amazon deletes by number or by age",
      'garbageCollection.retention[3]: keeps tags by "*a*b*c*d*", and Amazon allows four * in a pattern',
      'garbageCollection.retention[3].repositories[0]: "team-a/app" names a part of "team-a/*" in ecr.repositories; list it there too',
      'garbageCollection.retention[3].repositories[1]: "other" names none of ecr.repositories',
      "garbageCollection.retention[4].keepDays: can't be combined with garbageCollection.retention[4].keepNewest for target ecr: Amazon deletes what either names; give one of them",
    ],
  },
  {
    title: "tags to keep, and a try, without a rule",
    config: {
      target: "ecr",
      ecr: { repositories: ["app", "team-a/*"] },
      garbageCollection: { alwaysKeepTags: ["latest"], retentionDryRun: false },
    },
    problems: [
      "garbageCollection.alwaysKeepTags: needs garbageCollection.retention; without rules no tag is deleted",
      "garbageCollection.retentionDryRun: needs garbageCollection.retention; without rules no tag is deleted",
    ],
  },
  {
    title: "Docker Hub without a login for ECR, and a time to keep",
    config: { target: "ecr", ecr: { repositories: ["app"] }, mirror: { ttl: "24h" } },
    problems: [
      "mirror.ttl: can't be chosen: Amazon keeps what it fetched, and looks for newer images once a day",
      "mirror.username: is missing; Amazon fetches from registry-1.docker.io with a login only",
    ],
  },
  {
    title: "an upstream that Amazon does not know",
    config: { target: "ecr", ecr: { repositories: ["app"] }, mirror: { upstream: "https://registry.example.com" } },
    problems: [
      "mirror.upstream: Amazon can't fetch from registry.example.com; it can from registry-1.docker.io, public.ecr.aws, registry.k8s.io, quay.io, ghcr.io, registry.gitlab.com, cgr.dev, *.azurecr.io",
    ],
  },
  {
    title: "an upstream with a path",
    config: { target: "ecr", ecr: { repositories: ["app"] }, mirror: { upstream: "https://quay.io/team" } },
    problems: ['mirror.upstream: "https://quay.io/team" is not allowed; give a URL such as https://quay.io, without path'],
  },
  {
    title: "names and a tag that Amazon does not take, and an upstream that is none",
    config: {
      target: "ecr",
      ecr: { repositories: ["team--a/app", "team__b/*"], mirrorPrefix: "m".repeat(31), tags: { "aws:team": "a" } },
      mirror: { upstream: "https://quay.1" },
    },
    problems: [
      'ecr.repositories[0]: "team--a/app" is not allowed; give 2 to 256 characters, such as team-a/app, or a prefix such as team-a/*',
      'ecr.repositories[1]: "team__b/*" is not allowed; give 2 to 256 characters, such as team-a/app, or a prefix such as team-a/*',
      `ecr.mirrorPrefix: "${"m".repeat(31)}" is not allowed; give 2 to 30 characters`,
      'ecr.tags.aws:team: "a" is not allowed; use letters, digits, spaces and _.:/=+-@ (128 in the name, 256 in the value, no "aws:" first)',
      'mirror.upstream: "https://quay.1" is not allowed; give a URL such as https://quay.io, without path',
    ],
  },
  {
    title: "a login that Amazon does not use",
    config: {
      target: "ecr",
      ecr: { repositories: ["app"] },
      mirror: { upstream: "https://quay.io", username: "us", password: "MARKER" },
    },
    problems: ["mirror.username: is not used: Amazon fetches from quay.io without a login"],
  },
  {
    title: "half a login for Amazon at the upstream",
    config: { target: "ecr", ecr: { repositories: ["app"] }, mirror: { username: "us" } },
    problems: ["mirror.password: is missing; it belongs to mirror.username"],
  },
  {
    title: "keys of a mirror on a Docker host, and an empty login",
    config: {
      target: "ecr",
      ecr: { repositories: ["app"] },
      mirror: { port: 5001, caCertificates: "ca.crt", metrics: {}, ui: true, username: "", password: "" },
    },
    problems: [
      "mirror.port: has no meaning for a mirror that Amazon runs",
      "mirror.caCertificates: has no meaning for a mirror that Amazon runs",
      "mirror.metrics: has no meaning for a mirror that Amazon runs",
      "mirror.ui: has no meaning for a mirror that Amazon runs",
      "mirror.username: is empty; leave both out to ask the upstream without a login",
    ],
  },
  {
    title: "images for repositories that are not made",
    config: {
      target: "ecr",
      ecr: { repositories: ["app", "team-a/*"] },
      builds: [
        { name: "app", context: "server" },
        { name: "team-a/app", context: "server" },
        { name: "team-b/app", context: "server" },
      ],
    },
    problems: ['builds[2].name: "team-b/app" is not in ecr.repositories; add it there'],
  },
  {
    title: "a repository where the mirror is",
    config: { target: "ecr", ecr: { repositories: ["quay/app"] }, mirror: { upstream: "https://quay.io" } },
    problems: ['ecr.repositories: has names below "quay", where the mirror keeps its images; choose another ecr.mirrorPrefix'],
  },
  {
    title: "a mirror's prefix without a mirror",
    config: { target: "ecr", ecr: { repositories: ["app"], mirrorPrefix: "Hub" } },
    problems: [
      "ecr.mirrorPrefix: needs mirror",
      'ecr.mirrorPrefix: "Hub" is not allowed; give the first part of a repository\'s name',
    ],
  },
];
