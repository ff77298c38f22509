import { randomBytes } from "crypto";
import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import { ConfigMap, LocalWorkspace, PreviewResult, Stack } from "@pulumi/pulumi/automation";
import { freePort } from "./ports";
import { attempt, run, RunOptions } from "./run";

/** A text that a search for secrets can't find by chance. */
const statePassphrase = "passphrase-of-the-tests";

export const projectRoot = path.join(__dirname, "..", "..");

/** The sources that the project deploys with. */
const sources = ["components", "program", "server", "index.ts"];

/** The outputs every target has, in clear. */
export interface RegistryOutputs {
  endpoint: string;
  repositoryPrefix: string;
  username: string;
  password: string;
  credentials: Record<string, string>;
  caCertificate: string;
  certificateExpiresAt: string;
  loginCommand: string;
  trustCommand: string;
  daemonConfig: string;
  mirrorEndpoint: string;
  metricsEndpoint: string;
  scrapeConfig: string;
  page: string;
  version: string;
  containerName: string;
  serviceName: string;
}

/** Configuration by key, or by path (`tls.mode`); a value in `secrets` is stored encrypted. */
export type Settings = Record<string, string | number | boolean>;

export type Environment = Record<string, string>;

/**
 * A stack of this project with state, configuration and names of its own, so that tests can run twice on one machine and
 * beside a user's stacks. Its folder has links to the program and a `stacks` folder that is really its own.
 */
export class TestStack {
  private constructor(
    public readonly folder: string,
    public readonly stack: Stack,
    public readonly name: string,
    /** What a command needs to work on this stack, and on the engine it is on. */
    public readonly env: Environment,
    private readonly project = "container-registry",
    /** What everything on the engine is named after. */
    public readonly resourceName = `container-registry-${name}`,
  ) {}

  /** Makes a stack; a self-hosted one on a free port, with `lab` on unless the settings say otherwise. `environment` can name another engine (`DOCKER_HOST`). */
  static async create(settings: Settings = {}, secrets: Settings = {}, environment: Environment = {}): Promise<TestStack> {
    const folder = programFolder();
    return deletedOnFailure(folder, async () => {
      const { stack, name, env } = await newStack(folder, environment);
      const made = new TestStack(folder, stack, name, env);
      const selfHosted: Settings = settings.target === "external" ? {} : { port: await freePort(), lab: true };
      await made.set({ ...selfHosted, ...settings }, secrets);
      return made;
    });
  }

  /** Makes a stack with this one's name and with state of its own, as in a second clone of the project. */
  async ofAnotherClone(settings: Settings): Promise<TestStack> {
    const folder = programFolder();
    return deletedOnFailure(folder, async () => {
      const { stack, name, env } = await newStack(folder, {}, this.name);
      const made = new TestStack(folder, stack, name, env);
      await made.set(settings);
      return made;
    });
  }

  /** Makes a stack of the YAML program in examples/, on a free port and under a name of its own; `change` edits its text. */
  static async ofYamlExample(change = (program: string): string => program): Promise<TestStack> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-test-"));
    return deletedOnFailure(folder, async () => {
      const resourceName = `registry-from-yaml-${randomBytes(4).toString("hex")}`;
      const program = fs
        .readFileSync(path.join(projectRoot, "examples", "yaml", "Pulumi.yaml"), "utf8")
        .replaceAll("registry-from-yaml", resourceName)
        .replace("../../components", path.join(projectRoot, "components"));
      fs.writeFileSync(path.join(folder, "Pulumi.yaml"), change(program));
      const { stack, name, env } = await newStack(folder, {});
      const made = new TestStack(folder, stack, name, env, resourceName, resourceName);
      await made.set({ port: await freePort() });
      return made;
    });
  }

  async set(settings: Settings, secrets: Settings = {}): Promise<void> {
    const values: ConfigMap = {};
    for (const [key, value] of Object.entries(settings)) {
      values[this.inNamespace(key)] = { value: String(value) };
    }
    for (const [key, value] of Object.entries(secrets)) {
      values[this.inNamespace(key)] = { value: String(value), secret: true };
    }
    await this.stack.setAllConfig(values, true);
  }

  /** A key with the project's name as a prefix, unless it has another one (`docker:host`). */
  private inNamespace(key: string): string {
    return key.includes(":") ? key : `${this.project}:${key}`;
  }

  async unset(key: string): Promise<void> {
    await this.stack.removeConfig(this.inNamespace(key), true);
  }

  /** Makes the next `up` deploy another build of the server: the stack gets sources of its own, with another version in them. */
  takeVersion(version: string): void {
    for (const entry of sources) {
      const own = path.join(this.folder, entry);
      fs.unlinkSync(own);
      fs.cpSync(path.join(projectRoot, entry), own, {
        recursive: true,
        filter: (file) => !/\/(\.build|node_modules)$/.test(file),
      });
    }
    const file = path.join(this.folder, "server", "internal", "version", "version.go");
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/(?<=const Version = ").*(?=")/, version));
  }

  async up(...words: string[]): Promise<RegistryOutputs> {
    // Pulumi's automation would start Pulumi's command three more times for each `up`.
    await this.ownPulumi("up", "--yes", "--skip-preview", "--suppress-progress", ...words);
    return this.outputs();
  }

  /** Does what a preview has planned, and stops at anything else. */
  async upByPlan(): Promise<RegistryOutputs> {
    const plan = path.join(this.folder, "plan.json");
    await this.ownPulumi("preview", "--save-plan", plan);
    return this.up("--plan", plan);
  }

  preview(): Promise<PreviewResult> {
    return this.stack.preview({ suppressProgress: true });
  }

  /** The kinds of change a preview finds, with their counts; `{ same: n }` when there is none. */
  async plannedChanges(): Promise<Record<string, number>> {
    return { ...(await this.preview()).changeSummary };
  }

  async outputs(): Promise<RegistryOutputs> {
    return JSON.parse(await this.ownPulumi("stack", "output", "--json", "--show-secrets")) as RegistryOutputs;
  }

  /** The state as it is stored: secrets are encrypted in it. */
  storedState(): string {
    const stacks = path.join(this.folder, "state", ".pulumi");
    return fs
      .readdirSync(stacks, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
  }

  /** Runs Pulumi's own command on this stack, in its folder, as a user would. */
  pulumi(...args: string[]): Promise<string> {
    return run("pulumi", args, this.inFolder());
  }

  /** Names the stack: the selected stack is a different one with other plugins. */
  private ownPulumi(...args: string[]): Promise<string> {
    return this.pulumi(...args, "--stack", this.stack.name);
  }

  /** For commands that are run as a user would: in the stack's folder, with its environment. */
  inFolder(): RunOptions {
    return { cwd: this.folder, env: this.env };
  }

  async destroy(): Promise<void> {
    // Pulumi's automation would ask for the stack's history each time.
    await this.ownPulumi("destroy", "--yes", "--skip-preview", "--suppress-progress");
  }

  /** Removes everything, even after a test that failed half way; for `afterAll`. */
  async dispose(): Promise<void> {
    await this.destroy().catch(() => undefined);
    fs.rmSync(this.folder, { recursive: true, force: true });
    const removals = {
      container: ["rm", "--force", "--volumes"],
      volume: ["volume", "rm", "--force"],
      image: ["image", "rm", "--force"],
    };
    for (const kind of ["container", "volume", "image"] as const) {
      for (const name of await this.engineObjects(kind)) {
        await attempt("docker", [...removals[kind], name], { env: this.env });
      }
    }
  }

  /** What the engine has of this stack, by name. */
  async engineObjects(kind: "container" | "volume" | "network" | "image"): Promise<string[]> {
    const list = {
      container: ["ps", "--all", "--format", "{{.Names}}"],
      volume: ["volume", "ls", "--format", "{{.Name}}"],
      network: ["network", "ls", "--format", "{{.Name}}"],
      image: ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"],
    }[kind];
    return (await run("docker", list, { env: this.env })).split("\n").filter((name) => name.includes(this.resourceName));
  }

  /** Everything the engine has of this stack, of every kind. */
  async leftOnEngine(): Promise<string[]> {
    const kinds = ["container", "volume", "network", "image"] as const;
    return (
      await Promise.all(kinds.map(async (kind) => (await this.engineObjects(kind)).map((name) => `${kind} ${name}`)))
    ).flat();
  }
}

/** Makes a folder with links to the program, and with `stacks` and `state` of its own. */
export function programFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-test-"));
  for (const entry of [...sources, "node_modules", "package.json", "tsconfig.json"]) {
    fs.symlinkSync(path.join(projectRoot, entry), path.join(folder, entry));
  }
  fs.copyFileSync(path.join(projectRoot, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
  fs.mkdirSync(path.join(folder, "stacks"));
  fs.mkdirSync(path.join(folder, "state"));
  return folder;
}

/** The environment that makes Pulumi keep its state in a folder. */
export const stateIn = (folder: string): Environment => ({
  PULUMI_BACKEND_URL: `file://${folder}/state`,
  PULUMI_CONFIG_PASSPHRASE: statePassphrase,
  PULUMI_CONFIG_PASSPHRASE_FILE: "",
});

/** Makes a stack in a folder, with its state there. */
async function newStack(
  folder: string,
  environment: Environment,
  name = `test-${randomBytes(4).toString("hex")}`,
): Promise<{ stack: Stack; name: string; env: Environment }> {
  fs.mkdirSync(path.join(folder, "state"), { recursive: true });
  const envVars = { ...stateIn(folder), ...environment };
  const stack = await LocalWorkspace.createStack({ stackName: name, workDir: folder }, { envVars });
  return { stack, name, env: stack.workspace.envVars };
}

async function deletedOnFailure<T>(folder: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
