import { setTimeout as pause } from "timers/promises";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import * as bundledImage from "../../components/docker/bundledImage";
import { SingleNodeRegistry, SingleNodeRegistryArgs, TlsMode } from "../../components";
import { checkAddresses, checkPublished } from "../../components/docker/addressTrial";
import { checkCertificate } from "../../components/docker/certificateTrial";
import { checkFolder, handOverAgain } from "../../components/docker/folderTrial";
import { untilHealthy } from "../../components/docker/health";
import { checkOwner, checkPresence } from "../../components/docker/volumeOwner";
import { checkVolumeOptions } from "../../components/selfHosted/volumeOptions";
import { limitProcesses } from "../../components/docker/processLimit";
import { checkStore } from "../../components/docker/storeCheck";
import { makePki } from "../support/pki";
import { MockedDeployment } from "../support/mockedDeployment";
import { valueOf } from "../support/mocks";

// What is asked of the engine beside the provider; engine.test.ts has the tests.
jest.mock("../../components/docker/bundledImage", () => ({
  ...jest.requireActual<object>("../../components/docker/bundledImage"),
  buildBundledImage: () => Promise.resolve({ file: "/image.tar", ids: ["sha256:1d"], name: "container-registry:1", tag: "1" }),
  loadImage: jest.fn(() => Promise.resolve()),
}));
jest.mock("../../components/docker/addressTrial", () => ({
  checkAddresses: jest.fn(() => Promise.resolve()),
  checkPublished: jest.fn(() => Promise.resolve()),
}));
jest.mock("../../components/docker/certificateTrial", () => ({ checkCertificate: jest.fn(() => Promise.resolve()) }));
jest.mock("../../components/docker/health", () => ({ untilHealthy: jest.fn(() => Promise.resolve()) }));
jest.mock("../../components/docker/processLimit", () => ({ limitProcesses: jest.fn(() => Promise.resolve()) }));
jest.mock("../../components/docker/volumeOwner", () => ({
  ...jest.requireActual<object>("../../components/docker/volumeOwner"),
  checkOwner: jest.fn(() => Promise.resolve(true)),
  checkPresence: jest.fn(() => Promise.resolve()),
}));
jest.mock("../../components/docker/folderTrial", () => ({
  checkFolder: jest.fn(() => Promise.resolve()),
  handOverAgain: jest.fn(() => Promise.resolve()),
}));
jest.mock("../../components/docker/storeCheck", () => ({ checkStore: jest.fn(() => Promise.resolve()) }));
jest.mock("../../components/selfHosted/volumeOptions", () => ({ checkVolumeOptions: jest.fn(() => Promise.resolve()) }));

const pki = makePki(["registry.example.com"]);
const given = { mode: TlsMode.Provided, certificate: pki.server.certificate, privateKey: pki.server.privateKey };
const stockImage = `docker.io/library/registry:3@sha256:${"0123456789abcdef".repeat(4)}`;
const optioned = { volume: "images", volumeOptions: { type: "none", o: "bind", device: "/srv/images" } };
const s3 = { bucket: "images", region: "eu-central-1", accessKey: "GIVEN-access", secretKey: "GIVEN-secret" };
const labels = new Map(
  Object.entries(pki).flatMap(([name, made]): [string, string][] =>
    typeof made === "string"
      ? []
      : [
          [made.certificate, `<given certificate ${name}>\n`],
          [made.privateKey, `<given key ${name}>\n`],
        ],
  ),
);

function deploy(
  args: SingleNodeRegistryArgs,
  preview = false,
): Promise<{ made: SingleNodeRegistry; deployment: MockedDeployment }> {
  return MockedDeployment.run(() => new SingleNodeRegistry("registry", args), { preview, labels });
}

const variants: Record<string, SingleNodeRegistryArgs> = {
  default: {},
  "a lab": { lab: true },
  "a provided certificate": {
    hostname: "registry.example.com",
    tls: {
      mode: "provided",
      certificate: pki.server.certificate,
      privateKey: pki.server.privateKey,
      chain: pki.intermediate.certificate + pki.root.certificate,
    },
  },
  "plain HTTP on every interface": {
    hostname: "registry.example.com",
    bindAddress: "0.0.0.0",
    allowInsecure: true,
    tls: { mode: "off" },
  },
  "a certificate of other dates, and the CA before": {
    hostname: "192.0.2.1",
    bindAddress: "192.0.2.1",
    tls: { validityDays: 90, generation: 3, caGeneration: 2, keepPreviousCa: true },
  },
  "a bind mount": { storage: { driver: "filesystem", filesystem: { hostPath: "/srv/images" } } },
  "a volume driver": {
    storage: { filesystem: { volumeDriver: "nfs", volumeOptions: { o: "username=u,password=GIVEN-volume" }, maxThreads: 25 } },
  },
  "a volume by name in a lab": { lab: true, storage: { filesystem: { volume: "images" } } },
  "the stock image": { image: stockImage },
  "several users": {
    users: [
      { name: "alice", password: "GIVEN-alice", previousPassword: "GIVEN-before" },
      { name: "bob", generation: 2, keepPrevious: true },
      { name: "ci", access: "pull", repositories: ["team-a/*"] },
      { name: "before", passwordHash: `$2y$05$${"GIVENhash".padEnd(53, "x")}` },
    ],
    anonymousPull: true,
  },
  "no users": { users: [] },
  "a bucket": { storage: { driver: "s3", s3, caCertificates: pki.root.certificate }, hosts: { store: "192.0.2.9" } },
  "a mirror": {
    lab: true,
    mirror: {
      upstream: "https://upstream.example.com",
      username: "u",
      password: "GIVEN-mirror",
      caCertificates: pki.root.certificate,
    },
  },
  "other limits, pulls only": { resources: { memory: 1024, processes: 256 }, readOnly: true, port: 443 },
};
const names = Object.keys(variants);

/** Deploys a variant once for all tests that only look at it. */
const deployments = new Map<string, ReturnType<typeof deploy>>();
function deployed(name: string): ReturnType<typeof deploy> {
  const made = deployments.get(name) ?? deploy(variants[name] ?? {});
  deployments.set(name, made);
  return made;
}

beforeEach(() => {
  jest.clearAllMocks();
  delete process.env.DOCKER_HOST;
  delete process.env.DOCKER_CONTEXT;
});

describe("a registry on one host", () => {
  it("is made of these by default", async () => {
    const { deployment: standard } = await deployed("default");
    expect(standard.list()).toMatchInlineSnapshot(`
      [
        "container-registry.RegistryCertificate registry-tls in registry",
        "container-registry.RegistryUsers registry-users in registry",
        "container-registry.ServerFiles registry-files in registry",
        "container-registry.ServerImage registry-image in registry",
        "container-registry.ServerVolume registry-data in registry",
        "container-registry.SingleNodeRegistry registry in ",
        "docker.Container registry in registry",
        "docker.Container registry-files-writer in registry-files",
        "docker.RemoteImage registry-image in registry-image",
        "docker.Volume registry-data in registry-data",
        "docker.Volume registry-files in registry-files",
        "random.RandomPassword registry-http-secret in registry",
        "random.RandomPassword registry-users-admin-1 in registry-users",
        "tls.CertRequest registry-tls-request in registry-tls",
        "tls.LocallySignedCert registry-tls-certificate in registry-tls",
        "tls.PrivateKey registry-tls-ca-key-1 in registry-tls",
        "tls.PrivateKey registry-tls-key in registry-tls",
        "tls.SelfSignedCert registry-tls-ca-1 in registry-tls",
      ]
    `);
    expect(standard.text()).toMatchInlineSnapshot(`
      "
      docker.Container registry
          capabilities.drops: [ALL]
          command: [serve, /etc/container-registry/config-<hash>.yml]
          dependsOn: [registry-data, registry-files, registry-files-writer, registry-http-secret, registry-image]
          destroyGraceSeconds: 35
          envs: [GOMEMLIMIT=460MiB]
          healthcheck.interval: 250ms
          healthcheck.retries: 3
          healthcheck.startPeriod: 20s
          healthcheck.tests: [CMD, /registry, healthcheck, '--watch', 15s, /etc/container-registry/config-<hash>.yml]
          healthcheck.timeout: 30s
          hosts: [{host: host.docker.internal, ip: host-gateway}]
          image: <image registry-image>
          logDriver: json-file
          logOpts.max-file: '3'
          logOpts.max-size: 10m
          memory: 512
          memorySwap: 512
          name: registry
          networkMode: bridge
          ports: [{external: 5000, internal: 5000, ip: 127.0.0.1}]
          readOnly: true
          restart: always
          retainOnDelete: false
          securityOpts: [no-new-privileges]
          stopTimeout: 35
          tmpfs./tmp: rw,noexec,nosuid,size=64m
          volumes: [{containerPath: /etc/container-registry, readOnly: true, volumeName: registry-files}, {containerPath: /var/lib/registry, volumeName: registry-data}]
      docker.Container registry-files-writer
          command: [version]
          dependsOn: [registry-files, registry-http-secret, registry-image, registry-tls-certificate, registry-tls-key, registry-users-admin-1]
          image: <image registry-image>
          mustRun: false
          name: registry-files-writer
          networkMode: none
          restart: 'no'
          retainOnDelete: false
          secret file /etc/container-registry/config-<hash>.yml 0644:
            version: '0.1'
            log:
              level: info
              formatter: text
            http:
              addr: ':5000'
              secret: <password registry-http-secret>
              draintimeout: 30s
              headers:
                X-Content-Type-Options:
                  - nosniff
              tls:
                certificate: /etc/container-registry/server.pem
                key: /etc/container-registry/server.pem
                minimumtls: tls1.2
            server:
              ui:
                enabled: true
            auth:
              htpasswd:
                realm: container-registry
                path: /etc/container-registry/htpasswd
                cache:
                  ttl: 300s
                  size: 10000
                limit:
                  failures: 60
                  window: 60s
            storage:
              filesystem:
                maxthreads: 100
                rootdirectory: /var/lib/registry
              delete:
                enabled: true
              redirect:
                disable: true
              cache:
                blobdescriptor: inmemory
              tag:
                concurrencylimit: 8
              maintenance:
                uploadpurging:
                  enabled: true
                  age: 168h
                  interval: 24h
                  dryrun: false
            health:
              storagedriver:
                enabled: true
                interval: 10s
                threshold: 3
          secret file /etc/container-registry/htpasswd 0644:
            #!sha256 <hash>
            admin:<hash registry-users-admin-1>
          secret file /etc/container-registry/server.pem 0644:
            <certificate registry-tls-certificate>
            -----BEGIN PRIVATE KEY-----
            <key registry-tls-key>
            -----END PRIVATE KEY-----
          secretOutputs: [uploads]
          start: false
          volumes: [{containerPath: /etc/container-registry, volumeName: registry-files}]
      docker.RemoteImage registry-image
          name: registry-image:1
      docker.Volume registry-data
          dependsOn: [registry-http-secret]
          ignoreChanges: [labels]
          labels: [{label: container-registry.deployment, value: 16cf5967e739eda9}]
          name: registry-data
          protect: true
      docker.Volume registry-files
          dependsOn: [registry-http-secret]
          ignoreChanges: [labels]
          labels: [{label: container-registry.deployment, value: 16cf5967e739eda9}]
          name: registry-files
          retainOnDelete: false
      random.RandomPassword registry-http-secret
          length: 48
          secretOutputs: [bcryptHash, result]
          special: false
      random.RandomPassword registry-users-admin-1
          length: 32
          secretOutputs: [bcryptHash, result]
          special: false
      tls.CertRequest registry-tls-request
          dependsOn: [registry-tls-key]
          dnsNames: [localhost]
          ipAddresses: [127.0.0.1, '::1']
          privateKeyPem.secret:
            -----BEGIN PRIVATE KEY-----
            <key registry-tls-key>
            -----END PRIVATE KEY-----
          secretOutputs: [privateKeyPem, privateKeyPemWo]
          subject.commonName: localhost
          subject.organization: container-registry
      tls.LocallySignedCert registry-tls-certificate
          allowedUses: [digital_signature, key_encipherment, server_auth]
          caCertPem:
            <certificate registry-tls-ca-1>
          caPrivateKeyPem.secret:
            -----BEGIN PRIVATE KEY-----
            <key registry-tls-ca-key-1>
            -----END PRIVATE KEY-----
          certRequestPem:
            <request registry-tls-request>
          dependsOn: [registry-tls-ca-1, registry-tls-ca-key-1, registry-tls-request]
          earlyRenewalHours: 720
          secretOutputs: [caPrivateKeyPem, caPrivateKeyPemWo]
          setSubjectKeyId: true
          validityPeriodHours: 8760
      tls.PrivateKey registry-tls-ca-key-1
          algorithm: ECDSA
          ecdsaCurve: P256
          secretOutputs: [privateKeyOpenssh, privateKeyPem, privateKeyPemPkcs8]
      tls.PrivateKey registry-tls-key
          algorithm: ECDSA
          ecdsaCurve: P256
          replacementTrigger: 1
          secretOutputs: [privateKeyOpenssh, privateKeyPem, privateKeyPemPkcs8]
      tls.SelfSignedCert registry-tls-ca-1
          allowedUses: [cert_signing, crl_signing, digital_signature]
          dependsOn: [registry-tls-ca-key-1]
          isCaCertificate: true
          privateKeyPem.secret:
            -----BEGIN PRIVATE KEY-----
            <key registry-tls-ca-key-1>
            -----END PRIVATE KEY-----
          secretOutputs: [privateKeyPem, privateKeyPemWo]
          setSubjectKeyId: true
          subject.commonName: registry-tls CA 1
          subject.organization: container-registry
          validityPeriodHours: 87600
      "
    `);
  });

  it.each(names.slice(1))("is made of these with %s", async (name) => {
    const { deployment: standard } = await deployed("default");
    expect((await deployed(name)).deployment.text(standard)).toMatchSnapshot();
  });

  it("protects its images, and not the cache of a mirror, which goes with `mirror`", async () => {
    const { deployment } = await deploy({ mirror: {} });
    expect(deployment.find("docker.Volume", "registry-data").options).toMatchObject({ protect: true });
    expect(deployment.find("docker.Volume", "registry-mirror-data").options).not.toHaveProperty("protect");
  });

  it.each(names)("lets its server do as little as it needs, with %s", async (name) => {
    const { deployment } = await deployed(name);
    const { inputs } = deployment.find("docker.Container", "registry");
    expect(inputs).toMatchObject({
      readOnly: true,
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      tmpfs: { "/tmp": "rw,noexec,nosuid,size=64m" },
      restart: "always",
      memorySwap: inputs.memory,
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      // Longer than the server's own time to end what is under way.
      stopTimeout: 35,
      destroyGraceSeconds: 35,
      // Set, as the provider would else find a difference on every run.
      networkMode: "bridge",
    });
    const foreign = name === "the stock image";
    expect("healthcheck" in inputs).toBe(!foreign);
    expect(inputs).not.toHaveProperty("privileged");
    expect(inputs).not.toHaveProperty("user");
    const [files] = inputs.volumes as { containerPath: string; readOnly: boolean }[];
    expect(files).toMatchObject({ containerPath: "/etc/container-registry", readOnly: true });
    const servers = ["registry", "registry-mirror"];
    for (const helper of deployment.resources.filter(
      ({ type, name }) => type.endsWith(":Container") && !servers.includes(name),
    )) {
      expect(helper.inputs).toMatchObject({ networkMode: "none", restart: "no", mustRun: false });
    }
  });

  it.each(names)("has no secret in clear, with %s", async (variant) => {
    const secrets = /<password|<hash reg|<hex|<key|<given key|GIVEN|PRIVATE|\$2b\$/;
    const { made, deployment } = await deployed(variant);
    const inClear = (value: unknown): unknown =>
      typeof value !== "object" || value === null
        ? value
        : Object.entries(value)
            .filter(([key]) => key !== "secret")
            .map(([key, inner]) => [key, inClear(inner)]);
    for (const { type, name, inputs } of deployment.resources) {
      expect([type, name, JSON.stringify(inClear(inputs))]).toEqual([type, name, expect.not.stringMatching(secrets)]);
    }
    for (const [key, output] of Object.entries(made).filter(([, each]) => pulumi.Output.isInstance(each))) {
      const { value, secret } = await valueOf(output as pulumi.Output<unknown>);
      expect([key, secret || !secrets.test(JSON.stringify(value))]).toEqual([key, true]);
    }
    expect((await valueOf(made.password)).secret).toBe(true);
    expect((await valueOf(made.credentials)).secret).toBe(true);
    expect((await valueOf(made.caCertificate)).secret).toBe(false);
    expect((await valueOf(made.certificateExpiresAt)).secret).toBe(false);
  });

  it("keeps its arguments to itself: the inputs of a component are in state", async () => {
    for (const variant of names) {
      const { deployment } = await deployed(variant);
      for (const { type, name, inputs } of deployment.resources.filter((made) => made.type.startsWith("container-registry:"))) {
        expect([type, name, inputs]).toEqual([type, name, {}]);
      }
    }
  });
});

describe("the outputs", () => {
  async function outputs(from: string | SingleNodeRegistryArgs): Promise<Record<string, unknown>> {
    const { made } = await (typeof from === "string" ? deployed(from) : deploy(from));
    const all = Object.entries(made).filter(([, each]) => pulumi.Output.isInstance(each) && each !== made.urn);
    const known = await Promise.all(
      all.map(async ([key, output]) => [key, (await valueOf(output as pulumi.Output<unknown>)).value]),
    );
    return Object.fromEntries(known) as Record<string, unknown>;
  }

  it.each<[string, SingleNodeRegistryArgs, string]>([
    ["::1", {}, "[::1]:5000"],
    ["::", {}, "[::1]:5000"],
    ["::", { hostname: "localhost" }, "localhost:5000"],
    ["0.0.0.0", {}, "localhost:5000"],
  ])("name an address that is served, with bindAddress %s and %j", async (bindAddress, args, prefix) => {
    expect(await outputs({ ...args, bindAddress, mirror: {} })).toMatchObject({
      endpoint: `https://${prefix}`,
      repositoryPrefix: prefix,
      mirrorEndpoint: `https://${prefix.replace("5000", "5001")}`,
    });
  });

  it("are these by default", async () => {
    const { caCertificate, certificateExpiresAt, trustCommand, ...others } = await outputs("default");
    expect(others).toMatchInlineSnapshot(`
      {
        "containerName": "registry",
        "credentials": {
          "admin": "<password registry-users-admin-1>",
        },
        "daemonConfig": "{}",
        "endpoint": "https://localhost:5000",
        "loginCommand": "pulumi stack output password --show-secrets | docker login localhost:5000 --username admin --password-stdin",
        "metricsEndpoint": "",
        "mirrorEndpoint": "",
        "page": "https://localhost:5000/",
        "password": "<password registry-users-admin-1>",
        "repositoryPrefix": "localhost:5000",
        "scrapeConfig": "",
        "username": "admin",
        "version": "0.1.0 (distribution 3.1.2)",
      }
    `);
    expect(caCertificate).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    expect(trustCommand).toContain(String(caCertificate).trim());
    expect(trustCommand).toContain("$certs/localhost:5000/ca.crt");
    expect(new Date(String(certificateExpiresAt)).toISOString()).toBe(certificateExpiresAt);
  });

  it("have the root of a provided chain, and nothing to trust when a public CA signed", async () => {
    const args = variants["a provided certificate"] ?? {};
    expect(await outputs("a provided certificate")).toMatchObject({
      endpoint: "https://registry.example.com:5000",
      caCertificate: pki.root.certificate,
    });
    expect(await outputs({ ...args, tls: { ...args.tls, chain: pki.intermediate.certificate } })).toMatchObject({
      caCertificate: "",
      trustCommand: "# nothing to install: Docker trusts this registry as it is",
    });
  });

  it("name both CAs while the one before is kept", async () => {
    const { caCertificate } = await outputs("a certificate of other dates, and the CA before");
    expect(String(caCertificate).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  it.each([
    ["https://registry-1.docker.io", true],
    ["https://INDEX.docker.io:443/", true],
    ["https://quay.io", false],
    ["https://docker.io.example.com", false],
    ["https://notdocker.io", false],
  ])("have Docker Hub pulled through a mirror of %s: %s", async (upstream, ofDockerHub) => {
    const { trustCommand } = await outputs({ mirror: { upstream, port: 5005 } });
    expect(trustCommand).toContain("$certs/localhost:5005/ca.crt");
    expect(String(trustCommand).includes("$certs/docker.io/hosts.toml")).toBe(ofDockerHub);
  });

  it("say what Docker needs for plain HTTP beyond loopback, and nothing for loopback", async () => {
    expect(await outputs("plain HTTP on every interface")).toMatchObject({
      endpoint: "http://registry.example.com:5000",
      caCertificate: "",
      certificateExpiresAt: "",
      daemonConfig: JSON.stringify({ "insecure-registries": ["registry.example.com:5000"] }, undefined, 2),
    });
    expect(await outputs({ tls: { mode: "off" } })).toMatchObject({ endpoint: "http://localhost:5000", daemonConfig: "{}" });
  });

  it.each([
    [{ bindAddress: "0:0:0:0:0:0:0:1" }, "http://[::1]:5000"],
    [{ bindAddress: "0:0:0:0:0:0:0:1", hostname: "::1" }, "http://[::1]:5000"],
    [{ bindAddress: "::1", hostname: "0::1" }, "http://[0::1]:5000"],
    [{ hostname: "LocalHost" }, "http://LocalHost:5000"],
  ])("are of loopback however it is written: %j", async (args, endpoint) => {
    expect(await outputs({ ...args, tls: { mode: "off" } })).toMatchObject({ endpoint, daemonConfig: "{}" });
  });

  it("have every user's password, the first one's on its own", async () => {
    expect(await outputs("several users")).toMatchObject({
      username: "alice",
      password: "GIVEN-alice",
      loginCommand: expect.stringContaining("--username alice ") as string,
    });
    // Nobody knows that of a user who was given as a hash.
    const { credentials } = await outputs("several users");
    expect(credentials).toEqual({
      alice: "GIVEN-alice",
      bob: "<password registry-users-bob-2>",
      ci: "<password registry-users-ci-1>",
    });
    expect(await outputs("no users")).toMatchObject({ username: "", password: "", credentials: {} });
  });

  // To Docker `registry/app` is a repository of the user `registry` at Docker Hub.
  it.each<[SingleNodeRegistryArgs, string, string]>([
    [{ externalUrl: "https://registry" }, "https://registry:443", "registry:443"],
    [{ externalUrl: "https://registry/" }, "https://registry:443", "registry:443"],
    [{ externalUrl: "HTTPS://Registry" }, "https://registry:443", "registry:443"],
    [{ externalUrl: "http://Registry.LAN:8080", allowInsecure: true }, "http://registry.lan:8080", "registry.lan:8080"],
    [{ externalUrl: "http://registry", allowInsecure: true }, "http://registry:80", "registry:80"],
    [{ externalUrl: "https://registry:8443" }, "https://registry:8443", "registry:8443"],
    [{ externalUrl: "https://registry.example.com" }, "https://registry.example.com", "registry.example.com"],
    [{ externalUrl: "https://registry.example.com:443" }, "https://registry.example.com:443", "registry.example.com:443"],
    [{ externalUrl: "https://localhost" }, "https://localhost", "localhost"],
    [{ externalUrl: "https://192.0.2.1" }, "https://192.0.2.1", "192.0.2.1"],
    [{ externalUrl: "https://[2001:db8::1]" }, "https://[2001:db8::1]", "[2001:db8::1]"],
    [{ hostname: "registry", port: 443 }, "https://registry:443", "registry:443"],
    [{ hostname: "registry", port: 80 }, "https://registry:80", "registry:80"],
  ])("have no address that Docker takes for a user of Docker Hub: %j", async (args, endpoint, repositoryPrefix) => {
    expect(await outputs(args)).toMatchObject({
      endpoint,
      repositoryPrefix,
      page: `${endpoint}/`,
      loginCommand: expect.stringContaining(` docker login ${repositoryPrefix} --username `) as string,
      trustCommand: expect.stringContaining(`"$certs/${repositoryPrefix}/ca.crt"`) as string,
      daemonConfig: endpoint.startsWith("http://")
        ? JSON.stringify({ "insecure-registries": [repositoryPrefix] }, undefined, 2)
        : "{}",
    });
    const { deployment } = await deploy(args);
    const told = args.externalUrl === undefined ? [] : [`host: ${endpoint}`];
    expect(deployment.text().match(/(?<=^ *)host: \S+$/gm) ?? []).toEqual(told);
  });

  it.each([
    [{}, ["localhost"], ["127.0.0.1", "::1"]],
    [{ externalUrl: "https://Images.example.com:8443" }, ["localhost", "images.example.com"], ["127.0.0.1", "::1"]],
    [{ externalUrl: "https://[2001:db8:0::1]" }, ["localhost"], ["127.0.0.1", "::1", "2001:db8::1"]],
    [{ externalUrl: "http://images.example.com", allowInsecure: true }, ["localhost"], ["127.0.0.1", "::1"]],
  ])("are names that the certificate is for: %j", async (args, dnsNames, ipAddresses) => {
    const { deployment } = await deploy(args);
    expect(deployment.find("tls.CertRequest", "registry-tls-request").inputs).toMatchObject({ dnsNames, ipAddresses });
  });

  it("tell nothing of externalUrl to the stock server, whose clients go on where they are", async () => {
    const { deployment } = await deploy({ externalUrl: "https://registry.example.com", image: stockImage });
    expect(deployment.text()).toContain("relativeurls: true");
    expect(deployment.text()).not.toMatch(/^ *host:/m);
  });

  it("have brackets around an IPv6 address, and another image's reference as version", async () => {
    expect(await outputs({ hostname: "2001:db8::1", bindAddress: "::", image: stockImage })).toMatchObject({
      endpoint: "https://[2001:db8::1]:5000",
      repositoryPrefix: "[2001:db8::1]:5000",
      version: stockImage,
    });
  });
});

describe("certificates", () => {
  it.each<[string, SingleNodeRegistryArgs, object]>([
    ["loopback", {}, { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1", "::1"] }],
    [
      "a name on every interface",
      { hostname: "registry.example.com", bindAddress: "0.0.0.0" },
      { dnsNames: ["registry.example.com", "localhost"], ipAddresses: ["127.0.0.1", "::1"] },
    ],
    [
      "an address",
      { hostname: "192.0.2.1", bindAddress: "192.0.2.1" },
      { dnsNames: ["localhost"], ipAddresses: ["192.0.2.1", "127.0.0.1", "::1"] },
    ],
    [
      "a name of more than 64 characters",
      { hostname: `${"a".repeat(60)}.example.com` },
      {
        dnsNames: [`${"a".repeat(60)}.example.com`, "localhost"],
        subject: { commonName: `${"a".repeat(60)}.exa`, organization: "container-registry" },
      },
    ],
  ])("cover every name and address, for %s", async (_, args, request) => {
    const { deployment } = await deploy(args);
    expect(deployment.find("tls.CertRequest", "registry-tls-request").inputs).toMatchObject(request);
  });

  it("are renewed in the last third of a short life", async () => {
    const { deployment } = await deploy({ tls: { validityDays: 9 } });
    expect(deployment.find("tls.LocallySignedCert", "registry-tls-certificate").inputs).toMatchObject({
      validityPeriodHours: 9 * 24,
      earlyRenewalHours: 3 * 24,
    });
  });
});

describe("several registries in one stack", () => {
  it("do not get in each other's way", async () => {
    const args = variants["several users"] ?? {};
    const { deployment } = await MockedDeployment.run(() => [
      new SingleNodeRegistry("one", { ...args, port: 5001, storage: { filesystem: { volumeDriver: "nfs" } } }),
      new SingleNodeRegistry("two", { ...args, port: 5002, storage: { filesystem: { volumeDriver: "nfs" } } }),
    ]);
    const identities = deployment.resources.map(({ type, name }) => `${type} ${name}`);
    expect(new Set(identities).size).toBe(identities.length);
    const onEngine = deployment.resources
      .filter(({ inputs }) => "name" in inputs)
      .map(({ type, inputs }) => `${type} ${String(inputs.name)}`);
    expect(onEngine).toHaveLength(14);
    expect(new Set(onEngine).size).toBe(onEngine.length);
  });
});

describe("the engine", () => {
  const archive = { file: "/image.tar", ids: ["sha256:1d"], name: "container-registry:1", tag: "1" };

  it("is given the image and asked for the container's health, where the provider is", async () => {
    const { deployment } = await MockedDeployment.run(() => {
      const provider = new docker.Provider("remote", { host: "ssh://root@registry.example.com" });
      return new SingleNodeRegistry("registry", {}, { providers: [provider] });
    });
    const engine = { host: "ssh://root@registry.example.com" };
    expect(bundledImage.loadImage).toHaveBeenCalledWith(engine, archive, "registry-image:1");
    expect(untilHealthy).toHaveBeenCalledWith(engine, "registry");
    expect(limitProcesses).toHaveBeenCalledWith(engine, "registry", 512);
    expect(deployment.find("docker.RemoteImage", "registry-image").inputs).toEqual({ name: "registry-image:1" });
  });

  it("is this machine's or the environment's without a provider", async () => {
    await deploy({});
    expect(untilHealthy).toHaveBeenLastCalledWith({ host: undefined }, "registry");
    process.env.DOCKER_HOST = "tcp://192.0.2.1:2376";
    await deploy({});
    expect(untilHealthy).toHaveBeenLastCalledWith({ host: "tcp://192.0.2.1:2376", certPath: "" }, "registry");
    pulumi.runtime.setAllConfig({ "docker:host": "tcp://192.0.2.2:2376" });
    await deploy({});
    expect(untilHealthy).toHaveBeenLastCalledWith({ host: "tcp://192.0.2.2:2376", certPath: "" }, "registry");
    pulumi.runtime.setAllConfig({});
  });

  it.each(names)("is not touched by a preview, with %s", async (name) => {
    const { deployment: up } = await deployed(name);
    jest.clearAllMocks();
    const { made, deployment } = await deploy(variants[name] ?? {}, true);
    expect(bundledImage.loadImage).not.toHaveBeenCalled();
    expect(untilHealthy).not.toHaveBeenCalled();
    expect(limitProcesses).not.toHaveBeenCalled();
    expect(checkStore).not.toHaveBeenCalled();
    expect(checkOwner).not.toHaveBeenCalled();
    expect(checkAddresses).not.toHaveBeenCalled();
    expect(checkFolder).not.toHaveBeenCalled();
    expect(checkCertificate).not.toHaveBeenCalled();
    expect((await valueOf(made.containerName)).value).toBe("registry");
    expect(deployment.text(up)).toBe("\n");
  });

  // An `up` by an update plan stops at a resource that depends on something else than in the preview.
  it.each(Object.entries({ ...variants, "a volume by name that has options": { storage: { filesystem: optioned } } }))(
    "has the same depend on the same in a preview, here and elsewhere, with %s",
    async (_, args) => {
      const dependencies = async (preview: boolean, ...hosts: string[]): Promise<object> => {
        const program = (): SingleNodeRegistry => {
          const providers = hosts.map((host) => new docker.Provider("remote", { host }));
          return new SingleNodeRegistry("registry", args, { providers });
        };
        return (await MockedDeployment.run(program, { preview })).deployment.dependencies();
      };
      expect(await dependencies(true)).toEqual(await dependencies(false));
      const elsewhere = "ssh://root@registry.example.com";
      expect(await dependencies(true, elsewhere)).toEqual(await dependencies(false, elsewhere));
    },
  );

  it("is not given a bundled image, nor asked for health, with another image", async () => {
    await deploy({ image: stockImage, resources: { processes: 100 } });
    expect(bundledImage.loadImage).not.toHaveBeenCalled();
    expect(untilHealthy).not.toHaveBeenCalled();
    expect(limitProcesses).toHaveBeenCalledWith(expect.anything(), "registry", 100);
  });

  it("is asked for the owners of its own volumes, and of no chosen one", async () => {
    await deploy({ mirror: {}, storage: { filesystem: { volume: "images" } } });
    const volumes = jest.mocked(checkOwner).mock.calls.map(([, volume]) => volume);
    expect(volumes.sort()).toEqual(["registry-data", "registry-files", "registry-mirror-data", "registry-mirror-files"]);
  });

  it("is asked for what it did not have, before it gets an image", async () => {
    await deploy({ mirror: {}, storage: { filesystem: { volume: "images" } } });
    expect(jest.mocked(checkPresence).mock.calls).toEqual([[{ host: undefined }, "images"]]);
    jest.mocked(checkOwner).mockResolvedValueOnce(false);
    await deploy({});
    expect(checkPresence).toHaveBeenLastCalledWith({ host: undefined }, "registry-data");
  });

  it.each([true, false])("gets nothing before it is known to have what is in the state; in a preview: %s", async (preview) => {
    const before: string[] = [];
    jest.mocked(checkOwner).mockResolvedValue(false);
    jest.mocked(checkPresence).mockImplementationOnce(async () => {
      const monitor = pulumi.runtime.getMonitor() as unknown as MockMonitor;
      const register = monitor.registerResource.bind(monitor);
      monitor.registerResource = (request: RegisterResourceRequest, callback: Parameters<typeof register>[1]) => {
        before.push(request.getType());
        return register(request, callback);
      };
      await pause(100);
      monitor.registerResource = register;
    });
    await deploy({}, preview);
    expect(
      jest
        .mocked(checkPresence)
        .mock.calls.map(([, volume]) => volume)
        .sort(),
    ).toEqual(["registry-data", "registry-files"]);
    expect(before.filter((type) => /RemoteImage|Container/.test(type))).toEqual([]);
  });

  it("is asked for addresses before a container is made anew with them", async () => {
    await deploy({ port: 443, metrics: {} });
    const addresses = [
      { internal: 5000, external: 443, ip: "127.0.0.1" },
      { internal: 5002, external: 5002, ip: "127.0.0.1" },
    ];
    const image = { id: "<image registry-image>", bundled: true };
    expect(checkAddresses).toHaveBeenCalledWith({ host: undefined }, "registry", image, addresses);
    expect(checkPublished).toHaveBeenCalledWith({ host: undefined }, "registry");
  });

  it.each<[string, SingleNodeRegistryArgs, string[]]>([
    ["none of its own", {}, []],
    ["that of others", { hostname: "registry.example.com", tls: given }, ["registry"]],
    ["none in the stock server", { hostname: "registry.example.com", tls: given, image: stockImage }, []],
    ["what a mirror is given", { mirror: {} }, ["registry-mirror"]],
  ])("is asked for a certificate before it is handed over: %s", async (_, args, tried) => {
    jest.mocked(checkCertificate).mockClear();
    await deploy(args);
    const withKey = expect.stringMatching(/KEY-+\n$/) as string;
    expect(jest.mocked(checkCertificate).mock.calls).toEqual(
      tried.map((name) => [{ host: undefined }, `${name}-files-writer`, `<image ${name}-image>`, withKey]),
    );
  });

  it.each<[string, string, object]>([
    ["folder", "a bind mount", { hostPath: "/srv/images" }],
    ["volume", "a volume by name in a lab", { volumeName: "images" }],
  ])("is asked for a %s of others before it is handed over", async (_, variant, folder) => {
    await deploy(variants[variant] ?? {});
    const place = expect.objectContaining(folder) as object;
    expect(checkFolder).toHaveBeenCalledWith({ host: undefined }, "registry", "<image registry-image>", place);
  });

  it.each([
    ["what failed", 1, false, [[{ host: undefined }, "registry-data-owner"]]],
    ["what failed, in a preview", 1, true, []],
    ["what was", 0, false, []],
  ])("is asked to hand over again: %s", async (_, exitCode, preview, calls) => {
    jest.mocked(handOverAgain).mockClear();
    const answers = { "docker:index/container:Container": () => ({ exitCode }) };
    const program = (): SingleNodeRegistry => new SingleNodeRegistry("registry", variants["a bind mount"] ?? {});
    await MockedDeployment.run(program, { preview, answers });
    expect(jest.mocked(handOverAgain).mock.calls).toEqual(calls);
  });

  it("tries a remote store before the switch, from where the registry will be", async () => {
    const { deployment } = await deploy(variants["a bucket"] ?? {});
    const [, configurationPath] = deployment.find("docker.Container", "registry").inputs.command as string[];
    expect(checkStore).toHaveBeenCalledTimes(1);
    expect(checkStore).toHaveBeenCalledWith({
      engine: { host: undefined },
      imageId: "<image registry-image>",
      containerName: "registry",
      filesVolume: "registry-files",
      filesFolder: "/etc/container-registry",
      configurationPath: expect.stringMatching(/config-[0-9a-f]{16}\.yml$/) as string,
      environment: ["GOMEMLIMIT=460MiB", expect.stringMatching(/^SSL_CERT_FILE=.*store-ca-[0-9a-f]{16}\.pem$/)],
      hosts: [
        { host: "host.docker.internal", ip: "host-gateway" },
        { host: "store", ip: "192.0.2.9" },
      ],
      patience: 0,
      ownVolume: false,
    });
    expect(configurationPath).toBe("/etc/container-registry/config-<hash>.yml");
  });

  it("is given CAs as Go takes them, where a file's line ends were converted twice", async () => {
    const caCertificates = pki.root.certificate.replaceAll("\n", "\r\r\n");
    const notifications = [{ name: "hook", url: "https://hook.example.com/", caCertificates }];
    const storage = { driver: "s3", s3, caCertificates };
    const { deployment } = await deploy({ storage, mirror: { caCertificates }, notifications });
    const filesOf = (name: string): string =>
      JSON.stringify(deployment.find("docker.Container", `${name}-files-writer`).inputs.uploads);
    const own = filesOf("registry");
    for (const files of [own, filesOf("registry-mirror")]) {
      expect(files).toContain('{"secret":"<given certificate root>\\n"}');
    }
    expect(own).not.toContain("\\r");
  });

  it.each<[string, string, string]>([
    ["folder", "a bind mount", "/srv/images"],
    ["volume", "a volume by name in a lab", "images"],
  ])("tries a %s of others before the switch, and not before it is handed over", async (_, variant, source) => {
    const since: string[] = [];
    let ofCommand: string[] = [];
    jest.mocked(checkStore).mockImplementationOnce(async () => {
      const monitor = pulumi.runtime.getMonitor() as unknown as MockMonitor;
      const register = monitor.registerResource.bind(monitor);
      monitor.registerResource = (request: RegisterResourceRequest, callback: Parameters<typeof register>[1]) => {
        since.push(request.getName());
        ofCommand = request.getPropertydependenciesMap().get("command")?.getUrnsList() ?? [];
        return register(request, callback);
      };
      await pause(100);
    });
    await deploy(variants[variant] ?? {});
    expect(checkStore).toHaveBeenCalledWith(
      expect.objectContaining({
        imageId: "<image registry-image>",
        containerName: "registry",
        folder: { engine: { host: undefined }, source, target: "/var/lib/registry" },
      }),
    );
    expect(since).toEqual(["registry"]);
    // It would be deleted before what hands over, and what writes the files, are made anew.
    expect(ofCommand.filter((urn) => /-(owner|writer)$/.test(urn))).toEqual([]);
  });

  it("is asked for the options of a volume by name that has some, before it is made", async () => {
    const { volumeOptions } = optioned;
    const inStack = async (preview: boolean): Promise<string[]> => {
      const { deployment } = await deploy({ storage: { filesystem: optioned } }, preview);
      return deployment.resources.filter(({ type }) => type.endsWith(":Volume")).map(({ inputs }) => String(inputs.name));
    };
    expect(await inStack(true)).toContain("images");
    expect(checkVolumeOptions).not.toHaveBeenCalled();
    expect(await inStack(false)).toContain("images");
    expect(checkVolumeOptions).toHaveBeenCalledWith({ host: undefined }, "images", "local", volumeOptions);
    await deploy({ storage: { filesystem: { volume: "images", volumeDriver: "shares", volumeOptions } } });
    expect(checkVolumeOptions).toHaveBeenLastCalledWith({ host: undefined }, "images", "shares", volumeOptions);
    jest.clearAllMocks();
    await deploy({ storage: { filesystem: { volume: "images" } } });
    await deploy({ storage: { filesystem: { volumeDriver: "local", volumeOptions } } });
    expect(checkVolumeOptions).not.toHaveBeenCalled();
  });

  it("tries the configuration alone where the volume is its own, for the mirror too", async () => {
    await deploy({ mirror: {} });
    const tried = jest.mocked(checkStore).mock.calls.map(([{ containerName, ownVolume }]) => ({ containerName, ownVolume }));
    expect(tried.sort((a, b) => String(a.containerName).localeCompare(String(b.containerName)))).toEqual([
      { containerName: "registry", ownVolume: true },
      { containerName: "registry-mirror", ownVolume: true },
    ]);
  });

  it("is not asked by an image that can't", async () => {
    await deploy({ image: stockImage });
    await deploy({ image: stockImage, storage: { filesystem: { hostPath: "/srv/images" } } });
    await deploy({ image: stockImage, storage: { driver: "s3", s3 } });
    expect(checkStore).not.toHaveBeenCalled();
  });
});

describe("wrong arguments", () => {
  it("stop a component before it makes anything", async () => {
    let error: unknown;
    const { deployment } = await MockedDeployment.run(() => {
      try {
        new SingleNodeRegistry("my registry", { port: 70000, tls: { validityDays: 0 } });
      } catch (thrown) {
        error = thrown;
      }
    });
    expect(deployment.list()).toEqual(["container-registry.SingleNodeRegistry my registry in "]);
    expect((error as Error).message).toMatchInlineSnapshot(`
      "The configuration has 3 problems:
        - name: "my registry" is not allowed as a component's name; use two or more letters, digits and _.-, a letter or digit first
        - port: 70000 is not allowed; give a whole number from 1 to 65535
        - tls.validityDays: 0 is not allowed; give a whole number from 1 to 3649"
    `);
  });

  it.each(["data", "files", "audit", "mirror-data", "mirror-files"])(
    "are volumes by the names of the package's own, which it deletes: -%s",
    async (part) => {
      const volume = `registry-${part}`;
      await expect(deploy({ lab: true, storage: { filesystem: { volume } } })).rejects.toThrow(
        `storage.filesystem.volume: "${volume}" is a volume of the registry's own, which destroy may delete; ` +
          "leave it out to keep images in registry-data, or name another one",
      );
    },
  );
});
