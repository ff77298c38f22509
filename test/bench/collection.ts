/**
 * A garbage collection by the bundled server, while it takes pushes, against the stock engine's `garbage-collect` of v3.1.2, for which
 * the registry has to stop, on copies of one store on the same file system. Both must leave the same blobs. Run with:
 * npm run bench:collection [blobs …]
 */
import { spawn } from "child_process";
import { createHash } from "crypto";
import * as fs from "fs";
import * as path from "path";
import { Workspace } from "../support/clients";
import { freePort } from "../support/ports";
import { eventually, run } from "../support/run";
import { projectRoot } from "../support/testStack";
import { bundledBinary } from "./bundledBinary";
import { table } from "../../commands/compare/figures";
import { seconds } from "./timing";

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1000, 10_000];
const stockBinary = path.join(projectRoot, ".tools", "stock-v3.1.2", "registry");
/** Blobs of an image: its manifest, its configuration and its layers. */
const blobsOfImage = 10;

interface Blob {
  digest: string;
  size: number;
}

/** Writes a store as the engine lays it out: images of ten blobs, of which every other one was deleted. Returns what has to be left. */
function makeStore(folder: string, blobs: number): string[] {
  const root = path.join(folder, "docker", "registry", "v2");
  const write = (file: string, content: string): void => {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  };
  const put = (content: string): Blob => {
    const digest = createHash("sha256").update(content).digest("hex");
    write(path.join(root, "blobs", "sha256", digest.slice(0, 2), digest, "data"), content);
    return { digest: `sha256:${digest}`, size: content.length };
  };
  const kept: string[] = [];
  for (let image = 0; image < blobs / blobsOfImage; image++) {
    const repository = path.join(root, "repositories", "team", `app-${image % 20}`);
    const link = (place: string, digest: string): void => write(path.join(repository, place, "link"), digest);
    const config = put(JSON.stringify({ architecture: "amd64", os: "linux", author: `image ${image}` }));
    const layers = Array.from({ length: blobsOfImage - 2 }, (_, layer) => put(`layer ${layer} of image ${image} `.repeat(20)));
    const manifest = put(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
        layers: layers.map((each) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar", ...each })),
      }),
    );
    for (const { digest } of [config, ...layers]) {
      link(`_layers/${digest.replace(":", "/")}`, digest);
    }
    if (image % 2 === 0) {
      const place = manifest.digest.replace(":", "/");
      link(`_manifests/revisions/${place}`, manifest.digest);
      link(`_manifests/tags/${image}/current`, manifest.digest);
      link(`_manifests/tags/${image}/index/${place}`, manifest.digest);
      kept.push(...[manifest, config, ...layers].map(({ digest }) => digest));
    }
  }
  return kept.sort();
}

function blobsIn(folder: string): string[] {
  const root = path.join(folder, "docker", "registry", "v2", "blobs", "sha256");
  return fs
    .readdirSync(root)
    .flatMap((prefix) => fs.readdirSync(path.join(root, prefix)))
    .map((digest) => `sha256:${digest}`)
    .sort();
}

function configuration(folder: string, port: number): string {
  return `version: 0.1
log: {level: error, accesslog: {disabled: true}}
http: {addr: "127.0.0.1:${port}", secret: bench}
storage:
  filesystem: {rootdirectory: ${folder}}
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
`;
}

/** Begins uploads, one after the other, until told to stop; returns the longest time one had to wait, in seconds. */
async function keepWriting(port: number, going: () => boolean): Promise<number> {
  let longest = 0;
  while (going()) {
    const took = await seconds(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/v2/bench/blobs/uploads/`, { method: "POST" });
      if (answer.status !== 202) {
        throw new Error(`the server answered ${answer.status}`);
      }
    });
    longest = Math.max(longest, took);
  }
  return longest;
}

/** Time of a collection by the running server, and the longest time that a write had to wait meanwhile. */
async function ours(
  binary: string,
  workspace: Workspace,
  folder: string,
): Promise<{ took: number; wait: number; quiet: number }> {
  const port = await freePort();
  const file = workspace.write("ours.yml", configuration(folder, port));
  const server = spawn(binary, ["serve", file], { stdio: "ignore" });
  try {
    await eventually("an answer of the server", () => fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined));
    const quietEnd = Date.now() + 1000;
    const quiet = await keepWriting(port, () => Date.now() < quietEnd);
    let going = true;
    const writing = keepWriting(port, () => going);
    const took = await seconds(() => run(binary, ["garbage-collect", "--quiet", file]));
    going = false;
    return { took, wait: await writing, quiet };
  } finally {
    server.kill("SIGKILL");
  }
}

async function stock(workspace: Workspace, folder: string): Promise<number> {
  const file = workspace.write("stock.yml", configuration(folder, await freePort()));
  return seconds(() => run(stockBinary, ["garbage-collect", "--quiet", file], { env: { OTEL_TRACES_EXPORTER: "none" } }));
}

/** A row of the table. */
async function compare(binary: string, workspace: Workspace, size: number): Promise<string[]> {
  const ofStock = path.join(workspace.folder, "stock");
  const ofOurs = path.join(workspace.folder, "ours");
  const kept = makeStore(ofStock, size);
  await run("cp", ["-a", ofStock, ofOurs]);
  const before = await stock(workspace, ofStock);
  const { took, wait, quiet } = await ours(binary, workspace, ofOurs);
  for (const folder of [ofStock, ofOurs]) {
    const left = blobsIn(folder);
    if (left.join() !== kept.join()) {
      throw new Error(`${left.length} blobs are left in ${folder} instead of ${kept.length}`);
    }
    fs.rmSync(folder, { recursive: true });
  }
  const figures = [before, before, took, wait, quiet].map((each) => each.toFixed(2));
  return [size.toLocaleString("en"), (size - kept.length).toLocaleString("en"), ...figures];
}

async function main(): Promise<void> {
  const workspace = new Workspace();
  try {
    const binary = await bundledBinary(workspace);
    const head = [
      "blobs",
      "freed by both",
      "stock: time s",
      "stock: registry stopped s",
      "ours: time s",
      "ours: longest wait of a write s",
    ];
    const rows: string[][] = [];
    for (const size of sizes) {
      rows.push(await compare(binary, workspace, size));
      console.log(table([...head, "the same without a collection s"], rows));
    }
  } finally {
    workspace.dispose();
  }
}

void main();
