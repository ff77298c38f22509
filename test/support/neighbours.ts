import { timeZones } from "../../components/checks/garbageCollection/timeZones";

/*
 * What test/integration/settings.test.ts asks both the package and its server about: for each key that reaches the server's file, values
 * on both sides of each limit. The test reports a key without values, and one that isn't in the schema.
 */

/** Good settings. The test replaces one value of them at a time. */
export const good = {
  externalUrl: "https://registry.example.com",
  trustedProxies: ["10.0.0.1"],
  foreignLayerHosts: ["layers.example.com"],
  cors: { allowedOrigins: ["https://ui.example.com"] },
  authentication: {},
  logs: {},
  garbageCollection: {
    schedule: "0 3 * * *",
    retention: [{ repositories: ["team-a/*"], keepNewest: 5, keepTags: ["v*"] }],
    alwaysKeepTags: ["latest"],
  },
  notifications: [{ name: "hook", url: "https://hook.example.com/", actions: ["push"], repositories: ["team-a/*"] }],
  mirror: { upstream: "https://quay.io", username: "u", password: "p", ttl: "168h", maxSize: "20GB" },
};

/** Keys that the server's file does not have, and who decides about them. */
export const notInFile: Record<string, string> = {
  hostname: "clients and the certificate",
  port: "Docker",
  bindAddress: "Docker",
  allowInsecure: "the package",
  tls: "`certificates.test.ts`, and `registry check-certificate`",
  users: "a file of its own",
  anonymousPull: "the file of users",
  storage: "a test of its own",
  image: "Docker",
  hosts: "Docker",
  resources: "Docker",
  metrics: "Docker",
  "mirror.port": "Docker",
  "mirror.metrics": "Docker",
  "mirror.caCertificates": "a file of its own",
  lab: "Pulumi",
};

/** What only the package refuses, each with the reason why the server does not. */
export const onlyHere: Record<string, string> = {
  externalUrl: "the server takes a path, which names of images can't have",
  trustedProxies: "one that is named twice does no harm",
  "trustedProxies[]": "the server takes an IPv4 address in an IPv6 one for the former",
  foreignLayerHosts: "the package makes an expression of it, which the server takes for what it is",
  "foreignLayerHosts[]": "the package makes an expression of it, which the server takes for what it is",
  "cors.allowedOrigins": "browsers say what an origin is",
  "cors.allowedOrigins[]": "browsers say what an origin is",
  "cors.allowCredentials": "browsers refuse it with *",
  "cors.maxAgeSeconds": "browsers have the limit",
  "logs.audit": "the file has a folder, or none",
  "authentication.cacheSeconds": "the server has no upper limit",
  "authentication.cacheSize": "to the server 0 is its default, and there is no upper limit",
  "authentication.failedLogins": "the server has no upper limit",
  "authentication.failedLoginsWindowSeconds": "the server has no upper limit",
  "garbageCollection.retention[].repositories": "to the server an empty list is none",
  "garbageCollection.retention[].repositories[]": "no repository has the name",
  "garbageCollection.retention[].keepDays": "the server has no upper limit",
  "garbageCollection.retention[].keepNewest": "the number would not be told from the next",
  "garbageCollection.retention[].keepTags[]": "no tag has the name",
  "garbageCollection.alwaysKeepTags[]": "no tag has the name",
  "garbageCollection.alwaysKeepTags": "nothing is deleted without rules",
  "garbageCollection.retentionDryRun": "nothing is deleted without rules",
  "notifications[].url": "its client would refuse the host or the letters when there is something to tell",
  "mirror.upstream": "the server takes a path, and what its client tidies",
  "mirror.username": "an upstream would refuse it",
  "mirror.password": "an upstream would refuse it",
  "mirror.ttl": "the server takes none, and any unit of Go",
  "mirror.maxSize": "the file has a number of bytes",
  "notifications[].actions": "to the server an empty list is none",
  "notifications[].repositories": "to the server an empty list is none",
  "notifications[].repositories[]": "no repository has the name",
};

/** Texts for the items of lists, among them some that a reader of YAML 1.1 takes for numbers or other types. */
const words = [
  "",
  " ",
  "a",
  "A",
  "1",
  "1e3",
  "0x1f",
  "0b1",
  "1_0",
  "y",
  "no",
  "null",
  "~",
  "true",
  "2024-01-02",
  "*",
  "a\nb",
  "é",
];

const urls = [
  ...["https://x/\\y", "https://x:/", "HTTPS://x/", "ftp://x/", "https://", "https://u@x/", "https://x/?a=%zz", "https://x/%zz"],
  ...[
    "https://x/#%41",
    "https://[::1]/",
    "https://[::ffff:1.2.3.4]:80/",
    "https://x:0/",
    "https://x:65536/",
    "https://é.example/",
  ],
  ...["https://x/é\u2028", "https://x/\u0085", "https://x//a b", "https://x?y", "https://x:80", "https://a..b/", "https://-a/"],
  ...[
    "https://a_b/",
    "https://256.1.1.1/",
    "https://0x7f.1/",
    "https://[1:2]/",
    "https://[::1:]:80/",
    "https://x/<b>",
    "https://x/[",
  ],
  ...[
    "https://quay.io:8443/",
    "https://quay.io:abc",
    "https://quay.io\\team",
    "https://quay{1}.io",
    "https://quay%2eio",
    "quay.io",
  ],
];

const numbers = [-1, 0, 0.5, 1, 2, 86_400, 86_401, 1_000_000, 1_000_001, 9_223_372_037, 2 ** 53 - 1, 2 ** 53];

const repositories = [...words, "a.b", "a..b", "a/*", "a/b/*", "*/a", "1.0", "1.5/*", "-a", "a".repeat(300)];

const tags = [...words, "v*", "**", "-a", "v1.*", "[", "\\", "a".repeat(128), "a".repeat(129)];

/** Names of headers: those that describe the request itself, and their neighbours. */
const headers = [
  ...[
    "Host",
    "host",
    "Content-Type",
    "content-length",
    "Content-",
    "Transfer-Encoding",
    "Connection",
    "Expect",
    "Upgrade",
    "Trailer",
  ],
  ...["TE", "te", "Hosts", "X-Host", "Content", "Keep-Alive", "Proxy-Connection", "User-Agent", "Connections", "Tea", "Trailers"],
  ...["Authorization", "X Y", "", "a:b", "ä", "1e3", "0x1F", "null", "~", "yes", "!#$%&'*+.^_`|~-"],
];

/** Lines that look like a PEM file but are not a certificate. */
const noCertificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/** Values to try a key with, in place of the good one; booleans need none. */
export const neighbours: Record<string, readonly unknown[]> = {
  externalUrl: [
    ...["https://r.example.com", "https://r.example.com/", "https://r.example.com/x", "https://R.example.com:443", "http://r"],
    ...[
      "https://r.example.com:0",
      "https://[::1]:5",
      "https://r.example.com?x",
      "https://r",
      "https://1.2.3.4",
      "HTTPS://r.example",
    ],
    ...["https://r.example.com:", "https://é.example", "https://r_x.example", "https://r.example.com.", "r.example.com", ""],
  ],
  "trustedProxies[]": [
    ...[
      "10.0.0.1/8",
      "10.0.0.0/8",
      "::1",
      "fe80::/10",
      "10.0.0.0/0",
      "::/1",
      "1.2.3.4/32",
      "::ffff:1.2.3.4",
      "2001:DB8::/32",
      "",
    ],
    ...[
      "2001:db8::1/32",
      "64:ff9b::1.2.3.4",
      "10.0.0.0/08",
      "10.0.0.0/33",
      "::ffff:0:0/90",
      "::1/128",
      "::/96",
      "0::0/3",
      "fe80::1%a",
    ],
    ...["::/129", "10.0.0.1/-1", "10.0.0.1/", "proxy", "010.0.0.1", "1.2.3"],
  ],
  "foreignLayerHosts[]": ["*", "*.a", "a:8443", "[::1]:80", "a_b", "1.2.3.4", "(", "a/x", "", "A.Example", "a.example.", "a:0"],
  "cors.allowedOrigins[]": [
    "*",
    "null",
    "http://[::1]:3000",
    "https://xn--e1afmkfd.example",
    "https://a/",
    "https://a:443",
    "",
    "~",
  ],
  "cors.maxAgeSeconds": numbers,
  "authentication.cacheSeconds": numbers,
  "authentication.cacheSize": numbers,
  "authentication.failedLogins": numbers,
  "authentication.failedLoginsWindowSeconds": numbers,
  "logs.format": ["text", "json", "xml"],
  "logs.audit": ["off", "writes", "all", "some"],
  "garbageCollection.schedule": ["0 3 * * *", "0 3 31 2 *", "@daily", "TZ=UTC 0 3 * * *", "60 3 * * *", "0 3 * * 7", ""],
  "garbageCollection.timeZone": [
    ...timeZones,
    ...[...timeZones].flatMap((zone) => [zone.toLowerCase(), zone.toUpperCase()]),
    ...["Local", "Berlin", "US/Pacific-New", "Canada/East-Saskatchewan", "SystemV/EST5", "ACT", "IST", "PST", "VST", "UTC+1"],
    ...["../etc/passwd", "/UTC", "UTC ", "+02:00", "Etc/Unknown"],
  ],
  "garbageCollection.retention[].repositories[]": repositories,
  "garbageCollection.retention[].keepNewest": numbers,
  "garbageCollection.retention[].keepDays": [...numbers, 36_500, 36_501],
  "garbageCollection.retention[].keepTags[]": tags,
  "garbageCollection.alwaysKeepTags[]": tags,
  "notifications[].name": [...words, "a-", "-a", "1-2", "a_b", "a".repeat(63), "a".repeat(64)],
  "notifications[].url": urls,
  "notifications[].headers": [
    ...headers.map((header) => ({ [header]: "x" })),
    ...[...words, "\t", "\u007f", "=", "&x *y", "Bearer a.b-c"].map((value) => ({ "X-A": value })),
    { "X-A": "1", "X-B": "2" },
  ],
  "notifications[].actions[]": ["push", "delete", "pull"],
  "notifications[].repositories[]": repositories,
  "notifications[].caCertificates": ["", "ca.pem", noCertificate],
  "mirror.upstream": [...urls, "https://quay.io", "http://my_registry:5000", "https://[::1]:5000", "https://bücher.example"],
  "mirror.username": words,
  "mirror.password": words,
  "mirror.ttl": ["168h", "1h30m", "0.5s", "1h1h", "2562047h", "2562048h", "9999999h", "168", "7d", "-1h", "0s", "1ms"],
  "mirror.maxSize": ["1MB", "999999TB", "5GB", "01GB", "0GB", "1KB", "1.5GB", "GB", "1000000TB"],
};
