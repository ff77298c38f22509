import * as pulumi from "@pulumi/pulumi";
import { Storage } from "../args/storage";
import { isIpAddress } from "../checks/hosts";
import { storageConfiguration } from "../render/driverParameters";

/** Where clients are sent for layers, and the key that says so; undefined if the cloud decides that. Swift's login tells the address. */
function storeAddress({ s3 = {}, azure = {}, swift = {}, oss = {} }: Storage): [string, string] | undefined {
  const given: [string, string | undefined][] = [
    ["s3.regionEndpoint", s3.regionEndpoint],
    ["s3.secure", s3.secure === false ? "http://amazonaws.com" : undefined],
    ["azure.serviceUrl", azure.serviceUrl],
    ["swift.authUrl", swift.authUrl],
    ["oss.secure", oss.secure === false ? "http://aliyuncs.com" : undefined],
    ["oss.endpoint", oss.endpoint?.replace(/^(?!https?:)/i, "https://")],
  ];
  return given.find((each): each is [string, string] => each[1] !== undefined);
}

/** Warns of a store that today's clients refuse to follow redirects to from a registry at `endpoint`: a push works, and a pull fails. */
export async function warnOfRedirects(storage: Storage, endpoint: string, component?: pulumi.Resource): Promise<void> {
  const [key, address] = storeAddress(storage) ?? [];
  if (address === undefined || !storageConfiguration(storage).redirect) {
    return;
  }
  const [registry, store] = [new URL(endpoint), new URL(address)];
  const obstacles = [
    ...(registry.protocol === "https:" && store.protocol === "http:"
      ? ["it is plain HTTP, to which regctl and others do not follow from https"]
      : []),
    ...(isIpAddress(store.hostname.replace(/^\[|\]$/g, "")) && store.hostname !== registry.hostname
      ? ["it is an IP address, and crane and others follow to no private one"]
      : []),
  ];
  if (obstacles.length > 0) {
    await pulumi.log.warn(
      `Clients are sent to the store of storage.${key} for layers (storage.redirect): ${obstacles.join("; ")}. ` +
        "Give the store https and a name, or set storage.redirect to false.",
      component,
    );
  }
}
