import { ChildProcess, spawn } from "child_process";
import * as fs from "fs";
import { Workspace } from "./clients";
import { freePort } from "./ports";
import { attempt, eventually, run } from "./run";
import { Environment } from "./testStack";

/** An ssh server on loopback: its commands are run as root with an environment of the test's. Needs root. */
export class SshServer {
  private constructor(
    /** `ssh://…`, as Docker hosts are written. */
    public readonly url: string,
    /** The environment that makes the ssh command trust the server, and log in. */
    public readonly env: Environment,
    private readonly workspace: Workspace,
    private readonly server: ChildProcess,
  ) {}

  static async start(environment: Environment): Promise<SshServer> {
    const workspace = new Workspace();
    const { folder } = workspace;
    const port = await freePort();
    for (const key of ["host-key", "key"]) {
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${key}`]);
    }
    const read = (file: string): string => fs.readFileSync(`${folder}/${file}`, "utf8");
    workspace.write("known-hosts", `[127.0.0.1]:${port} ${read("host-key.pub")}`);
    workspace.write("authorized-keys", read("key.pub"));
    const configuration = workspace.write(
      "sshd.conf",
      [
        `ListenAddress 127.0.0.1:${port}`,
        `HostKey ${folder}/host-key`,
        `AuthorizedKeysFile ${folder}/authorized-keys`,
        "PidFile none",
        "PasswordAuthentication no",
        "PermitRootLogin prohibit-password",
        // The folder is in /tmp, which everybody may write to.
        "StrictModes no",
        // Each call of an engine's API makes a connection.
        "MaxStartups 100",
        `SetEnv ${Object.entries(environment)
          .map(([name, value]) => `${name}=${value}`)
          .join(" ")}`,
        "",
      ].join("\n"),
    );
    // ssh looks into the user's home folder, whatever HOME says.
    const known = `-F none -i ${folder}/key -o UserKnownHostsFile=${folder}/known-hosts -o IdentitiesOnly=yes`;
    fs.chmodSync(workspace.write("bin/ssh", `#!/bin/sh\nexec /usr/bin/ssh ${known} "$@"\n`), 0o755);
    const env = { PATH: `${folder}/bin:${process.env.PATH ?? ""}` };
    // If sshd does not run as a service, nothing has made this folder.
    fs.mkdirSync("/run/sshd", { recursive: true });
    const server = spawn("setpriv", ["--pdeathsig", "TERM", "/usr/sbin/sshd", "-D", "-e", "-f", configuration], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const made = new SshServer(`ssh://root@127.0.0.1:${port}`, env, workspace, server);
    try {
      await eventually(
        "the start of the ssh server",
        async () => (await attempt("ssh", ["--", made.url, "true"], { env })).code === 0,
      );
    } catch (error) {
      made.dispose();
      throw error;
    }
    return made;
  }

  dispose(): void {
    this.server.kill();
    this.workspace.dispose();
  }
}
