/**
 * Time from nothing to the first authenticated 200: hand-typed commands (openssl, htpasswd, docker run) against `pulumi up`, in turn,
 * and of a `pulumi up` that has nothing to change. Run with: npm run bench:startup [rounds]
 */
import { spawn } from "child_process";
import * as fs from "fs";
import * as https from "https";
import * as path from "path";
import { buildBundledImage, loadImage } from "../../components/docker/bundledImage";
import { Workspace } from "../support/clients";
import { freePort } from "../support/ports";
import { attempt, run } from "../support/run";
import { TestStack } from "../support/testStack";
import { median, quantile, table } from "../../commands/compare/figures";
import { seconds } from "./timing";

const rounds = Number(process.argv[2] ?? 5);
const engine = { host: process.env.DOCKER_HOST };

/** The status of an answer to a login, 0 when there is none in a second. Without `ca` any certificate will do. */
function asked(port: number, auth: string, ca?: string): Promise<number> {
  return new Promise((resolve) => {
    const options = { host: "localhost", port, path: "/v2/", ca, rejectUnauthorized: ca !== undefined, auth, agent: false };
    https
      .get({ ...options, signal: AbortSignal.timeout(1000) }, (answer) => resolve(answer.resume().statusCode ?? 0))
      .on("error", () => resolve(0));
  });
}

/** Asks every 10 ms until the registry lets the user in. */
async function firstAuthenticated200(port: number, auth: string, ca?: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    if ((await asked(port, auth, ca)) === 200) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("no authenticated 200 in a minute");
}

/**
 * Resolves when a container starts. Whoever asks earlier waits longer: the kernel then has asked for the container's address in
 * vain, and does so again only after a second.
 */
function started(container: string): Promise<void> {
  const events = spawn("docker", ["events", "--filter", `container=${container}`, "--filter", "event=start"]);
  return new Promise((resolve, reject) => {
    events.on("error", reject).stdout.once("data", () => {
      events.kill();
      resolve();
    });
  });
}

const handConfiguration = `version: 0.1
http:
  addr: :5000
  tls: {certificate: /etc/container-registry/cert.pem, key: /etc/container-registry/key.pem}
auth:
  htpasswd: {realm: bench, path: /etc/container-registry/htpasswd}
storage:
  filesystem: {rootdirectory: /var/lib/registry}
`;

/** What a person types by a tutorial, without the time to type it. */
async function byHand(image: string): Promise<number> {
  const workspace = new Workspace();
  const port = await freePort();
  const name = `bench-by-hand-${port}`;
  const { folder } = workspace;
  try {
    return await seconds(async () => {
      await run("openssl", [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365"],
        ...[
          "-subj",
          "/CN=localhost",
          "-addext",
          "subjectAltName=DNS:localhost",
          "-keyout",
          `${folder}/key.pem`,
          "-out",
          `${folder}/cert.pem`,
        ],
      ]);
      workspace.write("htpasswd", `${await run("htpasswd", ["-nbB", "-C", "10", "admin", "bench"])}\n`);
      workspace.write("config.yml", handConfiguration);
      fs.chmodSync(`${folder}/key.pem`, 0o644);
      fs.chmodSync(folder, 0o755);
      await run("docker", [
        ...["run", "--detach", "--name", name, "--publish", `127.0.0.1:${port}:5000`, "--volume", `${name}:/var/lib/registry`],
        ...["--volume", `${folder}:/etc/container-registry:ro`, image],
      ]);
      await firstAuthenticated200(port, "admin:bench", fs.readFileSync(path.join(folder, "cert.pem"), "utf8"));
    });
  } finally {
    await attempt("docker", ["rm", "--force", "--volumes", name]);
    await attempt("docker", ["volume", "rm", name]);
    workspace.dispose();
  }
}

/** `pulumi up` from nothing, as the command, with a given password so that the registry can be asked before the command ends. */
async function byPulumi(): Promise<{ first: number; ended: number; unchanged: number }> {
  const port = await freePort();
  const stack = await TestStack.create({ port, "users[0].name": "admin" }, { "users[0].password": "bench" });
  try {
    const starts = started(stack.resourceName);
    const begun = performance.now();
    const ends = stack.pulumi("up", "--yes", "--skip-preview").then(() => (performance.now() - begun) / 1000);
    await starts;
    await firstAuthenticated200(port, "admin:bench");
    const first = (performance.now() - begun) / 1000;
    const ended = await ends;
    // What let the user in is the registry of this stack.
    await firstAuthenticated200(port, "admin:bench", await stack.pulumi("stack", "output", "caCertificate"));
    return { first, ended, unchanged: await seconds(() => stack.pulumi("up", "--yes", "--skip-preview")) };
  } finally {
    await stack.dispose();
  }
}

function row(name: string, values: number[], base?: number): string[] {
  const figures = [0, 0.5, 1].map((share) => quantile(values, share).toFixed(2));
  return [name, ...figures, base === undefined ? "" : `${(median(values) / base).toFixed(1)}x`];
}

async function main(): Promise<void> {
  const archive = await buildBundledImage(engine);
  const image = `bench-by-hand:${archive.name.split(":")[1]}`;
  await loadImage(engine, archive, image);
  const hand: number[] = [];
  const first: number[] = [];
  const ended: number[] = [];
  const unchanged: number[] = [];
  try {
    // The first round warms the file caches and is not counted.
    for (let round = 0; round <= rounds; round++) {
      const a = await byHand(image);
      const b = await byPulumi();
      console.error(
        `round ${round}/${rounds}: by hand ${a.toFixed(2)} s, pulumi up ${b.first.toFixed(2)} s and ended after ${b.ended.toFixed(2)} s, unchanged ${b.unchanged.toFixed(2)} s`,
      );
      if (round > 0) {
        hand.push(a);
        first.push(b.first);
        ended.push(b.ended);
        unchanged.push(b.unchanged);
      }
    }
  } finally {
    await attempt("docker", ["image", "rm", image]);
  }
  const base = median(hand);
  console.log(`\nSeconds to the first authenticated 200, ${rounds} rounds in turn\n`);
  console.log(
    table(
      ["", "least", "median", "most", "to by hand"],
      [
        row("by hand (openssl, htpasswd, docker run)", hand),
        row("pulumi up from nothing", first, base),
        row("the same, until the command ends", ended, base),
        row("pulumi up, nothing to change", unchanged, base),
      ],
    ),
  );
}

void main();
