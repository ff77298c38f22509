import * as pulumi from "@pulumi/pulumi";
import { Storage } from "../../components";
import { warnOfRedirects } from "../../components/selfHosted/redirects";

const warn = jest.spyOn(pulumi.log, "warn").mockImplementation(() => Promise.resolve());
beforeEach(() => warn.mockClear());

/** What is said of the redirects of a registry. */
async function told(storage: Storage, endpoint: string): Promise<string[]> {
  await warnOfRedirects(storage, endpoint);
  return warn.mock.calls.map(([text]) => text);
}

const registry = "https://registry.example.com";
const s3 = { bucket: "images", region: "eu-central-1" };
const azure = { accountName: "images", container: "images", accountKey: "a2V5" };
const plainHttp = "it is plain HTTP, to which regctl and others do not follow from https";
const address = "it is an IP address, and crane and others follow to no private one";

describe("redirects to the store", () => {
  it.each<[string, Storage, string[]]>([
    [
      "storage.s3.regionEndpoint",
      { driver: "s3", redirect: true, s3: { ...s3, regionEndpoint: "http://minio:9000" } },
      [plainHttp],
    ],
    ["storage.s3.regionEndpoint", { driver: "s3", redirect: true, s3: { ...s3, regionEndpoint: "https://10.0.0.5" } }, [address]],
    [
      "storage.s3.regionEndpoint",
      { driver: "s3", redirect: true, s3: { ...s3, regionEndpoint: "http://[fd00::5]:9000" } },
      [plainHttp, address],
    ],
    ["storage.s3.secure", { driver: "s3", s3: { ...s3, secure: false } }, [plainHttp]],
    [
      "storage.azure.serviceUrl",
      { driver: "azure", redirect: true, azure: { ...azure, serviceUrl: "http://azurite:10000/images" } },
      [plainHttp],
    ],
  ])("are warned of where clients do not follow them: %s of %j", async (key, storage, reasons) => {
    expect(await told(storage, registry)).toEqual([
      `Clients are sent to the store of ${key} for layers (storage.redirect): ${reasons.join("; ")}. ` +
        "Give the store https and a name, or set storage.redirect to false.",
    ]);
  });

  const asked = { driver: "s3", redirect: true } as const;
  it.each<[string, Storage, string]>([
    ["there are none", { driver: "s3", s3: { ...s3, regionEndpoint: "http://10.0.0.5:9000" } }, registry],
    ["they are turned off", { driver: "s3", redirect: false, s3: { ...s3, secure: false } }, registry],
    ["the store has https and a name", { ...asked, s3: { ...s3, regionEndpoint: "https://minio.example.com" } }, registry],
    ["the cloud has the address", { driver: "s3", s3 }, registry],
    ["the store is a folder", {}, registry],
    [
      "clients come by plain HTTP",
      { ...asked, s3: { ...s3, regionEndpoint: "http://minio:9000" } },
      "http://registry.example.com",
    ],
    [
      "the registry has the same address",
      { ...asked, s3: { ...s3, regionEndpoint: "https://10.0.0.5:9000" } },
      "https://10.0.0.5",
    ],
  ])("are not warned of where %s", async (_, storage, endpoint) => {
    expect(await told(storage, endpoint)).toEqual([]);
  });
});
