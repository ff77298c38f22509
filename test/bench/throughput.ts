/**
 * Requests per second, push and pull of small and large layers, CPU and memory: the bundled server beside the stock engine, Debian's
 * old one, and the stock engine without authentication as the limit. All in one run, in turn, over TLS on loopback, on the same
 * file system, with the same certificate and the same clients (ab, skopeo). Run with: npm run bench:throughput [rounds]
 */
import { spawn } from "child_process";
import * as fs from "fs";
import * as path from "path";
import * as bcrypt from "bcryptjs";
import { request, Skopeo, Workspace } from "../support/clients";
import { freePort } from "../support/ports";
import { attempt, eventually, run } from "../support/run";
import { projectRoot, RegistryOutputs } from "../support/testStack";
import { bundledBinary } from "./bundledBinary";
import { makeImage } from "./images";
import { used } from "./processes";
import { median, table } from "../../commands/compare/figures";
import { seconds } from "./timing";

const rounds = Number(process.argv[2] ?? 3);
const secondsOfRequests = 5;
const password = "correct horse battery staple";

interface Server {
  name: string;
  binary: string;
  authentication: boolean;
  /** Further lines for the configuration file. */
  more?: string;
}

/** What one server did in one round. */
interface Figures {
  requestsPerSecond: number;
  pushSmall: number;
  pullSmall: number;
  pushBig: number;
  pullBig: number;
  cpuSeconds: number;
  peakMiB: number;
}

function configuration(server: Server, port: number, folder: string): string {
  return `version: 0.1
log: {level: warn, accesslog: {disabled: true}}
http:
  addr: 127.0.0.1:${port}
  secret: bench
  tls: {certificate: ${folder}/cert.pem, key: ${folder}/key.pem}
${server.authentication ? `auth: {htpasswd: {realm: bench, path: ${folder}/htpasswd}}` : ""}
storage:
  filesystem: {rootdirectory: ${folder}/data}
  cache: {blobdescriptor: inmemory}
`;
}

async function requestsPerSecond(server: Server, port: number): Promise<number> {
  const login = server.authentication ? ["-A", `admin:${password}`] : [];
  const report = await run("ab", [
    ...["-q", "-k", "-c", "8", "-t", `${secondsOfRequests}`, "-n", "1000000"],
    ...[...login, `https://127.0.0.1:${port}/v2/`],
  ]);
  if (report.includes("Non-2xx")) {
    throw new Error(`${server.name} refused requests:\n${report}`);
  }
  return Number(/Requests per second:\s+([\d.]+)/.exec(report)?.[1]);
}

async function measure(server: Server, images: { small: string; big: string }): Promise<Figures> {
  const workspace = new Workspace();
  const { folder } = workspace;
  const port = await freePort();
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`],
  ]);
  workspace.write("htpasswd", `admin:${await bcrypt.hash(password, 10)}\n`);
  const file = workspace.write("config.yml", configuration(server, port, folder));
  const outputs = {
    endpoint: `https://localhost:${port}`,
    repositoryPrefix: `localhost:${port}`,
    username: "admin",
    password,
    caCertificate: fs.readFileSync(`${folder}/cert.pem`, "utf8"),
  } as RegistryOutputs;
  const child = spawn(server.binary, ["serve", file], {
    stdio: "ignore",
    env: { ...process.env, OTEL_TRACES_EXPORTER: "none" },
  });
  const skopeo = new Skopeo(outputs);
  try {
    await eventually(`${server.name} to answer`, () =>
      request(outputs, "/v2/").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    const perSecond = await requestsPerSecond(server, port);
    const [small, big] = [`docker://${outputs.repositoryPrefix}/small:1`, `docker://${outputs.repositoryPrefix}/big:1`];
    const pushSmall = await seconds(() => skopeo.copy(images.small, small));
    const pullSmall = await seconds(() => skopeo.copy(small, `dir:${folder}/small`));
    const pushBig = await seconds(() => skopeo.copy(images.big, big));
    const pullBig = await seconds(() => skopeo.copy(big, `dir:${folder}/big`));
    return { requestsPerSecond: perSecond, pushSmall, pullSmall, pushBig, pullBig, ...used(child.pid) };
  } finally {
    child.kill("SIGKILL");
    skopeo.dispose();
    workspace.dispose();
  }
}

async function main(): Promise<void> {
  const workspace = new Workspace();
  try {
    const stock = fs.readdirSync(path.join(projectRoot, ".tools")).find((entry) => entry.startsWith("stock-")) ?? "";
    const stockBinary = path.join(projectRoot, ".tools", stock, "registry");
    const servers: Server[] = [
      { name: "bundled server", binary: await bundledBinary(workspace), authentication: true },
      { name: "distribution 3.1.2", binary: stockBinary, authentication: true },
      { name: "Debian's distribution 2.8.2", binary: "docker-registry", authentication: true },
      { name: "the limit: distribution 3.1.2 without authentication", binary: stockBinary, authentication: false },
    ];
    const present = [];
    for (const server of servers) {
      const { code } = await attempt("sh", ["-c", `command -v ${server.binary}`]);
      if (code === 0) {
        present.push(server);
      } else {
        console.error(`left out, not installed: ${server.name} (${server.binary})`);
      }
    }
    const images = {
      small: await makeImage(workspace, "small", 60, 100 / 1024),
      big: await makeImage(workspace, "big", 1, 1024),
    };
    const figures = new Map<string, Figures[]>(present.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const server of present) {
        const measured = await measure(server, images);
        figures.get(server.name)?.push(measured);
        console.error(`round ${round}/${rounds}, ${server.name}: ${JSON.stringify(measured)}`);
      }
    }
    const columns: [string, keyof Figures, number][] = [
      ["GET /v2/ per s", "requestsPerSecond", 0],
      ["push small s", "pushSmall", 2],
      ["pull small s", "pullSmall", 2],
      ["push big s", "pushBig", 1],
      ["pull big s", "pullBig", 1],
      ["CPU s", "cpuSeconds", 1],
      ["peak MiB", "peakMiB", 0],
    ];
    console.log(
      `\nMedians of ${rounds} rounds in turn; small: 60 layers of 100 KB, big: 1 layer of 1 GiB; 8 clients, keep-alive\n`,
    );
    console.log(
      table(
        ["", ...columns.map(([title]) => title)],
        [...figures].map(([name, all]) => [
          name,
          ...columns.map(([, key, digits]) => median(all.map((each) => each[key])).toFixed(digits)),
        ]),
      ),
    );
  } finally {
    workspace.dispose();
  }
}

void main();
