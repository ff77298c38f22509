import { BadConfiguration } from "./badConfiguration";

export const badBuilds: BadConfiguration[] = [
  {
    title: "images for a registry that takes no pushes",
    config: { readOnly: true, builds: [{ name: "app", context: "server" }] },
    problems: ["builds: cannot be pushed while readOnly is true; remove one of them"],
  },
  {
    title: "images that the first user may not push",
    config: {
      users: [{ name: "team-a", repositories: ["team-a/*"] }, { name: "admin" }],
      builds: [
        { name: "team-a/app", context: "server" },
        { name: "team-b/app", context: "server" },
      ],
    },
    problems: ['builds[1].name: "team-b/app" is pushed by users[0], who may not; put a user first who may push there'],
  },
  {
    title: "tags that YAML reads as other texts",
    config: { builds: [{ name: "app", context: "server", tags: [1.1, 20241129160734124, 42] }] },
    problems: [
      "builds[0].tags[0]: 1.1 is a number, and may not be what was written; put it in quotes in the stack's file",
      "builds[0].tags[1]: 20241129160734124 is a number, and may not be what was written; put it in quotes in the stack's file",
    ],
  },
  {
    title: "images that cannot be built",
    config: {
      builds: [
        { name: "Base", context: "server" },
        { context: "missing", colour: "red" },
        { name: "app", context: "server", from: "base", tags: ["a b"] },
      ],
    },
    problems: [
      "builds[1].colour: unknown key; known are name, context, dockerfile, buildArgs, platform, tags, from",
      "builds[1].name: is missing",
      'builds[0].name: "Base" is not allowed; give a repository such as team-a/app, without registry and tag',
      `builds[1].context: "missing" is not a folder that can be read here (${process.cwd()}): no such file or directory; give one, or a Git URL such as https://example.com/app.git#main`,
      'builds[2].from: "base" would not be used: server/Dockerfile has no "ARG BASE"; begin it with ARG BASE and FROM ${BASE}',
      'builds[2].tags[0]: "a b" is not allowed; use letters, digits and ._- (128 at most)',
      'builds[2].from: "base" is not another image of this list; choose Base',
    ],
  },
];
