import { ChildProcess, spawn } from "child_process";
import * as path from "path";
import { Tool, Workspace } from "./clients";
import { attempt, eventually, Result, RunOptions } from "./run";
import { RegistryOutputs } from "./testStack";

/** buildah and podman, with a storage of their own that needs no special file system. Needs root. */
abstract class ContainersTool extends Tool {
  protected override arguments(words: readonly string[]): string[] {
    const storage = ["--storage-driver", "vfs", "--root", this.path("storage"), "--runroot", this.path("run")];
    return [...storage, ...this.globals(), ...words];
  }

  /** Flags that come before the command, besides those for the storage. */
  protected globals(): string[] {
    return [];
  }

  protected override options(): RunOptions {
    return { env: { REGISTRY_AUTH_FILE: this.path("config.json"), SSL_CERT_FILE: this.path("ca.crt") } };
  }
}

export class Buildah extends ContainersTool {
  constructor(outputs: RegistryOutputs) {
    super("buildah", outputs);
  }
}

export class Podman extends ContainersTool {
  constructor(outputs: RegistryOutputs) {
    super("podman", outputs);
  }

  protected override globals(): string[] {
    return ["--tmpdir", this.path("tmp"), "--cgroup-manager", "cgroupfs", "--events-backend", "none"];
  }
}

/** containerd's own client, with a containerd of its own. Needs root. */
export class Ctr {
  private readonly workspace = new Workspace();
  private readonly socket = this.path("containerd.sock");
  private readonly daemon: ChildProcess;

  constructor(private readonly outputs: RegistryOutputs) {
    const configuration = this.workspace.write(
      "containerd.toml",
      `version = 2\nroot = "${this.path("root")}"\nstate = "${this.path("state")}"\n[grpc]\n  address = "${this.socket}"\n`,
    );
    const ca = this.workspace.write("ca.crt", outputs.caCertificate);
    this.workspace.write(
      `hosts/${outputs.repositoryPrefix}/hosts.toml`,
      `server = "${outputs.endpoint}"\n[host."${outputs.endpoint}"]\n  ca = "${ca}"\n`,
    );
    this.daemon = spawn("containerd", ["--config", configuration], { stdio: "ignore" });
  }

  private path(name: string): string {
    return path.join(this.workspace.folder, name);
  }

  private attempt(...words: string[]): Promise<Result> {
    return attempt("ctr", ["--address", this.socket, ...words]);
  }

  /** Pulls or pushes. */
  async images(command: "pull" | "push", ...words: string[]): Promise<void> {
    await eventually("the start of containerd", async () => (await this.attempt("version")).code === 0);
    const login = `${this.outputs.username}:${this.outputs.password}`;
    const given = ["--hosts-dir", this.path("hosts"), "--user", login, ...words];
    expect(await this.attempt("images", command, ...given)).toMatchObject({ code: 0 });
  }

  async dispose(): Promise<void> {
    const ended = new Promise((resolve) => this.daemon.once("exit", resolve));
    this.daemon.kill("SIGTERM");
    await ended;
    this.workspace.dispose();
  }
}
