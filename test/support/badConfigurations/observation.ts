import { BadConfiguration } from "./badConfiguration";

export const badObservation: BadConfiguration[] = [
  {
    title: "a format of no log",
    config: { logs: { format: "xml" } },
    problems: ['logs.format: "xml" is not allowed; choose text, json'],
  },
  {
    title: "an audit of unknown breadth",
    config: { logs: { audit: "some" } },
    problems: ['logs.audit: "some" is not allowed; choose off, writes, all'],
  },
  {
    title: "an audit of the stock registry",
    config: { logs: { audit: "writes", format: "json" }, image: `registry@sha256:${"0".repeat(64)}` },
    problems: [
      "logs.audit: is a feature of the bundled server; the stock registry's log does not say which tag was moved. Use image bundled",
    ],
  },
  {
    title: "an endpoint at a name that is none in URLs",
    config: { notifications: [{ name: "a", url: "http://hook.1/" }] },
    problems: [
      "notifications[0].url: this value (not shown) is not allowed; give a URL with http:// or https://, a password goes into headers",
    ],
  },
  {
    title: "an endpoint at a path that stands for nothing",
    config: { notifications: [{ name: "a", url: "https://hook.example.com/%zz?of=100%" }] },
    problems: [
      "notifications[0].url: this value (not shown) is not allowed; give a URL with http:// or https://, a password goes into headers",
    ],
  },
  {
    title: "endpoints that nobody can be told by",
    config: {
      notifications: [
        { name: "A", url: "ftp://user:hunter2@example.com" },
        { name: "a", url: "http://example.com/", headers: { Authorization: "hunter2" } },
        {
          name: "a",
          url: "https://example.com/",
          headers: { Host: "x", "X Y": "a\nhunter2" },
          actions: ["pull"],
          repositories: ["*a"],
        },
        { name: "c", url: "https://example.com/", actions: [], repositories: [], caCertificates: "hunter2" },
      ],
    },
    problems: [
      'notifications[0].name: "A" is not allowed; give small letters, digits and hyphens, 63 at most, no hyphen first',
      "notifications[0].url: this value (not shown) is not allowed; give a URL with http:// or https://, a password goes into headers",
      "notifications[1].url: would have the headers sent in clear; use https://, or set allowInsecure to true",
      "notifications[2].headers.Host: is set by the server itself",
      "notifications[2].headers.X Y: is not the name of a header; give letters, digits and hyphens",
      "notifications[2].headers.X Y: must have ASCII characters in one line, and not be empty",
      'notifications[2].actions[0]: "pull" is not allowed; choose push, delete',
      'notifications[2].repositories[0]: "*a" is not allowed; give a repository such as team-a/app, a prefix such as team-a/*, or *',
      "notifications[3].actions: is empty; name push or delete, or leave it out for both",
      "notifications[3].repositories: is empty; name repositories, or leave it out for all",
      "notifications[3].caCertificates: has no PEM certificate; give the CA of the endpoint, `-----BEGIN CERTIFICATE-----` first",
      'notifications[2]: "a" is in the list already',
    ],
  },
  {
    title: "an endpoint without a name, and one of the stock registry",
    config: { notifications: [{ url: "https://example.com/" }], image: `registry@sha256:${"0".repeat(64)}` },
    problems: [
      "notifications[0].name: is missing",
      "notifications: are a feature of the bundled server; the stock registry forgets events when it stops. Use image bundled",
    ],
  },
  {
    title: "metrics on the ports of others",
    config: { port: 5002, metrics: {}, mirror: { port: 5003, metrics: {} } },
    problems: [
      "mirror.metrics.port: 5003 is the mirror's port; choose another one",
      "metrics.port: 5002 is the registry's own port; choose another one",
    ],
  },
  {
    title: "metrics where nobody can come",
    config: { metrics: { port: 70000, bindAddress: "eth0" }, mirror: { metrics: { port: 0, bindAddress: "[::1]" } } },
    problems: [
      "mirror.metrics.port: 0 is not allowed; give a whole number from 1 to 65535",
      'mirror.metrics.bindAddress: "[::1]" is not allowed; give an IP address of the Docker host, 127.0.0.1, or 0.0.0.0 for all',
      "metrics.port: 70000 is not allowed; give a whole number from 1 to 65535",
      'metrics.bindAddress: "eth0" is not allowed; give an IP address of the Docker host, 127.0.0.1, or 0.0.0.0 for all',
    ],
  },
  {
    title: "metrics of the stock registry",
    config: { image: `registry@sha256:${"a".repeat(64)}`, metrics: {} },
    problems: [
      "metrics: is for the bundled server; where the stock registry has its metrics, it shows its whole configuration, passwords too. Use image bundled",
    ],
  },
];
