import * as fc from "fast-check";
import {
  hostPort,
  imageHost,
  isDnsName,
  isHostName,
  isIpAddress,
  isLoopback,
  isUnspecified,
} from "../../components/checks/hosts";
import { isUrl } from "../../components/checks/rules";

const longest = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`;

describe("DNS names", () => {
  it.each([
    "localhost",
    "a",
    "registry.example.com",
    "Registry.Example.COM",
    "xn--bcher-kva.example",
    "1.example",
    "3com",
    "registry.v1",
    "0x.example",
    longest,
  ])("are %s", (name) => expect(isDnsName(name)).toBe(true));

  it.each([
    "",
    ".",
    "a.",
    ".a",
    "a..b",
    "-a",
    "a-",
    "a_b",
    "a b",
    "a:5000",
    "a/b",
    "https://a",
    "bücher.example",
    "127.0.0.1",
    "1.2.3",
    "999.1.1.1",
    "registry.1",
    "registry.0x1F",
    "registry.0x",
    "0x7f000001",
    `${longest}d`,
    `${"a".repeat(64)}.example`,
    "a\n",
  ])("are not %j", (name) => expect(isDnsName(name)).toBe(false));

  it.each<[string, boolean]>([
    ["registry.v1", true],
    ["registry.1", true],
    ["registry.0x1F", true],
    ["127.0.0.1", false],
    ["1.2.3", false],
    ["a_b", false],
    [`${longest}d`, false],
  ])("are not all that a file of hosts may have: %s is there %s", (name, there) => expect(isHostName(name)).toBe(there));

  it("are what URLs take for names", () => {
    const label = fc.stringMatching(/^(0x)?[0-9a-fx-]{1,5}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), (labels) => {
        const name = labels.join(".");
        return !isDnsName(name) || new URL(`http://${name}`).hostname === name;
      }),
    );
  });

  it("hold every part that they are put together from", () => {
    const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);
    fc.assert(fc.property(fc.array(label, { minLength: 1, maxLength: 8 }), (labels) => isDnsName(labels.join("."))));
  });
});

describe("IP addresses", () => {
  it("are all of both families", () => {
    fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => isIpAddress(address) && !isDnsName(address)));
  });

  it.each(["", "localhost", "127.0.0.1:5000", "[::1]", "127.1", "256.0.0.1", "fe80::1%eth0", " 127.0.0.1"])(
    "are not %j",
    (text) => expect(isIpAddress(text)).toBe(false),
  );
});

it.each<[string, boolean]>([
  ["localhost", true],
  ["127.0.0.1", true],
  ["127.255.0.9", true],
  ["::1", true],
  ["0:0:0:0:0:0:0:1", true],
  ["0::0001", true],
  ["LocalHost", true],
  ["::1%lo", false],
  ["127.0.0.1.example.com", false],
  ["localhost.example.com", false],
  ["128.0.0.1", false],
  ["0.0.0.0", false],
  ["::", false],
  ["::2", false],
  ["192.168.127.1", false],
])("tells whether Docker speaks plain HTTP to %s: %s", (host, expected) => expect(isLoopback(host)).toBe(expected));

it.each<[string, boolean]>([
  ["0.0.0.0", true],
  ["::", true],
  ["127.0.0.1", false],
  ["::1", false],
  ["0::0", true],
  ["0:0:0:0:0:0:0:0", true],
  ["::%eth0", false],
])("tells whether %s stands for every interface: %s", (address, expected) => expect(isUnspecified(address)).toBe(expected));

it("puts host and port together as URLs and image names have them", () => {
  expect(hostPort("localhost", 5000)).toBe("localhost:5000");
  expect(hostPort("192.0.2.1", 443)).toBe("192.0.2.1:443");
  expect(hostPort("2001:db8::1", 5000)).toBe("[2001:db8::1]:5000");
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65535 }), (host, port) => {
      const url = new URL(`tcp://${hostPort(host, port)}`);
      return url.port === String(port);
    }),
  );
});

it.each<[string, number, string]>([
  ["registry", 443, "registry:443"],
  ["registry", 80, "registry:80"],
  ["registry:5000", 443, "registry:5000"],
  ["registry.example.com", 443, "registry.example.com"],
  ["localhost", 443, "localhost"],
  ["192.0.2.1", 443, "192.0.2.1"],
  ["[2001:db8::1]", 443, "[2001:db8::1]"],
])("has %s, with the usual port %d, begin an image's name as %s", (registry, usualPort, expected) =>
  expect(imageHost(registry, usualPort)).toBe(expected),
);

it("takes a URL of a name that is not ASCII, however often it is asked", () => {
  expect(Array.from({ length: 10_000 }, () => isUrl("https://bücher.example"))).not.toContain(false);
});
