import { makePki } from "../pki";
import { BadConfiguration } from "./badConfiguration";

export const badMirror: BadConfiguration[] = [
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
    title: "a mirror of a server whose port is none",
    config: { mirror: { upstream: "https://quay.io:abc" } },
    problems: [
      'mirror.upstream: "https://quay.io:abc" is not allowed; give the URL of a registry with http:// or https://, without user and path',
    ],
  },
  {
    title: "a mirror of a server whose name the bundled one can't read",
    config: { mirror: { upstream: "https://quay.io\\team" } },
    problems: [
      'mirror.upstream: "https://quay.io\\\\team" is not allowed; give the URL of a registry with http:// or https://, without user and path',
    ],
  },
  {
    title: "a lifetime that Go can't count",
    config: { mirror: { ttl: "9999999h" } },
    problems: ['mirror.ttl: "9999999h" is not allowed; give 2562047h (292 years) at most'],
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
    title: "a login at the upstream with line breaks",
    config: { mirror: { username: "u\r", password: "MARKER\n" } },
    problems: ["username", "password"].map((key) => `mirror.${key}: has a line break or a zero byte; no client can send that`),
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
    title: "a mirror with a CA that was cut short, behind a whole one",
    config: {
      mirror: {
        caCertificates: `${makePki(["upstream"]).root.certificate}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n`,
      },
    },
    problems: ["mirror.caCertificates: has a certificate that can't be read, number 2 of 2; give the CA of the upstream anew"],
  },
  {
    title: "a mirror on port 0 with a CA that is none",
    config: { mirror: { port: 0, caCertificates: "ca.pem" } },
    problems: [
      "mirror.port: 0 is not allowed; give a whole number from 1 to 65535",
      "mirror.caCertificates: has no PEM certificate; give the CA of the upstream, `-----BEGIN CERTIFICATE-----` first",
    ],
  },
];
