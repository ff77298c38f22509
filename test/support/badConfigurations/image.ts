import { BadConfiguration } from "./badConfiguration";

export const badImage: BadConfiguration[] = [
  {
    title: "an image by tag",
    config: { image: "registry:3" },
    problems: ['image: "registry:3" is not allowed; use bundled, or a reference pinned by digest: name@sha256:<64 hex digits>'],
  },
  {
    title: "an image by URL",
    config: { image: `https://ghcr.io/x@sha256:${"0".repeat(64)}` },
    problems: [
      'image: "https://ghcr.io/x@sha256:0000000000000000000000000000000000000000000000000000000000000000" is not allowed; use bundled, or a reference pinned by digest: name@sha256:<64 hex digits>',
    ],
  },
  {
    title: "a short digest",
    config: { image: "registry@sha256:0123" },
    problems: [
      'image: "registry@sha256:0123" is not allowed; use bundled, or a reference pinned by digest: name@sha256:<64 hex digits>',
    ],
  },
  {
    title: "the stock engine with what only the bundled server has",
    config: {
      image: `registry@sha256:${"0".repeat(64)}`,
      anonymousPull: true,
      authentication: { cacheSize: 1 },
      users: [{ name: "a", access: "pull", repositories: ["x"] }],
      ui: true,
      storage: {
        driver: "swift",
        swift: { authUrl: "https://keystone:5000/v3", username: "u", password: "p", container: "images" },
      },
    },
    problems: [
      "anonymousPull: is a feature of the bundled server; the stock registry has one password and full access for every user. Use image bundled",
      "authentication: is a feature of the bundled server; the stock registry has one password and full access for every user. Use image bundled",
      "users[0].access: is a feature of the bundled server; the stock registry has one password and full access for every user. Use image bundled",
      "users[0].repositories: is a feature of the bundled server; the stock registry has one password and full access for every user. Use image bundled",
      "ui: is a feature of the bundled server; the stock registry has no page. Use image bundled",
      'storage.driver: "swift" is a driver of the bundled server only; use image bundled',
    ],
  },
];
