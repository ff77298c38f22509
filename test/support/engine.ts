import { ChildProcess, spawn } from "child_process";
import { randomBytes } from "crypto";
import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import { makeCertificate } from "./pki";
import { rootless, rootlessFiles } from "./rootless";
import { attempt, eventually, Result, run } from "./run";
import { Environment, projectRoot } from "./testStack";

/** The first three numbers of a network that is not in use on this machine, separated by dots. */
export const freeNetwork = (): Promise<string> => run(path.join(projectRoot, "scripts", "free-network.sh"), []);

/** Runs an engine with a containerd of its own. */
export const ownContainerd = path.join(projectRoot, "scripts", "own-containerd.sh");

/**
 * A Docker engine of the test's own, which it may stop: with data, a network and an /etc/docker of its own. To the test it is
 * remote: it has an address of its own and is reached over TCP, with TLS if asked for, or through a socket, which is the only way to a
 * rootless one. Needs root.
 */
export class PrivateEngine {
  /** The engine's address, seen from the test and from the engine itself. */
  public readonly address: string;
  /** Where its API is. */
  public readonly host: string;
  /** Its API on a socket of the test's machine. */
  public readonly socket: string;
  /** The folder with what a client needs for TLS; undefined without TLS. */
  public readonly certPath: string | undefined;
  /** The environment that makes Docker's and Pulumi's commands use this engine. */
  public readonly env: Environment;
  private readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-engine-"));
  private readonly id = randomBytes(4).toString("hex");
  /** Names of links have 15 characters at most. */
  private readonly ourLink = `cr${this.id}h`;
  private readonly namespace = `cr${this.id}`;
  /** The address by which the engine and its containers reach the test. */
  public readonly ourAddress: string;
  private daemon: ChildProcess | undefined;
  /** A descriptor of the mounts of a crashed engine: the containers that it left running still have them. */
  private left: number | undefined;

  private constructor(
    network: string,
    tls: boolean,
    private readonly asUser: boolean,
  ) {
    this.ourAddress = `${network}.1`;
    this.address = `${network}.2`;
    this.socket = `unix://${this.folder}/docker.sock`;
    if (tls) {
      this.host = `tcp://${this.address}:2376`;
      this.certPath = path.join(this.folder, "client");
      this.env = { DOCKER_HOST: this.host, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: this.certPath };
      this.writeCertificates();
    } else {
      this.host = asUser ? this.socket : `tcp://${this.address}:2375`;
      this.env = { DOCKER_HOST: this.host };
    }
  }

  /**
   * Starts an engine that knows its own address by the given host names; with `tls` it wants a client's certificate over TCP, and with
   * `asUser` it is a rootless one.
   */
  static async start(names: readonly string[] = [], { tls = false, asUser = false } = {}): Promise<PrivateEngine> {
    const engine = new PrivateEngine(await freeNetwork(), tls, asUser);
    try {
      await engine.makeNetwork();
      engine.write("docker/.keep", "");
      Object.entries(asUser ? rootlessFiles : {}).forEach(([name, content]) => engine.write(name, content));
      engine.write("hosts", ["127.0.0.1 localhost", `${engine.address} engine ${names.join(" ")}`, ""].join("\n"));
      await engine.start();
      return engine;
    } catch (error) {
      await engine.dispose();
      throw error;
    }
  }

  /** Writes a file of the engine; `docker/` is its /etc/docker. */
  write(name: string, content: string): void {
    const file = path.join(this.folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }

  private writeCertificates(): void {
    const ca = makeCertificate({ subject: "CA of the test's engine", authority: true });
    for (const [folder, names] of [
      ["server", [this.address]],
      ["client", []],
    ] as const) {
      const { certificate, privateKey } = makeCertificate({ subject: folder, names: [...names], issuer: ca });
      this.write(`${folder}/ca.pem`, ca.certificate);
      this.write(`${folder}/cert.pem`, certificate);
      this.write(`${folder}/key.pem`, privateKey);
    }
  }

  private async makeNetwork(): Promise<void> {
    const theirLink = `cr${this.id}e`;
    await run("ip", ["netns", "add", this.namespace]);
    await run("ip", ["link", "add", this.ourLink, "type", "veth", "peer", "name", theirLink, "netns", this.namespace]);
    await run("ip", ["address", "add", `${this.ourAddress}/30`, "dev", this.ourLink]);
    await run("ip", ["link", "set", this.ourLink, "up"]);
    const inside = (...words: string[]): Promise<string> => run("ip", ["-netns", this.namespace, ...words]);
    await inside("link", "set", "lo", "up");
    await inside("address", "add", `${this.address}/30`, "dev", theirLink);
    await inside("link", "set", theirLink, "up");
    await inside("route", "add", "default", "via", this.ourAddress);
  }

  /** Starts the engine, the first time and after `stop` or `crash`; returns when it answers. */
  async start(): Promise<void> {
    const log = fs.openSync(path.join(this.folder, "log"), "a");
    const tls =
      this.certPath === undefined
        ? "--tls=false"
        : '--tlsverify --tlscacert "$0/server/ca.pem" --tlscert "$0/server/cert.pem" --tlskey "$0/server/key.pem"';
    const [place, mounts, containerd] =
      this.left === undefined
        ? [
            ["unshare", "--mount", "--propagation", "private"],
            'mkdir -p /etc/docker && mount --bind "$0/docker" /etc/docker && mount --bind "$0/hosts" /etc/hosts &&',
            ownContainerd,
          ]
        : [["nsenter", `--mount=/proc/${process.pid}/fd/${this.left}`], "", ""];
    const daemonWords = `--data-root "$0/data" --exec-root "$0/exec" --pidfile "$0/pid" --host ${this.host} --host ${this.socket} ${tls}`;
    // Not `ip netns exec`, which hides the control groups. The engine is the one on PATH. It ends with the test, however that ends.
    const script = this.asUser
      ? `${mounts} ${rootless} ${daemonWords}`
      : `${mounts} exec setpriv --pdeathsig TERM ${containerd} dockerd ${daemonWords}`;
    const daemon = spawn(
      "nsenter",
      [`--net=/run/netns/${this.namespace}`, ...place, "sh", "-c", script, this.folder],
      // Without `env`, a test's child has the environment of Jest and not the test's.
      { stdio: ["ignore", log, log], env: process.env },
    );
    fs.closeSync(log);
    this.daemon = daemon;
    await eventually("the start of the engine", async () => {
      if (daemon.exitCode !== null) {
        throw new Error(`the engine ended:\n${fs.readFileSync(path.join(this.folder, "log"), "utf8").slice(-3000)}`);
      }
      return (await attempt("docker", ["version"], { env: this.env })).code === 0;
    });
  }

  /** Stops the engine as at the shutdown of a machine: containers are asked to end. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
    if (this.left !== undefined) {
      fs.closeSync(this.left);
      this.left = undefined;
    }
  }

  /** Ends the engine as if the kernel had killed it: its containers run on, unattended, until it is started again. */
  async crash(): Promise<void> {
    this.left ??= fs.openSync(`/proc/${this.daemon?.pid}/ns/mnt`, "r");
    await this.end("SIGKILL");
    // Its containerd ends with it, but may take a while: the next engine would take it for its own, and wait in vain.
    fs.rmSync(path.join(this.folder, "exec", "containerd", "containerd.pid"), { force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.daemon;
    if (daemon?.exitCode === null && daemon.signalCode === null) {
      const ended = new Promise((resolve) => daemon.once("exit", resolve));
      daemon.kill(signal);
      await ended;
    }
  }

  /** Runs a command as if on the engine's machine: with its network, its /etc/docker and its names. */
  on(command: string, args: readonly string[], env: Environment = {}): Promise<Result> {
    return attempt("nsenter", ["--target", String(this.daemon?.pid), "--mount", "--net", command, ...args], {
      env: { ...this.env, ...env },
    });
  }

  async dispose(): Promise<void> {
    await this.stop();
    await attempt("ip", ["link", "delete", this.ourLink]);
    await attempt("ip", ["netns", "delete", this.namespace]);
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
}
