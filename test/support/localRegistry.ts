import { ChildProcess, spawn } from "child_process";
import { Disposable } from "./cleanUp";
import { Workspace } from "./clients";
import { freePort } from "./ports";
import { eventually } from "./run";

/** The stock engine, or Debian's old one, run without a container; `more` is added to its configuration file. */
export class LocalRegistry extends Workspace implements Disposable {
  endpoint = "";
  private process: ChildProcess | undefined;

  /** The login is only written to the outputs; `more` has to configure it in the registry. */
  constructor(
    private readonly binary: string,
    private readonly login: { username: string; password: string },
  ) {
    super();
  }

  /** Starts the registry; returns a file with outputs like those of a stack. */
  async start(name: string, more: string): Promise<string> {
    const port = await freePort();
    const configuration = this.write(
      "config.yml",
      `version: 0.1
http: {addr: "127.0.0.1:${port}"}
storage:
  filesystem: {rootdirectory: ${this.folder}/data}
${more}`,
    );
    this.process = spawn(this.binary, ["serve", configuration], {
      stdio: "ignore",
      env: { ...process.env, OTEL_TRACES_EXPORTER: "none" },
    });
    this.endpoint = `http://127.0.0.1:${port}`;
    await eventually(`${name} to answer`, () =>
      fetch(`${this.endpoint}/v2/`).then(
        () => true,
        () => false,
      ),
    );
    return this.write(
      `${name}.json`,
      JSON.stringify({ endpoint: this.endpoint, repositoryPrefix: `127.0.0.1:${port}`, ...this.login }),
    );
  }

  stop(): void {
    this.process?.kill("SIGKILL");
  }

  override dispose(): void {
    this.stop();
    super.dispose();
  }
}
