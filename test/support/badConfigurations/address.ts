import { BadConfiguration } from "./badConfiguration";

export const badAddress: BadConfiguration[] = [
  {
    title: "a URL as host name",
    config: { hostname: "https://registry.example.com" },
    problems: [
      'hostname: "https://registry.example.com" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
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
    title: "every interface as host name, written otherwise",
    config: { hostname: "0::0" },
    problems: ['hostname: "0::0" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path'],
  },
  {
    title: "an address with a zone",
    config: { hostname: "fe80::1%eth0" },
    problems: [
      'hostname: "fe80::1%eth0" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
    ],
  },
  {
    title: "a host name that URLs take for an address",
    config: { hostname: "registry.1" },
    problems: [
      'hostname: "registry.1" is not allowed; give the DNS name or IP address that clients use, without scheme, port or path',
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
    problems: ['port: "https" is not allowed; give a number in plain digits'],
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
    title: "an address to bind to that localhost does not lead to",
    config: { bindAddress: "127.0.0.5" },
    problems: ['hostname: "localhost" does not lead to bindAddress 127.0.0.5; give 127.0.0.5 or a name of it'],
  },
  {
    title: "an address to bind to that another one does not lead to",
    config: { hostname: "127.0.0.1", bindAddress: "::1" },
    problems: ['hostname: "127.0.0.1" does not lead to bindAddress ::1; give ::1 or a name of it'],
  },
  {
    title: "yes for true",
    config: { allowInsecure: "yes" },
    problems: ['allowInsecure: "yes" is not allowed; give true or false'],
  },
  {
    title: "an empty external URL",
    config: { externalUrl: "" },
    problems: ["externalUrl: is empty; leave it out or give a URL"],
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
];
