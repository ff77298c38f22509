import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { Answer, DockerClient, request } from "../support/clients";
import { pushImage, randomImage } from "../support/images";
import { freePort } from "../support/ports";
import { monitoring, Prometheus, readRules } from "../support/prometheus";
import { eventually, run } from "../support/run";
import { s3Store, TestStore } from "../support/storageServers";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Names of metrics in an expression. */
function metricsIn(expression: string): string[] {
  return expression.match(/\b(registry|process|go)_[a-z_]+\b/g) ?? [];
}

interface Panel {
  targets?: { expr: string }[];
}

/** Every metric that an alert or the dashboard asks for. */
function askedFor(): string[] {
  const rules = readRules().groups.flatMap((group) => group.rules.map(({ expr }) => expr));
  const dashboard = JSON.parse(fs.readFileSync(path.join(monitoring, "dashboard.json"), "utf8")) as { panels: Panel[] };
  const panels = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(panels.length).toBeGreaterThan(20);
  return [...new Set([...rules, ...panels].flatMap(metricsIn))].sort();
}

/** A real Prometheus watches two registries and a mirror, to which things happen. */
describe("metrics", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  let store: TestStore;
  /** On a small disk, with a certificate that ends tomorrow, and a mirror whose upstream is nowhere. */
  let small: TestStack;
  let outputs: RegistryOutputs;
  /** With an object store. */
  let remote: TestStack;
  let remoteOutputs: RegistryOutputs;
  let prometheus: Prometheus;

  beforeAll(async () => {
    store = cleanUp.add(await s3Store());
    small = cleanUp.add(
      await TestStack.create({
        "metrics.port": await freePort(),
        "tls.validityDays": 1,
        "storage.filesystem.volumeDriver": "local",
        "storage.filesystem.volumeOptions.type": "tmpfs",
        "storage.filesystem.volumeOptions.device": "tmpfs",
        "storage.filesystem.volumeOptions.o": "size=64m,mode=0700,uid=65532,gid=65532",
        "garbageCollection.schedule": "0 3 * * *",
        "logs.audit": "writes",
        "notifications[0].name": "nobody",
        "notifications[0].url": `http://127.0.0.1:${await freePort()}/`,
        "mirror.upstream": `http://127.0.0.1:${await freePort()}`,
        "mirror.port": await freePort(),
        "mirror.metrics.port": await freePort(),
      }),
    );
    outputs = await small.up();
    const metrics = { "metrics.port": await freePort() };
    remote = cleanUp.add(await TestStack.create({ ...store.settings, ...metrics }, store.secrets));
    remoteOutputs = await remote.up();
    await pushImage(outputs, "team/app", "1.0", randomImage([100_000]));
    await pushImage(remoteOutputs, "team/app", "1.0", randomImage());
    await docker.run("exec", outputs.containerName, "/registry", "garbage-collect");
    await pullThroughMirror();
    prometheus = cleanUp.add(await Prometheus.start([outputs.scrapeConfig, remoteOutputs.scrapeConfig]));
  });

  function pullThroughMirror(): Promise<unknown> {
    return request({ ...outputs, endpoint: outputs.mirrorEndpoint }, "/v2/library/app/manifests/latest", { login: null });
  }

  function push(): Promise<Answer> {
    return request(remoteOutputs, "/v2/team/app/blobs/uploads/", { method: "POST" });
  }

  it("come with rules that do what they say", async () => {
    await run("promtool", ["test", "rules", path.join(monitoring, "rules.test.yml")]);
  });

  it("are where the output says, and not where clients come", async () => {
    const answer = await fetch(outputs.metricsEndpoint);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('registry_repository_tags{repository="team/app"} 1');
    expect((await request(outputs, "/metrics")).status).toBe(404);
    // Where the stock registry shows its configuration.
    expect((await fetch(new URL("/debug/vars", outputs.metricsEndpoint))).status).toBe(404);
  });

  it("have all that the rules and the dashboard ask for", async () => {
    const mirror = /- (127\.0\.0\.1:\d+)\n/g;
    const addresses = [...outputs.scrapeConfig.matchAll(mirror)].map(([, address]) => `http://${address}/metrics`);
    expect(addresses).toHaveLength(2);
    const texts = await Promise.all(addresses.map(async (url) => (await fetch(url)).text()));
    const told = new Set(texts.flatMap((text) => [...text.matchAll(/^([a-z_]+)[{ ]/gm)].map(([, name]) => name)));
    // No collection has failed yet; the alert about one is further down.
    told.add("registry_collection_last_failure_timestamp_seconds");
    expect(askedFor().filter((name) => !told.has(name))).toEqual([]);
  });

  it("have no secret, and no user's name", async () => {
    const text = await (await fetch(outputs.metricsEndpoint)).text();
    for (const secret of [outputs.password, outputs.username]) {
      expect(text).not.toContain(secret);
    }
  });

  it("raise no alarm about a registry that is well", async () => {
    const { resourceName } = remote;
    await eventually("a look at it", async () => (await prometheus.query(`registry_store_up{job="${resourceName}"}`))[0] === 1);
    expect((await prometheus.alerts()).filter((alert) => alert.endsWith(resourceName))).toEqual([]);
  });

  it("tell of a certificate that ends soon, and of an upstream that is away", async () => {
    await prometheus.fires("RegistryCertificateEnds", small.resourceName);
    await prometheus.fires("RegistryCertificateEndsSoon", small.resourceName);
    await prometheus.fires("RegistryMirrorUpstreamAway", `${small.resourceName}-mirror`, pullThroughMirror);
  });

  it("tell of a disk that is nearly full", async () => {
    const alert = "RegistryDiskNearlyFull";
    expect(await prometheus.alerts()).not.toContain(`${alert} of ${small.resourceName}`);
    await pushImage(outputs, "team/large", "latest", randomImage([60_000_000]));
    await prometheus.fires(alert, small.resourceName);
  });

  it("tell of somebody who guesses passwords", async () => {
    for (let guess = 0; guess < 60; guess++) {
      await request(outputs, "/v2/", { login: { username: "admin", password: `guess ${guess}` } });
    }
    await prometheus.fires("RegistryWrongLogins", small.resourceName);
  });

  it("tell of a store that is away, of pushes and a collection that it costs, and of its return", async () => {
    const collect = (): Promise<unknown> => docker.attempt("exec", remoteOutputs.containerName, "/registry", "garbage-collect");
    await store.cut();
    try {
      await collect();
      await prometheus.fires("RegistryCollectionFailed", remote.resourceName);
      await prometheus.fires("RegistryStoreAway", remote.resourceName);
      expect((await push()).status).toBe(503);
      await prometheus.fires("RegistryPushesRefused", remote.resourceName);
      // By a share of the requests, so there have to be some.
      await prometheus.fires("RegistryErrors", remote.resourceName, push);
    } finally {
      await store.restore();
    }
    await prometheus.isOver("RegistryStoreAway", remote.resourceName);
    await collect();
    await prometheus.isOver("RegistryCollectionFailed", remote.resourceName);
  });

  it("tell of a server that is down", async () => {
    await docker.run("stop", remoteOutputs.containerName);
    await prometheus.fires("RegistryDown", remote.resourceName);
    await docker.run("start", remoteOutputs.containerName);
    await prometheus.isOver("RegistryDown", remote.resourceName);
  });

  it("need no change the second time", async () => {
    expect(Object.keys(await small.plannedChanges())).toEqual(["same"]);
  });
});
