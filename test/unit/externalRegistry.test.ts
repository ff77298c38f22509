import * as pulumi from "@pulumi/pulumi";
import { ExternalOptions, ExternalRegistry } from "../../components";
import { externalAddress } from "../../components/managed/externalAddress";
import { mocked, valueOf } from "../support/mocks";
import { makePki } from "../support/pki";

const make = (external: ExternalOptions, allowInsecure?: boolean) =>
  mocked(() => new ExternalRegistry("registry", { external, allowInsecure }));

describe("the address of a registry that exists already", () => {
  it.each<[ExternalOptions, string, string, string]>([
    [{ hostname: "quay.io" }, "quay.io", "https://quay.io", "quay.io"],
    [{ hostname: "quay.io", path: "my-team" }, "quay.io", "https://quay.io", "quay.io/my-team"],
    [{ hostname: "docker.io", path: "me" }, "docker.io", "https://registry-1.docker.io", "docker.io/me"],
    [{ hostname: "index.docker.io" }, "index.docker.io", "https://registry-1.docker.io", "index.docker.io"],
    [{ hostname: "quay.io", port: 443 }, "quay.io", "https://quay.io", "quay.io"],
    [{ hostname: "harbor.lan", port: 8443 }, "harbor.lan:8443", "https://harbor.lan:8443", "harbor.lan:8443"],
    // To Docker `registry/app` is a repository of the user `registry` at Docker Hub.
    [{ hostname: "registry" }, "registry:443", "https://registry:443", "registry:443"],
    [{ hostname: "localhost" }, "localhost", "https://localhost", "localhost"],
    [{ hostname: "::1" }, "[::1]", "https://[::1]", "[::1]"],
    [{ hostname: "::1", port: 5000, insecure: true }, "[::1]:5000", "http://[::1]:5000", "[::1]:5000"],
    [{ hostname: "registry", insecure: true }, "registry:80", "http://registry:80", "registry:80"],
  ])("%j", (options, registry, endpoint, repositoryPrefix) => {
    expect(externalAddress(options)).toEqual({ registry, endpoint, repositoryPrefix });
  });
});

describe("a registry that exists already", () => {
  it("makes nothing, and has nothing in state", async () => {
    const password = pulumi.secret("the-password");
    const { resources, components } = await make({ hostname: "quay.io", path: "team", username: "robot$ci", password });
    expect(resources).toEqual([]);
    expect(components.map(({ inputs }) => inputs)).toEqual([{}]);
  });

  it("is logged in to at its host, by a robot too", async () => {
    const { result } = await make({ hostname: "quay.io", path: "team", username: "team+it's$ci", password: "the-password" });
    expect((await valueOf(result.loginCommand)).value).toBe(
      "pulumi stack output password --show-secrets | docker login quay.io --username 'team+it'\\''s$ci' --password-stdin",
    );
    expect(await valueOf(result.password)).toEqual({ value: "the-password", secret: true });
  });

  it("may ask for no login", async () => {
    const { result } = await make({ hostname: "mcr.microsoft.com" });
    expect((await valueOf(result.loginCommand)).value).toBe("# mcr.microsoft.com asks for no login");
    expect((await valueOf(result.username)).value).toBe("");
    expect(await valueOf(result.credentials)).toEqual({ value: {}, secret: true });
  });

  it("may have a CA, of which nothing but the certificates goes into a shell command", async () => {
    const { certificate } = makePki(["harbor.lan"]).root;
    const { result } = await make({ hostname: "harbor.lan", port: 8443, caCertificate: `'; rm -rf /; '\n${certificate}` });
    const command = (await valueOf(result.trustCommand)).value;
    expect(command).toContain("$certs/harbor.lan:8443/ca.crt");
    expect(command).toContain(certificate.trim());
    expect(command).not.toContain("rm -rf");
  });

  it("may speak plain HTTP, of which client engines have to be told beyond loopback", async () => {
    const daemonConfig = async (hostname: string): Promise<unknown> =>
      JSON.parse((await valueOf((await make({ hostname, port: 5000, insecure: true }, true)).result.daemonConfig)).value);
    expect(await daemonConfig("registry.lan")).toEqual({ "insecure-registries": ["registry.lan:5000"] });
    expect(await daemonConfig("127.0.0.1")).toEqual({});
  });

  it("is refused when something is wrong with what is said of it", async () => {
    await expect(make({})).rejects.toThrow(/external\.hostname: is missing/);
  });
});
