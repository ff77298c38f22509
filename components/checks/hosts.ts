import { isIP, isIPv4, isIPv6 } from "net";

const dnsLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i;

/** In URLs a host that ends with a number is an IPv4 address, and an invalid one if it does not look like one: https://url.spec.whatwg.org/#ends-in-a-number-checker */
const endsInNumber = /(^|\.)(\d+|0x[\da-f]*)$/i;

/** A name by RFC 1123, as a file of hosts may have it: labels of letters, digits and inner hyphens, 253 characters at most. */
export function isHostName(value: string): boolean {
  return value.length <= 253 && value.split(".").every((label) => dnsLabel.test(label)) && !/^[\d.]+$/.test(value);
}

/** A host name that is also one in URLs. */
export function isDnsName(value: string): boolean {
  return isHostName(value) && !endsInNumber.test(value);
}

/** An IPv4 or IPv6 address, without a zone (`fe80::1%eth0`), which no URL and no certificate can contain. */
export function isIpAddress(value: string): boolean {
  return isIP(value) !== 0 && !value.includes("%");
}

/** An address, or a range such as `10.0.0.0/8`, but not the range of all addresses. */
export function isNetwork(value: string): boolean {
  const [, address = "", bits = "1"] = /^([^/]+)(?:\/([1-9]\d{0,2}))?$/.exec(value) ?? [];
  return isIpAddress(address) && !isIPv4InIPv6(address) && Number(bits) <= (isIPv4(address) ? 32 : 128);
}

/** An address such as `::ffff:10.0.0.1`, in any spelling: no server sees such a client. */
function isIPv4InIPv6(address: string): boolean {
  return isIPv6(address) && asInUrl(address).startsWith("[::ffff:");
}

/** The form that an IPv6 address has in URLs, whatever its spelling. */
function asInUrl(address: string): string {
  return new URL(`http://[${address}]`).hostname;
}

/** Whether two texts are the same address, whatever its spelling. */
export function isSameAddress(one: string, other: string): boolean {
  const isRead = (each: string): boolean => isIPv6(each) && isIpAddress(each);
  return one === other || (isRead(one) && isRead(other) && asInUrl(one) === asInUrl(other));
}

/** Loopback as Docker sees it: plain HTTP is spoken to 127.0.0.0/8 and ::1 alone. */
export function isLoopback(host: string): boolean {
  return isLocalhost(host) || (isIPv4(host) && host.startsWith("127.")) || isSameAddress(host, "::1");
}

/** The name of a loopback address, in upper or lower case. */
export function isLocalhost(host: string): boolean {
  return host.toLowerCase() === "localhost";
}

/** Whether what is sent to a URL can be read on the way: plain HTTP to another machine. */
export function isSentInClear(url: string): boolean {
  return new URL(url).protocol === "http:" && !isLoopback(hostOf(url));
}

/** The name or address in a URL, without the brackets of an IPv6 address. */
export function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

/** An address that stands for every interface and so is not a name that a client could use. */
export function isUnspecified(address: string): boolean {
  return address === "0.0.0.0" || isSameAddress(address, "::");
}

/**
 * The name that clients on the host itself use if none is given. Not every machine resolves `localhost` to ::1 too, and to Docker `::`
 * means all IPv6 addresses only.
 */
export function usualHostname(bindAddress: string): string {
  return isIPv6(bindAddress) && (isLoopback(bindAddress) || isUnspecified(bindAddress)) ? "::1" : "localhost";
}

/** `host` or `host:port`, with the brackets of an IPv6 address. */
export function isHostPort(value: string): boolean {
  const [, ipv6, host = "", port = "1"] = /^(?:\[(.+)\]|([^:]+))(?::([1-9]\d{0,4}))?$/.exec(value) ?? [];
  const isHost = ipv6 === undefined ? isHostName(host) || isIPv4(host) : isIPv6(ipv6) && isIpAddress(ipv6);
  return isHost && Number(port) <= 65535;
}

/** `host:port`, with the brackets an IPv6 address needs in a URL and in an image name. */
export function hostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * A registry's `host` or `host:port`, as image names can begin with it. Docker takes `registry/app` for an image of the user `registry`
 * at Docker Hub, which would get the images and the password: a first part without a dot or colon is a host only if it is `localhost`.
 */
export function imageHost(registry: string, usualPort: number): string {
  return /[.:]/.test(registry) || registry === "localhost" ? registry : hostPort(registry, usualPort);
}
