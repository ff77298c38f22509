import * as fs from "fs";
import * as net from "net";
import * as os from "os";
import * as path from "path";
import { randomInt } from "crypto";
import { bridgeAddress } from "./bridge";
import { freePort } from "./ports";
import { attempt, run } from "./run";
import { projectRoot, Settings } from "./testStack";

/** A TCP relay from containers to a server on loopback. It can be cut, as if the store went down. */
class Way {
  private server: net.Server | undefined;
  private readonly sockets = new Set<net.Socket>();

  constructor(
    private readonly from: { host: string; port: number },
    private readonly to: { host: string; port: number },
  ) {}

  open(): Promise<void> {
    this.server = net.createServer((client) => {
      const upstream = net.connect(this.to);
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.sockets.add(one);
        one.pipe(other);
        one.on("error", () => other.destroy()).on("close", () => this.sockets.delete(one));
      }
    });
    return new Promise((resolve, reject) => {
      this.server?.once("error", reject).listen(this.from.port, this.from.host, resolve);
    });
  }

  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.server?.close(resolve));
    this.sockets.forEach((socket) => socket.destroy());
    await closed;
  }
}

/** A storage server that is started for a test, as the registry's configuration sees it. */
export interface TestStore {
  settings: Settings;
  secrets: Settings;
  /** Credentials that the store refuses. */
  wrongSecrets: Settings;
  /** Credentials of somebody who may only list and read, for stores that have such users here. */
  readerSecrets?: Settings;
  /** A bucket or container that is not there. */
  missingBucket: Settings;
  /** Bytes that the store holds now. */
  bytes(): Promise<number>;
  cut(): Promise<void>;
  restore(): Promise<void>;
  dispose(): Promise<void>;
}

/** Starts a server with one of the scripts; returns the values that it prints, by name. */
async function start(script: string, ...args: string[]): Promise<Record<string, string>> {
  const printed = await run(path.join(projectRoot, "test", "support", script), ["start", ...args]);
  return Object.fromEntries(printed.split(/\s+/).map((pair) => [pair.split("=", 1)[0] ?? "", pair.slice(pair.indexOf("=") + 1)]));
}

async function store(
  script: string,
  folder: string,
  way: Way,
  configuration: Pick<TestStore, "settings" | "secrets" | "wrongSecrets" | "readerSecrets" | "missingBucket">,
  more: () => Promise<unknown> = () => Promise.resolve(),
): Promise<TestStore> {
  await way.open();
  return {
    ...configuration,
    bytes: async () => Number((await run("du", ["--summarize", "--bytes", folder])).split(/\s/)[0]),
    cut: () => way.cut(),
    restore: () => way.open(),
    dispose: async () => {
      await way.cut().catch(() => undefined);
      await attempt(path.join(projectRoot, "test", "support", script), ["stop", folder]);
      await more();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

function newFolder(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-store-"));
}

/** An S3 server that containers reach at an address of this machine: by default the one that all containers of its engine know. */
export async function s3Store(address?: string): Promise<TestStore> {
  const [folder, host, inside, outside] = [newFolder(), address ?? (await bridgeAddress()), await freePort(), await freePort()];
  const printed = await start("servers/versitygw.sh", folder, `127.0.0.1:${inside}`, "images");
  return store("servers/versitygw.sh", folder, new Way({ host, port: outside }, { host: "127.0.0.1", port: inside }), {
    settings: {
      "storage.driver": "s3",
      "storage.s3.bucket": "images",
      "storage.s3.regionEndpoint": `http://${address ?? "host.docker.internal"}:${outside}`,
    },
    secrets: { "storage.s3.accessKey": printed.accesskey ?? "", "storage.s3.secretKey": printed.secretkey ?? "" },
    wrongSecrets: { "storage.s3.secretKey": "this is not the key" },
    readerSecrets: {
      "storage.s3.accessKey": printed.readeraccesskey ?? "",
      "storage.s3.secretKey": printed.readersecretkey ?? "",
    },
    missingBucket: { "storage.s3.bucket": "no-such-bucket" },
  });
}

/** The stores, each a real server or the vendor's emulator. */
export const stores: Record<string, () => Promise<TestStore>> = {
  s3: () => s3Store(),

  async azure() {
    const [folder, host, inside, outside] = [newFolder(), await bridgeAddress(), await freePort(), await freePort()];
    const printed = await start("servers/azurite.sh", folder, `127.0.0.1:${inside}`, "images");
    return store("servers/azurite.sh", folder, new Way({ host, port: outside }, { host: "127.0.0.1", port: inside }), {
      settings: {
        "storage.driver": "azure",
        "storage.azure.accountName": printed.accountname ?? "",
        "storage.azure.container": "images",
        "storage.azure.serviceUrl": `http://host.docker.internal:${outside}/${printed.accountname ?? ""}`,
      },
      secrets: { "storage.azure.accountKey": printed.accountkey ?? "" },
      wrongSecrets: { "storage.azure.accountKey": Buffer.from("this is not the key").toString("base64") },
      missingBucket: { "storage.azure.container": "no-such-container" },
    });
  },

  async gcs() {
    const folder = newFolder();
    // Google's names are fixed to port 443, so every test has an address of its own on the bridge.
    const [inside, outside] = [
      `127.${randomInt(1, 255)}.${randomInt(255)}.${randomInt(1, 255)}`,
      `172.17.254.${randomInt(1, 255)}`,
    ];
    await run("ip", ["address", "add", `${outside}/32`, "dev", "docker0"]);
    const printed = await start("servers/fakegcs.sh", folder, inside, "images");
    const hosts = (printed.hosts ?? "").split(",").map((name): [string, string] => [`hosts["${name}"]`, outside]);
    const key = fs.readFileSync(printed.serviceaccount ?? "", "utf8");
    const wrong = { ...(JSON.parse(key) as object), client_email: "nobody@test.iam.gserviceaccount.com" };
    return store(
      "servers/fakegcs.sh",
      folder,
      new Way({ host: outside, port: 443 }, { host: inside, port: 443 }),
      {
        settings: {
          "storage.driver": "gcs",
          "storage.gcs.bucket": "images",
          // Signed URLs name Google's hosts, which only the registry's container finds here.
          "storage.redirect": false,
          "storage.caCertificates": fs.readFileSync(printed.ca ?? "", "utf8"),
          ...Object.fromEntries(hosts),
        },
        secrets: { "storage.gcs.credentials": key },
        wrongSecrets: { "storage.gcs.credentials": JSON.stringify(wrong) },
        missingBucket: { "storage.gcs.bucket": "no-such-bucket" },
      },
      () => attempt("ip", ["address", "delete", `${outside}/32`, "dev", "docker0"]),
    );
  },

  async swift() {
    const [folder, host, inside, outside] = [newFolder(), await bridgeAddress(), await freePort(), await freePort()];
    const printed = await start("swift-server.sh", folder, `${inside}`);
    const { authurl = "", username = "", password = "" } = printed;
    const account = await fetch(authurl, { headers: { "X-Auth-User": username, "X-Auth-Key": password } });
    const headers = { "X-Auth-Token": account.headers.get("x-auth-token") ?? "" };
    await fetch(`${account.headers.get("x-storage-url")}/images`, { method: "PUT", headers });
    return store("swift-server.sh", folder, new Way({ host, port: outside }, { host: "127.0.0.1", port: inside }), {
      settings: {
        "storage.driver": "swift",
        "storage.swift.container": "images",
        "storage.swift.authUrl": `http://host.docker.internal:${outside}/auth/v1.0`,
        "storage.swift.username": username,
      },
      secrets: { "storage.swift.password": password },
      wrongSecrets: { "storage.swift.password": "this is not the password" },
      missingBucket: { "storage.swift.container": "no-such-container" },
    });
  },
};
