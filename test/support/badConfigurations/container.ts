import { BadConfiguration } from "./badConfiguration";

export const badContainer: BadConfiguration[] = [
  {
    title: "a host's name for its address",
    config: { hosts: { store: "store.example.com", my_store: "192.0.2.1" } },
    problems: [
      'hosts.store: "store.example.com" is not allowed; give an IP address, or host-gateway for the Docker host',
      "hosts.my_store: has a name that is not allowed; give a DNS name",
    ],
  },
  {
    title: "a list of hosts",
    config: { hosts: ["a"] },
    problems: ["hosts: a list is not allowed; give names and values with pulumi config set --path 'hosts.<name>'"],
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
      'resources.memory: "512m" is not allowed; give a number in plain digits',
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
];
