import * as fs from "fs";
import * as path from "path";
import * as fc from "fast-check";
import * as yaml from "js-yaml";
import {
  Configuration,
  configurationPath,
  forwarderKey,
  renderConfiguration,
  storeCaPath,
} from "../../components/render/configuration";
import { serverUser } from "../../components/render/names";
import { storageConfiguration } from "../../components/render/driverParameters";
import { Storage } from "../../components";
import { projectRoot } from "../support/testStack";

function configuration(changes: Partial<Configuration> = {}): Configuration {
  return {
    httpSecret: "0123abcd",
    tls: true,
    authentication: {},
    bundled: true,
    readOnly: false,
    storage: storageConfiguration({}),
    ...changes,
  };
}

/** The part of the file that says where images are. */
function renderedStorage(storage: Storage): string {
  const file = yaml.load(renderConfiguration(configuration({ storage: storageConfiguration(storage) }))) as Record<
    string,
    object
  >;
  const { delete: deletion, cache, tag, maintenance, ...rest } = file.storage as Record<string, unknown>;
  expect({ deletion, cache, tag, maintenance }).toEqual({
    deletion: { enabled: true },
    cache: { blobdescriptor: "inmemory" },
    tag: { concurrencylimit: 8 },
    maintenance: { uploadpurging: { enabled: true, age: "168h", interval: "24h", dryrun: false } },
  });
  return `\n${yaml.dump(rest)}`;
}

describe("the server's configuration file", () => {
  it("is this by default", () => {
    expect(`\n${renderConfiguration(configuration())}`).toMatchInlineSnapshot(`
      "
      version: '0.1'
      log:
        level: info
        formatter: text
      http:
        addr: ':5000'
        secret: 0123abcd
        draintimeout: 30s
        headers:
          X-Content-Type-Options:
            - nosniff
        tls:
          certificate: /etc/container-registry/server.pem
          key: /etc/container-registry/server.pem
          minimumtls: tls1.2
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
      "
    `);
  });

  it("has the lines of the log in JSON when that is asked for", () => {
    expect(yaml.load(renderConfiguration(configuration({ logFormat: "json" })))).toMatchObject({
      log: { level: "info", formatter: "json" },
    });
  });

  it("has the audit where one is wanted", () => {
    const server = (audit: Configuration["audit"]): unknown =>
      (yaml.load(renderConfiguration(configuration({ audit }))) as { server?: unknown }).server;
    expect(server("off")).toBeUndefined();
    expect(server("writes")).toEqual({ audit: { folder: "/var/log/container-registry", reads: false } });
    expect(server("all")).toEqual({ audit: { folder: "/var/log/container-registry", reads: true } });
  });

  it("has who is told of what happens", () => {
    const notifications = [
      {
        name: "hook",
        url: "https://hook.example.com/",
        headers: { Authorization: "yes" },
        actions: ["push" as const],
        caCertificates: "PEM",
      },
      { name: "other", url: "http://127.0.0.1:8080", repositories: ["team/*"] },
    ];
    expect(yaml.load(renderConfiguration(configuration({ notifications })))).toMatchObject({
      server: {
        notifications: [
          { name: "hook", url: "https://hook.example.com/", headers: { Authorization: "yes" }, actions: ["push"], ca: "PEM" },
          { name: "other", url: "http://127.0.0.1:8080", repositories: ["team/*"] },
        ],
      },
    });
  });

  it("is this for plain HTTP without users", () => {
    expect(`\n${renderConfiguration(configuration({ tls: false, authentication: undefined }))}`).toMatchInlineSnapshot(`
      "
      version: '0.1'
      log:
        level: info
        formatter: text
      http:
        addr: ':5000'
        secret: 0123abcd
        draintimeout: 30s
        headers:
          X-Content-Type-Options:
            - nosniff
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
      "
    `);
  });

  it("has a page where the bundled server is to have one", () => {
    const section = (changes: Partial<Configuration>): unknown =>
      (yaml.load(renderConfiguration(configuration(changes))) as { server?: unknown }).server;
    expect(section({ ui: true })).toEqual({ ui: { enabled: true } });
    expect(section({ ui: false })).toBeUndefined();
    expect(section({ ui: true, bundled: false })).toBeUndefined();
  });

  it("is this for the stock engine, pulls only", () => {
    expect(`\n${renderConfiguration(configuration({ bundled: false, readOnly: true }))}`).toMatchInlineSnapshot(`
      "
      version: '0.1'
      log:
        level: info
        formatter: text
      http:
        addr: ':5000'
        secret: 0123abcd
        draintimeout: 30s
        headers:
          X-Content-Type-Options:
            - nosniff
        tls:
          certificate: /etc/container-registry/server.pem
          key: /etc/container-registry/server.pem
          minimumtls: tls1.2
      auth:
        htpasswd:
          realm: container-registry
          path: /etc/container-registry/htpasswd
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
          readonly:
            enabled: true
      health:
        storagedriver:
          enabled: true
          interval: 10s
          threshold: 3
      "
    `);
  });

  it("has every choice of how logins are verified, zeros too", () => {
    const choices = { cacheSeconds: 0, cacheSize: 1, failedLogins: 0, failedLoginsWindowSeconds: 3600 };
    const file = yaml.load(renderConfiguration(configuration({ authentication: choices })));
    expect(file).toMatchObject({
      auth: { htpasswd: { cache: { ttl: "0s", size: 1 }, limit: { failures: 0, window: "3600s" } } },
    });
  });

  it.each<[string[], string[], string[]]>([
    [[], [], ["https://example.com/1"]],
    [["*"], ["https://example.com/1", "HTTPS://[::1]:5000/"], ["http://example.com/1"]],
    [
      ["layers.example.com", "[::1]:5000"],
      ["https://layers.example.com/1", "https://LAYERS.example.com/", "https://[::1]:5000/a"],
      [
        "https://layers-example.com/1",
        "https://layers.example.com.evil.com/",
        "https://a@layers.example.com/",
        "http://layers.example.com/",
      ],
    ],
  ])("takes layers that are elsewhere from %j", (foreignLayerHosts, taken, refused) => {
    const { validation } = yaml.load(renderConfiguration(configuration({ foreignLayerHosts }))) as {
      validation: { manifests: { urls: { allow: string[] } } };
    };
    // Go's flag for a part of an expression, which Node.js 20 has not.
    const allow = validation.manifests.urls.allow.map((each) => new RegExp(each.replace("(?i:", "(?:"), "i"));
    const takes = (url: string): boolean => allow.some((each) => each.test(url));
    expect(taken.filter((url) => !takes(url))).toEqual([]);
    expect(refused.filter(takes)).toEqual([]);
  });

  it("names the proxies that are believed", () => {
    const rendered = yaml.load(renderConfiguration(configuration({ trustedProxies: ["10.0.0.1", "2001:db8::/32"] })));
    expect(rendered).toMatchObject({ server: { trustedproxies: ["10.0.0.1", "2001:db8::/32"] } });
  });

  it("names the pages of other sites that may use the server", () => {
    const cors = { allowedOrigins: ["https://ui.example.com", "http://localhost:8080"], allowCredentials: true };
    const { http } = yaml.load(renderConfiguration(configuration({ cors }))) as { http: { headers: Record<string, string[]> } };
    expect(http.headers).toMatchObject({
      "X-Content-Type-Options": ["nosniff"],
      "Access-Control-Allow-Origin": cors.allowedOrigins,
      "Access-Control-Allow-Credentials": ["true"],
      "Access-Control-Max-Age": ["600"],
    });
    const everybody = renderConfiguration(configuration({ cors: { allowedOrigins: ["*"], maxAgeSeconds: 0 } }));
    expect(everybody).not.toContain("Credentials");
    expect(everybody).toContain("Access-Control-Max-Age:\n      - '0'\n");
  });

  it("reads back as it was meant, whatever the texts in it", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(..."yes off null ~ 012 1e5 0x1f 1_000 12:30:45 2024-01-01 # <<".split(" "), "- a", "a: b", " a ", "a\nb"),
    );
    const parameters = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,12}$/),
      fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text)),
    );
    fc.assert(
      fc.property(text, parameters, fc.boolean(), fc.boolean(), (httpSecret, given, tls, redirect) => {
        const storage = { driver: "s3", parameters: given, redirect };
        const file = yaml.load(renderConfiguration(configuration({ httpSecret, tls, storage })));
        expect(file).toMatchObject({ http: { secret: httpSecret }, storage: { redirect: { disable: !redirect } } });
        expect((file as { storage: { s3: unknown } }).storage.s3).toEqual({ ...given });
        expect("tls" in (file as { http: object }).http).toBe(tls);
      }),
    );
  });
});

describe("storage in the file", () => {
  it("is a folder by default", () => {
    expect(renderedStorage({})).toMatchInlineSnapshot(`
      "
      filesystem:
        maxthreads: 100
        rootdirectory: /var/lib/registry
      redirect:
        disable: true
      "
    `);
    expect(renderedStorage({ driver: "filesystem", filesystem: { hostPath: "/srv/images", maxThreads: 25 } }))
      .toMatchInlineSnapshot(`
      "
      filesystem:
        maxthreads: 25
        rootdirectory: /var/lib/registry
      redirect:
        disable: true
      "
    `);
  });

  it("is a bucket of Amazon S3", () => {
    expect(renderedStorage({ driver: "s3", s3: { bucket: "images", region: "eu-central-1", encrypt: true, keyId: "key" } }))
      .toMatchInlineSnapshot(`
      "
      s3:
        bucket: images
        encrypt: true
        forcepathstyle: false
        keyid: key
        region: eu-central-1
        secure: true
      redirect:
        disable: false
      "
    `);
  });

  it("is a bucket of another store that speaks S3", () => {
    const s3 = { bucket: "images", regionEndpoint: "http://store:7070", accessKey: "id", secretKey: "012" };
    expect(renderedStorage({ driver: "s3", s3 })).toMatchInlineSnapshot(`
      "
      s3:
        accesskey: id
        bucket: images
        forcepathstyle: true
        region: us-east-1
        regionendpoint: http://store:7070
        secretkey: '012'
        secure: false
      redirect:
        disable: true
      "
    `);
  });

  it.each<[string, boolean]>([
    ["https://oss-cn-hangzhou.aliyuncs.com", false],
    ["https://oss-cn-hangzhou.aliyuncs.com:443/", false],
    ["https://aliyuncs.com.example.com", true],
    ["https://minio:9000", true],
  ])("puts the bucket into the path of %s: %s", (regionEndpoint, forcePathStyle) => {
    expect(storageConfiguration({ driver: "s3", s3: { bucket: "images", regionEndpoint } }).parameters).toMatchObject({
      forcepathstyle: forcePathStyle,
    });
    expect(
      storageConfiguration({ driver: "s3", s3: { regionEndpoint, forcePathStyle: !forcePathStyle } }).parameters,
    ).toMatchObject({ forcepathstyle: !forcePathStyle });
  });

  it("is a container of Azure, by account key, client secret or the machine's identity", () => {
    const azure = { accountName: "account", container: "images" };
    expect(renderedStorage({ driver: "azure", azure: { ...azure, accountKey: "a2V5" } })).toMatchInlineSnapshot(`
      "
      azure:
        accountkey: a2V5
        accountname: account
        container: images
        credentials:
          type: shared_key
      redirect:
        disable: false
      "
    `);
    const credentials = { type: "client_secret", clientId: "client", tenantId: "tenant", secret: "s" };
    expect(
      renderedStorage({
        driver: "azure",
        azure: { ...azure, credentials, serviceUrl: "http://azurite:10000/a", maxRetries: 3, retryDelay: "1s" },
      }),
    ).toMatchInlineSnapshot(`
      "
      azure:
        accountname: account
        container: images
        credentials:
          clientid: client
          secret: s
          tenantid: tenant
          type: client_secret
        max_retries: 3
        retry_delay: 1s
        serviceurl: http://azurite:10000/a
      redirect:
        disable: true
      "
    `);
    expect(renderedStorage({ driver: "azure", azure })).toMatchInlineSnapshot(`
      "
      azure:
        accountname: account
        container: images
        credentials:
          type: default_credentials
      redirect:
        disable: false
      "
    `);
  });

  it("is a bucket of Google, with a key or the machine's identity", () => {
    const key = { type: "service_account", client_email: "robot@example.com", private_key: "PEM" };
    expect(renderedStorage({ driver: "gcs", gcs: { bucket: "images", credentials: JSON.stringify(key) } }))
      .toMatchInlineSnapshot(`
      "
      gcs:
        bucket: images
        credentials:
          client_email: robot@example.com
          private_key: PEM
          type: service_account
      redirect:
        disable: false
      "
    `);
    expect(renderedStorage({ driver: "gcs", gcs: { bucket: "images", chunkSize: 262144 } })).toMatchInlineSnapshot(`
      "
      gcs:
        bucket: images
        chunksize: 262144
      redirect:
        disable: true
      "
    `);
  });

  it("is a container of Swift", () => {
    const swift = { authUrl: "https://keystone:5000/v3", username: "u", password: "p", container: "images", authVersion: 3 };
    expect(renderedStorage({ driver: "swift", swift })).toMatchInlineSnapshot(`
      "
      swift:
        authurl: https://keystone:5000/v3
        authversion: 3
        container: images
        password: p
        username: u
      redirect:
        disable: true
      "
    `);
    expect(storageConfiguration({ driver: "swift", swift: { ...swift, secretKey: "k" } }).redirect).toBe(true);
  });

  it("is a bucket of Alibaba", () => {
    const oss = { bucket: "images", region: "cn-hangzhou", accessKeyId: "id", accessKeySecret: "secret" };
    expect(renderedStorage({ driver: "oss", oss })).toMatchInlineSnapshot(`
      "
      oss:
        accesskeyid: id
        accesskeysecret: secret
        bucket: images
        region: cn-hangzhou
      redirect:
        disable: false
      "
    `);
    expect(storageConfiguration({ driver: "oss", oss: { ...oss, internal: true } }).redirect).toBe(false);
  });

  it.each(["filesystem", "s3", "azure", "gcs", "swift", "oss"])("sends clients to %s as the user says", (driver) => {
    expect(storageConfiguration({ driver, redirect: true }).redirect).toBe(true);
    expect(storageConfiguration({ driver, redirect: false }).redirect).toBe(false);
  });
});

describe("the name of a file", () => {
  it("is in the folder that the server reads", () => {
    expect(configurationPath("content")).toMatch(/^\/etc\/container-registry\/config-[0-9a-f]{16}\.yml$/);
    expect(storeCaPath("content")).toMatch(/^\/etc\/container-registry\/store-ca-[0-9a-f]{16}\.pem$/);
  });

  it("is another one exactly when the file says something else", () => {
    const s3 = fc.record({ encrypt: fc.boolean(), bucket: fc.constantFrom("a", "b") }, { requiredKeys: [] });
    const pathOf = (options: object): string =>
      configurationPath(renderConfiguration(configuration({ storage: storageConfiguration({ driver: "s3", s3: options }) })));
    fc.assert(
      fc.property(s3, s3, (one, other) => {
        const same = one.bucket === other.bucket && one.encrypt === other.encrypt;
        expect(pathOf(one) === pathOf(other)).toBe(same);
        expect(pathOf(Object.fromEntries(Object.entries(one).reverse()))).toBe(pathOf(one));
      }),
    );
  });
});

describe("garbage collection in the configuration file", () => {
  const rendered = (changes: Partial<Configuration>): unknown =>
    (yaml.load(renderConfiguration(configuration(changes))) as { storage: { maintenance: { garbagecollection?: object } } })
      .storage.maintenance.garbagecollection;

  it("is on demand by default", () => {
    expect(rendered({})).toBeUndefined();
    expect(rendered({ garbageCollection: {} })).toEqual({ deleteuntagged: false });
  });

  it("leaves what is young where other servers have the same store", () => {
    expect(rendered({ shared: true })).toEqual({ deleteuntagged: false, grace: "1h" });
  });

  it("deletes no tag unless that is said", () => {
    expect(rendered({ garbageCollection: { schedule: "0 3 * * *", retention: [{ keepNewest: 3 }] } })).toEqual({
      schedule: "0 3 * * *",
      timezone: "UTC",
      deleteuntagged: false,
      retention: { dryrun: true, rules: [{ keepnewest: 3 }] },
    });
  });

  it("has every setting", () => {
    const garbageCollection = {
      schedule: "30 2 * * sun",
      timeZone: "Europe/Berlin",
      deleteUntagged: true,
      retention: [{ repositories: ["team/*"], keepNewest: 3, keepDays: 30, keepTags: ["v*"] }, { keepDays: 90 }],
      alwaysKeepTags: ["latest"],
      retentionDryRun: false,
    };
    expect(rendered({ garbageCollection })).toEqual({
      schedule: "30 2 * * sun",
      timezone: "Europe/Berlin",
      deleteuntagged: true,
      retention: {
        dryrun: false,
        alwayskeep: ["latest"],
        rules: [{ repositories: ["team/*"], keepnewest: 3, keepdays: 30, keeptags: ["v*"] }, { keepdays: 90 }],
      },
    });
    expect(rendered({ garbageCollection, readOnly: true })).toBeUndefined();
  });
});

it("has what YAML 1.1 takes for numbers in quotes, and other texts as ever", () => {
  const numbers = ["2024_11", "5_000", "0_", "1_0.5", "0x_1f", "0X1F", "0b_1", "0O7", "1.0_0", "+.5", "1_e3", "12"];
  const texts = ["v1_0", "_1", "1.2_3.4", "1e9999", "0x_1g", "2024_11-a", "168h", "10.0.0.1"];
  const garbageCollection = { retention: [{ keepTags: [...numbers, ...texts] }] };
  const lines = renderConfiguration(configuration({ garbageCollection })).match(/(?<=^ +- )\S+$/gm);
  expect(lines).toEqual(expect.arrayContaining([...numbers.map((each) => `'${each}'`), ...texts]));
});

it("gives forwarders the key that the server makes (server/internal/proxied)", () => {
  expect(forwarderKey("secret")).toBe("1610d5b41e4a3ef60d84a10934ecafbe9aef1712b484228854acad2d8ec867b1");
});

it("names the user that the server gives folders to (server/internal/ownership)", () => {
  const source = fs.readFileSync(path.join(projectRoot, "server", "internal", "ownership", "handover.go"), "utf8");
  expect(serverUser).toBe(/^const User = (\d+)$/m.exec(source)?.[1]);
});
