import { X509Certificate } from "crypto";
import { badManagedConfigurations } from "./badManagedConfigurations";
import { KeyPair, makePki } from "./pki";

/** A configuration that is refused. */
export interface BadConfiguration {
  title: string;
  /** Values by key, as `pulumi config` holds them. */
  config: Record<string, unknown>;
  /** Every line of the error, `key: message`. */
  problems: string[];
}

const pki = makePki(["registry.example.com"]);
const start = ({ certificate }: KeyPair): string => new Date(new X509Certificate(certificate).validFrom).toISOString();
const end = ({ certificate }: KeyPair): string => new Date(new X509Certificate(certificate).validTo).toISOString();

const far = { hostname: "registry.example.com" };
const provided = { mode: "provided", certificate: pki.server.certificate, privateKey: pki.server.privateKey };
const s3 = { bucket: "images", region: "eu-central-1" };
const azure = { accountName: "account", container: "images" };
const swift = { authUrl: "https://keystone:5000/v3", username: "u", password: "p", container: "images" };
const oss = { bucket: "images", region: "cn-hangzhou" };
const storage = (driver: string, options: object): Record<string, unknown> => ({ storage: { driver, [driver]: options } });

export const badConfigurations: BadConfiguration[] = [
  {
    title: "an unknown target",
    config: { target: "kubernetes" },
    problems: ['target: "kubernetes" is not allowed; choose single-node, swarm, ecr, acr, artifact-registry, external'],
  },
  {
    title: "a mistyped key",
    config: { prot: 5000 },
    problems: ["prot: unknown key; did you mean port?"],
  },
  {
    title: "the former name of a key",
    config: { images: [{ name: "app", context: "server" }] },
    problems: ["images: is called builds now; the output is images as before"],
  },
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
      "notifications[2].headers.X Y: is no name of a header; give letters, digits and hyphens",
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
    title: "an audit of the stock registry",
    config: { logs: { audit: "writes", format: "json" }, image: `registry@sha256:${"0".repeat(64)}` },
    problems: [
      "logs.audit: is a feature of the bundled server; the stock registry's log does not say which tag was moved. Use image bundled",
    ],
  },
  {
    title: "a key that resembles none",
    config: { colour: "red" },
    problems: [
      "colour: unknown key; known are target, builds, hostname, port, externalUrl, trustedProxies, bindAddress, allowInsecure, tls, users, anonymousPull, authentication, cors, storage, image, readOnly, foreignLayerHosts, ui, garbageCollection, mirror, metrics, notifications, logs, hosts, resources, lab",
    ],
  },
  {
    title: "a URL as host name",
    config: { hostname: "https://registry.example.com" },
    problems: [
      'hostname: "https://registry.example.com" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
    ],
  },
  {
    title: "an external URL with a path",
    config: { externalUrl: "https://example.com/registry" },
    problems: [
      'externalUrl: "https://example.com/registry" is not allowed; give the URL that clients use, as https://registry.example.com, without user and path',
    ],
  },
  {
    title: "an external URL with a port that no server has",
    config: { externalUrl: "https://registry.example.com:99999" },
    problems: [
      'externalUrl: "https://registry.example.com:99999" is not allowed; give the URL that clients use, as https://registry.example.com, without user and path',
    ],
  },
  {
    title: "an external URL by which passwords go in clear",
    config: { externalUrl: "http://registry.example.com" },
    problems: [
      'externalUrl: "http://registry.example.com" would have clients send passwords in clear; use https://, or set allowInsecure to true if you accept the risk',
    ],
  },
  {
    title: "proxies that are no addresses, everybody, and the same one twice",
    config: {
      trustedProxies: [
        "nginx",
        "10.0.0.0/33",
        "::/0",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "2001:db8::/32",
        "10.0.0.1",
        "10.0.0.1",
      ],
    },
    problems: [
      ...["nginx", "10.0.0.0/33", "::/0", "fe80::1%eth0", "::ffff:10.0.0.1"].map(
        (proxy, index) =>
          `trustedProxies[${index}]: "${proxy}" is not allowed; give the IP address of a proxy, or a range as 10.0.0.0/8`,
      ),
      'trustedProxies[7]: "10.0.0.1" is in the list already',
    ],
  },
  {
    title: "proxies of the stock registry",
    config: { trustedProxies: ["10.0.0.1"], image: `registry@sha256:${"0".repeat(64)}` },
    problems: [
      "trustedProxies: is a feature of the bundled server; the stock registry has no limits by address. Use image bundled",
    ],
  },
  {
    title: "hosts of layers that are none, and the same one twice",
    config: {
      foreignLayerHosts: [
        "https://example.com",
        "example.com/layers",
        "*.example.com",
        "a:0",
        "[::1",
        "[::1]:443",
        "a:443",
        "a:443",
      ],
    },
    problems: [
      ...["https://example.com", "example.com/layers", "*.example.com", "a:0", "[::1"].map(
        (host, index) =>
          `foreignLayerHosts[${index}]: "${host}" is not allowed; give a DNS name or IP address, with a port if it is not 443, or * for all`,
      ),
      'foreignLayerHosts[7]: "a:443" is in the list already',
    ],
  },
  {
    title: "a host name with a port",
    config: { hostname: "registry:5000" },
    problems: [
      'hostname: "registry:5000" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
    ],
  },
  {
    title: "a host name with an underscore",
    config: { hostname: "my_registry" },
    problems: [
      'hostname: "my_registry" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
    ],
  },
  {
    title: "no host name",
    config: { hostname: "" },
    problems: ['hostname: "" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path'],
  },
  {
    title: "every interface as host name",
    config: { hostname: "0.0.0.0" },
    problems: [
      'hostname: "0.0.0.0" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
    ],
  },
  {
    title: "an address with a zone",
    config: { hostname: "fe80::1%eth0" },
    problems: [
      'hostname: "fe80::1%eth0" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
    ],
  },
  {
    title: "a list of host names",
    config: { hostname: ["a", "b"] },
    problems: ["hostname: a list is not allowed; give a text"],
  },
  {
    title: "port 0",
    config: { port: 0 },
    problems: ["port: 0 is not allowed; give a whole number from 1 to 65535"],
  },
  {
    title: "a port above 65535",
    config: { port: 70000 },
    problems: ["port: 70000 is not allowed; give a whole number from 1 to 65535"],
  },
  {
    title: "half a port",
    config: { port: 5000.5 },
    problems: ["port: 5000.5 is not allowed; give a whole number from 1 to 65535"],
  },
  {
    title: "a port by name",
    config: { port: "https" },
    problems: ['port: "https" is not allowed; give a number'],
  },
  {
    title: "an interface's name to bind to",
    config: { bindAddress: "eth0" },
    problems: ['bindAddress: "eth0" is not allowed; give an IP address of the Docker host, 127.0.0.1, or 0.0.0.0 for all'],
  },
  {
    title: "a host name to bind to",
    config: { bindAddress: "localhost" },
    problems: ['bindAddress: "localhost" is not allowed; give an IP address of the Docker host, 127.0.0.1, or 0.0.0.0 for all'],
  },
  {
    title: "yes for true",
    config: { allowInsecure: "yes" },
    problems: ['allowInsecure: "yes" is not allowed; give true or false'],
  },
  {
    title: "a text for tls",
    config: { tls: "off" },
    problems: [
      "tls: a text is not allowed; give its parts mode, certificate, privateKey, chain, validityDays, renewBeforeDays, generation, caGeneration, keepPreviousCa with pulumi config set --path 'tls.<part>'",
    ],
  },
  {
    title: "an unknown mode",
    config: { tls: { mode: "letsencrypt" } },
    problems: ['tls.mode: "letsencrypt" is not allowed; choose self-signed, provided, off'],
  },
  {
    title: "a mistyped key of tls",
    config: { tls: { validitydays: 90 } },
    problems: ["tls.validitydays: unknown key; did you mean validityDays?"],
  },
  {
    title: "no day of validity",
    config: { tls: { validityDays: 0 } },
    problems: ["tls.validityDays: 0 is not allowed; give a whole number from 1 to 3649"],
  },
  {
    title: "more validity than the CA",
    config: { tls: { validityDays: 3650 } },
    problems: ["tls.validityDays: 3650 is not allowed; give a whole number from 1 to 3649"],
  },
  {
    title: "validity in words",
    config: { tls: { validityDays: "a year" } },
    problems: ['tls.validityDays: "a year" is not allowed; give a number'],
  },
  {
    title: "renewal before the beginning",
    config: { tls: { validityDays: 10, renewBeforeDays: 10 } },
    problems: ["tls.renewBeforeDays: 10 is not allowed; give a whole number from 0 to one less than tls.validityDays (10)"],
  },
  {
    title: "generation 0",
    config: { tls: { generation: 0 } },
    problems: ["tls.generation: 0 is not allowed; give a whole number of 1 or more"],
  },
  {
    title: "half a generation",
    config: { tls: { caGeneration: 1.5 } },
    problems: ["tls.caGeneration: 1.5 is not allowed; give a whole number of 1 or more"],
  },
  {
    title: "a previous CA before there was one",
    config: { tls: { keepPreviousCa: true } },
    problems: ["tls.keepPreviousCa: needs tls.caGeneration 2 or more; there is no CA before the first"],
  },
  {
    title: "a certificate for mode self-signed",
    config: { tls: { certificate: pki.server.certificate } },
    problems: ['tls.certificate: belongs to tls.mode "provided", and tls.mode is "self-signed"; remove it or change the mode'],
  },
  {
    title: "validity for mode off",
    config: { tls: { mode: "off", validityDays: 90 } },
    problems: ['tls.validityDays: belongs to tls.mode "self-signed", and tls.mode is "off"; remove it or change the mode'],
  },
  {
    title: "a provided certificate without anything",
    config: { tls: { mode: "provided" } },
    problems: [
      'tls.certificate: is missing; tls.mode "provided" needs it as PEM text',
      'tls.privateKey: is missing; tls.mode "provided" needs it as PEM text',
    ],
  },
  {
    title: "file names for a certificate",
    config: { tls: { mode: "provided", certificate: "server.crt", privateKey: "server.key" } },
    problems: ["tls.certificate: not a PEM certificate; give the server's certificate, `-----BEGIN CERTIFICATE-----` first"],
  },
  {
    title: "a certificate for another host",
    config: { ...far, tls: { mode: "provided", certificate: pki.other.certificate, privateKey: pki.other.privateKey } },
    problems: ['tls.certificate: does not cover hostname "registry.example.com"; it is for DNS:other.example.com'],
  },
  {
    title: "an expired certificate",
    config: { ...far, tls: { mode: "provided", certificate: pki.expired.certificate, privateKey: pki.expired.privateKey } },
    problems: [`tls.certificate: "CN=expired" expired on ${end(pki.expired)}; give one that is valid`],
  },
  {
    title: "a certificate from the future",
    config: { ...far, tls: { mode: "provided", certificate: pki.early.certificate, privateKey: pki.early.privateKey } },
    problems: [`tls.certificate: "CN=early" is not valid before ${start(pki.early)}; give one that is valid now`],
  },
  {
    title: "another's key",
    config: { ...far, tls: { ...provided, privateKey: pki.other.privateKey } },
    problems: ["tls.privateKey: does not belong to tls.certificate; give the key the certificate was made for"],
  },
  {
    title: "a key under a passphrase",
    config: { ...far, tls: { ...provided, privateKey: pki.encryptedKey } },
    problems: ["tls.privateKey: not a PEM private key without a passphrase; decrypt it first, e.g. with `openssl pkey`"],
  },
  {
    title: "a chain in the wrong order",
    config: { ...far, tls: { ...provided, chain: pki.root.certificate + pki.intermediate.certificate } },
    problems: [
      'tls.chain: has "CN=Test Root", which did not sign it, after "CN=server"; its issuer "CN=Test Intermediate" must come next',
    ],
  },
  {
    title: "a chain that is none",
    config: { ...far, tls: { ...provided, chain: "chain.pem" } },
    problems: ["tls.chain: not PEM; give the intermediate certificates, nearest to the server's first, or leave it out"],
  },
  {
    title: "plain HTTP beyond loopback",
    config: { ...far, tls: { mode: "off" } },
    problems: [
      'tls.mode: "off" is accepted on loopback addresses only, and registry.example.com:5000 is not one; choose another mode, use 127.0.0.1 and localhost, or set allowInsecure to true if you accept the risk',
    ],
  },
  {
    title: "plain HTTP on every interface",
    config: { bindAddress: "0.0.0.0", tls: { mode: "off" } },
    problems: [
      'tls.mode: "off" is accepted on loopback addresses only, and 0.0.0.0:5000 is not one; choose another mode, use 127.0.0.1 and localhost, or set allowInsecure to true if you accept the risk',
    ],
  },
  {
    title: "no users beyond loopback",
    config: { bindAddress: "192.0.2.1", users: [] },
    problems: [
      "users: a registry without users is accepted on loopback addresses only, and 192.0.2.1:5000 is not one; add one, use 127.0.0.1 and localhost, or set allowInsecure to true if you accept the risk",
    ],
  },
  {
    title: "a text for users",
    config: { users: "admin" },
    problems: ["users: a text is not allowed; give a list, item by item with pulumi config set --path 'users[0]…'"],
  },
  {
    title: "a text for a user",
    config: { users: ["admin"] },
    problems: [
      "users[0]: a text is not allowed; give its parts name, password, generation, keepPrevious, previousPassword, access, repositories with pulumi config set --path 'users[0].<part>'",
    ],
  },
  {
    title: "a user without a name",
    config: { users: [{ password: "x" }] },
    problems: ["users[0].name: is missing"],
  },
  {
    title: "a colon in a user's name",
    config: { users: [{ name: "a:b" }] },
    problems: [
      'users[0].name: "a:b" is not allowed; use letters, digits and ._@+- (128 at most, a letter or digit first, no ":")',
    ],
  },
  {
    title: "two users of one name",
    config: { users: [{ name: "a" }, { name: "b" }, { name: "a" }] },
    problems: ['users[2].name: "a" is taken by users[0]; give every user a name of its own'],
  },
  {
    title: "a mistyped key of a user",
    config: { users: [{ name: "a", passwrod: "MARKER" }] },
    problems: ["users[0].passwrod: unknown key; did you mean password?"],
  },
  {
    title: "an empty password",
    config: { users: [{ name: "a", password: "" }] },
    problems: ["users[0].password: is empty; leave it out to get a generated one"],
  },
  {
    title: "a password that bcrypt would cut",
    config: { users: [{ name: "a", password: "é".repeat(37) }] },
    problems: ["users[0].password: has 74 bytes; bcrypt reads 72 at most"],
  },
  {
    title: "a password of two lines",
    config: { users: [{ name: "a", password: "a\nb" }] },
    problems: ["users[0].password: has a line break or a zero byte; no client can send that"],
  },
  {
    title: "generation 0 of a user",
    config: { users: [{ name: "a", generation: 0 }] },
    problems: ["users[0].generation: 0 is not allowed; give a whole number of 1 or more"],
  },
  {
    title: "the password before the first",
    config: { users: [{ name: "a", keepPrevious: true }] },
    problems: ["users[0].keepPrevious: needs users[0].generation 2 or more; there is no password before the first"],
  },
  {
    title: "a generated password beside a given one",
    config: { users: [{ name: "a", password: "p", keepPrevious: true }] },
    problems: ["users[0].keepPrevious: is for generated passwords; with a password of your own use users[0].previousPassword"],
  },
  {
    title: "a previous password without a current one",
    config: { users: [{ name: "a", previousPassword: "p" }] },
    problems: ["users[0].previousPassword: needs users[0].password; for a generated password use users[0].keepPrevious"],
  },
  {
    title: "an unknown access",
    config: { users: [{ name: "a", access: "push" }] },
    problems: ['users[0].access: "push" is not allowed; choose push-pull, pull'],
  },
  {
    title: "no repository",
    config: { users: [{ name: "a", repositories: [] }] },
    problems: ["users[0].repositories: is empty; name repositories, or leave it out for all"],
  },
  {
    title: "a pattern that no repository has",
    config: { users: [{ name: "a", repositories: ["Team/*", "*/app", "team-a/app", "a..b"] }] },
    problems: [
      'users[0].repositories[0]: "Team/*" is not allowed; give a repository such as team-a/app, a prefix such as team-a/*, or *',
      'users[0].repositories[1]: "*/app" is not allowed; give a repository such as team-a/app, a prefix such as team-a/*, or *',
      'users[0].repositories[3]: "a..b" is not allowed; give a repository such as team-a/app, a prefix such as team-a/*, or *',
    ],
  },
  {
    title: "anonymous pull without users",
    config: { users: [], anonymousPull: true },
    problems: ["anonymousPull: needs users; a registry without users lets everybody pull and push already"],
  },
  {
    title: "a negative time",
    config: { authentication: { cacheSeconds: -1 } },
    problems: ["authentication.cacheSeconds: -1 is not allowed; give a whole number from 0 to 86400"],
  },
  {
    title: "a window of no time",
    config: { authentication: { failedLoginsWindowSeconds: 0, cacheSize: 0 } },
    problems: [
      "authentication.cacheSize: 0 is not allowed; give a whole number from 1 to 1000000",
      "authentication.failedLoginsWindowSeconds: 0 is not allowed; give a whole number from 1 to 1000000",
    ],
  },
  {
    title: "pages that no browser names so",
    config: {
      cors: { allowedOrigins: ["https://ui.example.com/", "HTTPS://ui.example.com", "http://ui:80", "ui.example.com", "null"] },
    },
    problems: ["https://ui.example.com/", "HTTPS://ui.example.com", "http://ui:80", "ui.example.com", "null"].map(
      (origin, index) =>
        `cors.allowedOrigins[${index}]: "${origin}" is not allowed; give the origin of a page as browsers name it, as https://ui.example.com, without path and usual port, or * for all`,
    ),
  },
  {
    title: "every page with the browser's login, and another page",
    config: { cors: { allowedOrigins: ["*", "https://ui.example.com"], allowCredentials: true, maxAgeSeconds: 86_401 } },
    problems: [
      'cors.allowedOrigins[0]: "*" stands for all origins; remove it or the others',
      "cors.allowCredentials: true would let every page on the internet act as whoever is logged in, and no browser takes it with *; name the origins",
      "cors.maxAgeSeconds: 86401 is not allowed; give a whole number from 0 to 86400",
    ],
  },
  {
    title: "no page",
    config: { cors: { allowedOrigins: [] } },
    problems: ["cors.allowedOrigins: is empty; name origins, or leave out cors"],
  },
  {
    title: "a page twice, of the stock registry",
    config: {
      cors: { allowedOrigins: ["http://localhost:8080", "http://localhost:8080"] },
      image: `registry@sha256:${"0".repeat(64)}`,
    },
    problems: [
      "cors: is a feature of the bundled server; the stock registry asks for a login where browsers send none. Use image bundled",
      'cors.allowedOrigins[1]: "http://localhost:8080" is in the list already',
    ],
  },
  {
    title: "users of a mirror",
    config: { mirror: { users: [{ name: "a" }] } },
    problems: [
      "mirror.users: is not possible: Docker sends no credentials to a mirror (https://github.com/moby/moby/issues/30880). Let bindAddress and a firewall decide who may use it",
    ],
  },
  {
    title: "a mirror of a host name",
    config: { mirror: { upstream: "docker.io" } },
    problems: [
      'mirror.upstream: "docker.io" is not allowed; give the URL of a registry with http:// or https://, without user and path',
    ],
  },
  {
    title: "a lifetime without a unit",
    config: { mirror: { ttl: 168 } },
    problems: ['mirror.ttl: "168" is not allowed; give a time with its unit, h, m or s, such as 168h'],
  },
  {
    title: "no lifetime",
    config: { mirror: { ttl: "0s" } },
    problems: ['mirror.ttl: "0s" is not allowed; give a time with its unit, h, m or s, such as 168h'],
  },
  {
    title: "half a login at the upstream",
    config: { mirror: { username: "u" } },
    problems: ["mirror.password: is missing; it belongs to mirror.username"],
  },
  {
    title: "a password for nobody",
    config: { mirror: { password: "MARKER" } },
    problems: ["mirror.username: is missing; it belongs to mirror.password"],
  },
  {
    title: "an empty password at the upstream",
    config: { mirror: { username: "u", password: "" } },
    problems: ["mirror.password: is empty; leave both out to ask the upstream without a login"],
  },
  {
    title: "a password in clear",
    config: { mirror: { upstream: "http://upstream:5000", username: "u", password: "MARKER" } },
    problems: [
      'mirror.upstream: "http://upstream:5000" would be sent the password in clear; use https://, or set allowInsecure to true',
    ],
  },
  {
    title: "a mirror on the registry's port",
    config: { port: 5001, mirror: {} },
    problems: ["mirror.port: 5001 is the registry's own port; choose another one"],
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
  {
    title: "a mirror on port 0 with a CA that is none",
    config: { mirror: { port: 0, caCertificates: "ca.pem" } },
    problems: [
      "mirror.port: 0 is not allowed; give a whole number from 1 to 65535",
      "mirror.caCertificates: has no PEM certificate; give the CA of the upstream, `-----BEGIN CERTIFICATE-----` first",
    ],
  },
  {
    title: "an unknown driver",
    config: { storage: { driver: "ftp" } },
    problems: ['storage.driver: "ftp" is not allowed; choose filesystem, s3, azure, gcs, swift, oss'],
  },
  {
    title: "a driver named as every object's member",
    config: { storage: { driver: "constructor" } },
    problems: ['storage.driver: "constructor" is not allowed; choose filesystem, s3, azure, gcs, swift, oss'],
  },
  {
    title: "options of another driver",
    config: { storage: { driver: "filesystem", s3: { bucket: "b" } } },
    problems: ['storage.s3: belongs to storage.driver "s3", and storage.driver is "filesystem"'],
  },
  {
    title: "a redirect to the host's folder",
    config: { storage: { redirect: true } },
    problems: ['storage.redirect: true is not allowed with storage.driver "filesystem"; there is no store to send clients to'],
  },
  {
    title: "a CA that not PEM",
    config: { storage: { driver: "s3", s3, caCertificates: "ca.pem" } },
    problems: ["storage.caCertificates: has no PEM certificate; give the CA of the store, `-----BEGIN CERTIFICATE-----` first"],
  },
  {
    title: "a relative folder",
    config: storage("filesystem", { hostPath: "images" }),
    problems: [
      'storage.filesystem.hostPath: "images" is not allowed; give the absolute path of a folder on the Docker host, without "..", ":" or a "/" at the end',
    ],
  },
  {
    title: "a folder with ..",
    config: storage("filesystem", { hostPath: "/srv/../etc" }),
    problems: [
      'storage.filesystem.hostPath: "/srv/../etc" is not allowed; give the absolute path of a folder on the Docker host, without "..", ":" or a "/" at the end',
    ],
  },
  {
    title: "the root folder",
    config: storage("filesystem", { hostPath: "/" }),
    problems: [
      'storage.filesystem.hostPath: "/" is not allowed; give the absolute path of a folder on the Docker host, without "..", ":" or a "/" at the end',
    ],
  },
  {
    title: "a folder and a volume",
    config: storage("filesystem", { hostPath: "/srv/images", volume: "images" }),
    problems: [
      "storage.filesystem.volume: cannot stand beside storage.filesystem.hostPath; images are kept in a volume or in a folder of the host",
    ],
  },
  {
    title: "a volume named as a folder",
    config: storage("filesystem", { volume: "/srv/images" }),
    problems: [
      'storage.filesystem.volume: "/srv/images" is not allowed; give two or more letters, digits and _.-, a letter or digit first (for a folder of the host use hostPath)',
    ],
  },
  {
    title: "options of no volume",
    config: storage("filesystem", { volumeOptions: { type: "nfs" } }),
    problems: ["storage.filesystem.volumeOptions: needs storage.filesystem.volume or storage.filesystem.volumeDriver beside it"],
  },
  {
    title: "a list of volume options",
    config: storage("filesystem", { volume: "v", volumeOptions: ["type=nfs"] }),
    problems: [
      "storage.filesystem.volumeOptions: a list is not allowed; give names and values with pulumi config set --path 'storage.filesystem.volumeOptions.<name>'",
      'storage.filesystem.volume: "v" is not allowed; give two or more letters, digits and _.-, a letter or digit first (for a folder of the host use hostPath)',
    ],
  },
  {
    title: "too few threads",
    config: storage("filesystem", { maxThreads: 24 }),
    problems: ["storage.filesystem.maxThreads: 24 is not allowed; give a whole number from 25 to 100000"],
  },
  {
    title: "a bucket without a name or region",
    config: { storage: { driver: "s3" } },
    problems: [
      'storage.s3.bucket: is missing; storage.driver "s3" needs it',
      'storage.s3.region: is missing; storage.driver "s3" needs it',
    ],
  },
  {
    title: "a bucket's URL for its name",
    config: storage("s3", { ...s3, bucket: "s3://images" }),
    problems: ['storage.s3.bucket: "s3://images" is not allowed; give 3 to 63 small letters, digits, dots and hyphens'],
  },
  {
    title: "a region of no cloud",
    config: storage("s3", { ...s3, region: "Frankfurt" }),
    problems: [
      'storage.s3.region: "Frankfurt" is not allowed; give an AWS region such as eu-central-1, or regionEndpoint for another store',
    ],
  },
  {
    title: "half a key pair",
    config: storage("s3", { ...s3, accessKey: "id" }),
    problems: ["storage.s3.secretKey: is missing; it belongs to storage.s3.accessKey"],
  },
  {
    title: "an endpoint without a scheme",
    config: storage("s3", { ...s3, regionEndpoint: "store:9000" }),
    problems: ['storage.s3.regionEndpoint: "store:9000" is not allowed; give a URL with http:// or https:// and without a user'],
  },
  {
    title: "TLS to an http endpoint",
    config: storage("s3", { ...s3, regionEndpoint: "http://store:9000", secure: true }),
    problems: ['storage.s3.secure: true contradicts storage.s3.regionEndpoint, which begins with "http:"; use https: there'],
  },
  {
    title: "a KMS key without encryption",
    config: storage("s3", { ...s3, keyId: "k" }),
    problems: ["storage.s3.keyId: needs storage.s3.encrypt true"],
  },
  {
    title: "parts too small",
    config: storage("s3", { ...s3, chunkSize: 1024 }),
    problems: ["storage.s3.chunkSize: 1024 is not allowed; give a whole number from 5242880 to 5368709120"],
  },
  {
    title: "an empty option of a driver",
    config: storage("s3", { ...s3, rootDirectory: "" }),
    problems: ["storage.s3.rootDirectory: is empty; leave it out or give a name"],
  },
  {
    title: "a key of Azure's that is none",
    config: storage("azure", { ...azure, accountKey: "secret" }),
    problems: ["storage.azure.accountKey: is not allowed; give the key as Azure shows it, which is Base64"],
  },
  {
    title: "a path where OSS has none",
    config: storage("oss", { ...oss, endpoint: "https://store/images", rootDirectory: "a b" }),
    problems: [
      'storage.oss.endpoint: "https://store/images" is not allowed; give a host name with or without https:// and port',
      'storage.oss.rootDirectory: "a b" is not allowed; give a path of letters, digits, dots, underscores and hyphens, up to 256',
    ],
  },
  {
    title: "an unknown storage class",
    config: storage("s3", { ...s3, storageClass: "COLD" }),
    problems: [
      'storage.s3.storageClass: "COLD" is not allowed; choose STANDARD, REDUCED_REDUNDANCY, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, OUTPOSTS, GLACIER_IR, EXPRESS_ONEZONE, NONE',
    ],
  },
  {
    title: "an unknown ACL",
    config: storage("s3", { ...s3, objectAcl: "everybody" }),
    problems: [
      'storage.s3.objectAcl: "everybody" is not allowed; choose private, public-read, public-read-write, authenticated-read, aws-exec-read, bucket-owner-read, bucket-owner-full-control',
    ],
  },
  {
    title: "an Azure account without anything",
    config: { storage: { driver: "azure" } },
    problems: [
      'storage.azure.accountName: is missing; storage.driver "azure" needs it',
      'storage.azure.container: is missing; storage.driver "azure" needs it',
    ],
  },
  {
    title: "capitals in a container's name",
    config: storage("azure", { ...azure, container: "Images" }),
    problems: ['storage.azure.container: "Images" is not allowed; give 3 to 63 small letters, digits and single hyphens'],
  },
  {
    title: "an unknown kind of credentials",
    config: storage("azure", { ...azure, credentials: { type: "password" } }),
    problems: [
      'storage.azure.credentials.type: "password" is not allowed; choose shared_key, client_secret, default_credentials',
    ],
  },
  {
    title: "an account key beside a client secret",
    config: storage("azure", { ...azure, accountKey: "a2V5", credentials: { type: "client_secret", clientId: "c" } }),
    problems: [
      'storage.azure.accountKey: belongs to storage.azure.credentials.type "shared_key", and that is "client_secret"',
      'storage.azure.credentials.tenantId: is missing; storage.azure.credentials.type "client_secret" needs it',
      'storage.azure.credentials.secret: is missing; storage.azure.credentials.type "client_secret" needs it',
    ],
  },
  {
    title: "credentials of another kind",
    config: storage("azure", { ...azure, credentials: { secret: "s" } }),
    problems: [
      'storage.azure.credentials.secret: belongs to storage.azure.credentials.type "client_secret", and that is "default_credentials"',
    ],
  },
  {
    title: "a delay without a unit",
    config: storage("azure", { ...azure, retryDelay: "100" }),
    problems: ['storage.azure.retryDelay: "100" is not allowed; give a time with a unit, such as 100ms'],
  },
  {
    title: "a file name for a service account",
    config: storage("gcs", { bucket: "images", credentials: "key.json" }),
    problems: [
      'storage.gcs.credentials: is no JSON key of a service account (a JSON object with "type": "service_account", "client_email" and "private_key")',
    ],
  },
  {
    title: "parts of an odd size",
    config: storage("gcs", { bucket: "images", chunkSize: 300000 }),
    problems: ["storage.gcs.chunkSize: 300000 is not allowed; give a multiple of 262144 (256 KiB)"],
  },
  {
    title: "a Swift container without a login",
    config: storage("swift", { authUrl: "https://keystone:5000/v3", container: "images" }),
    problems: [
      'storage.swift.username: is missing; storage.driver "swift" needs it',
      'storage.swift.password: is missing; storage.driver "swift" needs it',
    ],
  },
  {
    title: "a project twice",
    config: storage("swift", { ...swift, tenant: "t", tenantId: "i" }),
    problems: ["storage.swift.tenantId: cannot stand beside storage.swift.tenant; give one of them"],
  },
  {
    title: "an unknown version of Keystone",
    config: storage("swift", { ...swift, authVersion: 4 }),
    problems: ["storage.swift.authVersion: 4 is not allowed; choose 1, 2, 3"],
  },
  {
    title: "an application credential without its secret",
    config: storage("swift", { authUrl: swift.authUrl, container: "images", applicationCredentialId: "i" }),
    problems: ['storage.swift.applicationCredentialSecret: is missing; storage.driver "swift" needs it'],
  },
  {
    title: "an application credential beside a password, for an old Keystone",
    config: storage("swift", { ...swift, authVersion: 2, applicationCredentialId: "i", applicationCredentialSecret: "s" }),
    problems: [
      "storage.swift.authVersion: 2 is not allowed with an application credential; it needs 3, as in an authUrl that ends in /v3",
      "storage.swift.password: cannot stand beside an application credential; give one of them",
    ],
  },
  {
    title: "an application credential by name without whose it is",
    config: storage("swift", {
      ...{ authUrl: swift.authUrl, container: "images" },
      ...{ applicationCredentialName: "n", applicationCredentialSecret: "s" },
    }),
    problems: [
      'storage.swift.username: is missing; storage.driver "swift" needs it',
      "storage.swift.domain: is missing; storage.swift.applicationCredentialName needs it or domainId, as it is a name of that user's",
    ],
  },
  {
    title: "a Keystone whose version nothing tells",
    config: storage("swift", { ...swift, authUrl: "https://keystone:5000/identity" }),
    problems: [
      "storage.swift.authVersion: is missing, and storage.swift.authUrl does not tell it by ending in /v1.0, /v2.0 or /v3; give 1, 2 or 3",
    ],
  },
  {
    title: "temporary URLs for an unknown method",
    config: storage("swift", { ...swift, tempUrlMethods: ["GET", "PATCH"] }),
    problems: ['storage.swift.tempUrlMethods: "PATCH" is not allowed; choose GET, HEAD, PUT, POST, DELETE'],
  },
  {
    title: "a region with oss- before it",
    config: storage("oss", { ...oss, region: "oss_cn" }),
    problems: ['storage.oss.region: "oss_cn" is not allowed; give a region such as cn-hangzhou, without "oss-" before it'],
  },
  {
    title: "an endpoint and the internal one",
    config: storage("oss", { ...oss, internal: true, endpoint: "oss.example.com" }),
    problems: ["storage.oss.internal: cannot stand beside storage.oss.endpoint; the endpoint says itself where it is"],
  },
  {
    title: "an endpoint and acceleration",
    config: storage("oss", { ...oss, accelerate: true, endpoint: "oss.example.com" }),
    problems: ["storage.oss.accelerate: cannot stand beside storage.oss.endpoint; the endpoint says itself where it is"],
  },
  {
    title: "the internal endpoint and acceleration",
    config: storage("oss", { ...oss, internal: true, accelerate: true }),
    problems: [
      "storage.oss.accelerate: true is not allowed beside storage.oss.internal; acceleration is for clients outside Alibaba Cloud",
    ],
  },
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
    title: "a schedule that is none",
    config: { garbageCollection: { schedule: "@daily", timeZone: "Berlin" } },
    problems: [
      'garbageCollection.schedule: "@daily" is not allowed; give five fields (minute, hour, day of month, month, day of week), such as 0 3 * * *',
      'garbageCollection.timeZone: "Berlin" is not allowed; give a name of the IANA database, such as UTC or Europe/Berlin',
    ],
  },
  {
    title: "a schedule that never comes, and one for nothing",
    config: { garbageCollection: { schedule: "0 3 31 feb *", alwaysKeepTags: ["v*"], retentionDryRun: false } },
    problems: [
      'garbageCollection.schedule: "0 3 31 feb *" is not allowed; there is no such day in any year',
      "garbageCollection.alwaysKeepTags: needs garbageCollection.retention; without rules no tag is deleted",
      "garbageCollection.retentionDryRun: needs garbageCollection.retention; without rules no tag is deleted",
    ],
  },
  {
    title: "retention rules that say nothing or something wrong",
    config: {
      garbageCollection: {
        timeZone: "UTC",
        retention: [
          { repositories: ["team"] },
          { repositories: [], keepNewest: 0, keepDays: 1.5, keepTags: [] },
          { repositories: ["Team/*"], keepTags: ["v[0-9]"] },
        ],
        alwaysKeepTags: ["a b"],
      },
    },
    problems: [
      "garbageCollection.timeZone: needs garbageCollection.schedule",
      "garbageCollection.retention[0]: would delete every tag; give keepNewest, keepDays or keepTags",
      "garbageCollection.retention[1].repositories: is empty; name repositories, or leave it out for all",
      "garbageCollection.retention[1].keepNewest: 0 is not allowed; give a whole number of 1 or more",
      "garbageCollection.retention[1].keepDays: 1.5 is not allowed; give a whole number from 1 to 36500",
      "garbageCollection.retention[1].keepTags: is empty; name tags, or leave it out",
      'garbageCollection.retention[2].repositories[0]: "Team/*" is not allowed; give a repository such as team-a/app, a prefix such as team-a/*, or *',
      'garbageCollection.retention[2].keepTags[0]: "v[0-9]" is not allowed; give a tag, with * for any letters',
      'garbageCollection.alwaysKeepTags[0]: "a b" is not allowed; give a tag, with * for any letters',
    ],
  },
  {
    title: "garbage collection by the stock engine",
    config: { image: `registry@sha256:${"0".repeat(64)}`, garbageCollection: { schedule: "0 3 * * *" } },
    problems: [
      "garbageCollection: is a feature of the bundled server; the stock registry's own collection deletes what is pushed meanwhile. Use image bundled",
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
      ...storage("swift", swift),
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
  {
    title: "a host's name for its address",
    config: { hosts: { store: "store.example.com", my_store: "192.0.2.1" } },
    problems: [
      'hosts.store: "store.example.com" is not allowed; give an IP address, or host-gateway for the Docker host',
      "hosts.my_store: has a name that is not allowed; give a DNS name",
    ],
  },
  {
    title: "too little memory",
    config: { resources: { memory: 32 } },
    problems: ["resources.memory: 32 is not allowed; give a whole number from 64 to 1048576"],
  },
  {
    title: "memory with a unit",
    config: { resources: { memory: "512m", processes: 0 } },
    problems: [
      'resources.memory: "512m" is not allowed; give a number',
      "resources.processes: 0 is not allowed; give a whole number from 64 to 1048576",
    ],
  },
  {
    title: "a mistyped key of resources",
    config: { resources: { memroy: 512 } },
    problems: ["resources.memroy: unknown key; did you mean memory?"],
  },
  {
    title: "1 for true",
    config: { lab: 1 },
    problems: ["lab: 1 is not allowed; give true or false"],
  },
  {
    title: "a part of a key without --path",
    config: { "users[0].name": "a" },
    problems: ["users[0].name: unknown key; to set a part of a key, use pulumi config set --path 'users[0].name'"],
  },
  {
    title: "a list of hosts",
    config: { hosts: ["a"] },
    problems: ["hosts: a list is not allowed; give names and values with pulumi config set --path 'hosts.<name>'"],
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
      'port: "x" is not allowed; give a number',
      "tls.foo: unknown key; known are mode, certificate, privateKey, chain, validityDays, renewBeforeDays, generation, caGeneration, keepPreviousCa",
      "users[0]: a text is not allowed; give its parts name, password, generation, keepPrevious, previousPassword, access, repositories with pulumi config set --path 'users[0].<part>'",
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
      `builds[1].context: "missing" is no folder here (${process.cwd()}); give one, or a Git URL such as https://example.com/app.git#main`,
      'builds[2].from: "base" would go unused: server/Dockerfile has no "ARG BASE"; begin it with ARG BASE and FROM ${BASE}',
      'builds[2].tags[0]: "a b" is not allowed; use letters, digits and ._- (128 at most)',
      'builds[2].from: "base" is no other image of this list; choose Base',
    ],
  },
  ...badManagedConfigurations,
];
