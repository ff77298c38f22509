import { BadConfiguration } from "../badConfiguration";

export const badExternal: BadConfiguration[] = [
  {
    title: "an existing registry without a name",
    config: { target: "external" },
    problems: ["external.hostname: is missing; give the registry's name, such as docker.io or harbor.example.com"],
  },
  {
    title: "a URL for an existing registry",
    config: {
      target: "external",
      external: { hostname: "https://harbor.example.com", port: 0, path: "Team/*", username: "a:b", password: "" },
    },
    problems: [
      'external.hostname: "https://harbor.example.com" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
      "external.port: 0 is not allowed; give a whole number from 1 to 65535",
      'external.path: "Team/*" is not allowed; give the first part of repositories\' names, such as my-team or group/project',
      'external.username: "a:b" is not allowed; give a name without spaces and colons',
      "external.password: is empty; leave it and external.username out to use the registry without a login",
    ],
  },
  {
    title: "half a login at an existing registry",
    config: { target: "external", external: { hostname: "quay.io", username: "us" } },
    problems: ["external.password: is missing; a login is both external.username and external.password"],
  },
  {
    title: "the other half of a login at an existing registry",
    config: { target: "external", external: { hostname: "quay.io", password: "MARKER\n" } },
    problems: [
      "external.username: is missing; a login is both external.username and external.password",
      "external.password: has a line break or a zero byte; no client can send that",
    ],
  },
  {
    title: "plain HTTP to an existing registry beyond loopback, with a CA",
    config: { target: "external", external: { hostname: "registry.example.com", insecure: true, caCertificate: "ca.crt" } },
    problems: [
      "external.caCertificate: has no PEM certificate; give the CA of the registry, `-----BEGIN CERTIFICATE-----` first",
      "external.caCertificate: has no meaning with external.insecure true: plain HTTP has no certificate",
      "external.insecure: true is accepted on loopback addresses only, and registry.example.com is not one; use TLS, or set allowInsecure to true if you accept the risk",
    ],
  },
  {
    title: "a CA of an existing registry that was cut short",
    config: {
      target: "external",
      external: {
        hostname: "registry.example.com",
        caCertificate: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
      },
    },
    problems: ["external.caCertificate: has a certificate that can't be read, number 1 of 1; give the CA of the registry anew"],
  },
  {
    title: "what is run elsewhere",
    config: { target: "external", external: { hostname: "quay.io" }, lab: true, storage: { driver: "s3" } },
    problems: [
      "lab: has no meaning for target external: nothing is made here, so that there is nothing to delete",
      "storage: has no meaning for target external: images are kept where the registry is run",
    ],
  },
];
