import { ChildProcess, spawn } from "child_process";
import { randomBytes } from "crypto";
import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import { freeNetwork, ownContainerd } from "./engine";
import { attempt, eventually, run } from "./run";
import { projectRoot } from "./testStack";

/** The variable with which the setup of the project `integration-29` tells its files where the engine is. */
export const engine29Variable = "CONTAINER_REGISTRY_ENGINE_29";

/** Folder of the engine's programs, which test set-up builds. */
export const engine29Programs = path.join(projectRoot, ".tools", "engine-29", "bin");

/** Docker Engine 29 with the containerd image store beside the machine's engine. Needs root. */
class Engine29 {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-engine-29-"));
  readonly host = `unix://${this.folder}/docker.sock`;
  private readonly bridge = `cr${randomBytes(4).toString("hex")}`;
  private daemon: ChildProcess | undefined;

  async start(): Promise<void> {
    await run("ip", ["link", "add", this.bridge, "type", "bridge"]);
    await run("ip", ["address", "add", `${await freeNetwork()}.1/24`, "dev", this.bridge]);
    await run("ip", ["link", "set", this.bridge, "up"]);
    const log = fs.openSync(path.join(this.folder, "log"), "a");
    const options = { data: "--data-root", exec: "--exec-root", pid: "--pidfile" };
    this.daemon = spawn(
      "unshare",
      [
        ...["--mount", "--propagation", "private", ownContainerd, "dockerd"],
        ...["--host", this.host, "--bridge", this.bridge],
        // The machine's engine has chains of the same names, which this one would empty: its containers would lose their ports.
        ...["--iptables=false", "--ip6tables=false"],
        ...Object.entries(options).flatMap(([name, option]) => [option, path.join(this.folder, name)]),
      ],
      { stdio: ["ignore", log, log], env: { ...process.env, PATH: `${engine29Programs}:${process.env.PATH ?? ""}` } },
    );
    fs.closeSync(log);
    await eventually(
      "the start of Docker Engine 29",
      async () => {
        if (this.daemon?.exitCode !== null) {
          throw new Error(`the engine ended:\n${fs.readFileSync(path.join(this.folder, "log"), "utf8").slice(-3000)}`);
        }
        return (await attempt("docker", ["version"], { env: { DOCKER_HOST: this.host } })).code === 0;
      },
      120,
    );
  }

  async dispose(): Promise<void> {
    const daemon = this.daemon;
    if (daemon?.exitCode === null) {
      const ended = new Promise((resolve) => daemon.once("exit", resolve));
      daemon.kill("SIGTERM");
      await ended;
    }
    await attempt("ip", ["link", "delete", this.bridge]);
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
}

let engine: Engine29 | undefined;

export async function startEngine29(): Promise<void> {
  engine = new Engine29();
  try {
    await engine.start();
  } catch (error) {
    await stopEngine29();
    throw error;
  }
  process.env[engine29Variable] = engine.host;
}

export async function stopEngine29(): Promise<void> {
  await engine?.dispose();
}
