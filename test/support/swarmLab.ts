import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import { DockerClient } from "./clients";
import { attempt, eventually, Result, run } from "./run";
import { projectRoot } from "./testStack";

const script = path.join(projectRoot, "scripts", "swarm-nodes.sh");

/** A node of the Swarm: a manager with an engine and a network of its own. */
export interface LabNode {
  name: string;
  /** Docker host. */
  host: string;
  /** IP address, as the test reaches it. */
  address: string;
}

/** Five managers on this machine. Needs root. */
export class SwarmLab {
  private constructor(
    private readonly folder: string,
    private readonly programs: readonly string[],
    readonly nodes: readonly LabNode[],
    /** Address by which the nodes reach this machine. */
    readonly machine: string,
  ) {}

  /** The first nodes have engines from the given folders, one each; the others have the machine's engine. */
  static async up(programs: readonly string[] = []): Promise<SwarmLab> {
    const folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-swarm-")), "nodes");
    try {
      const lines = (await run(script, upWords(folder, programs))).split("\n").map((line) => line.split(" "));
      const nodes = lines.map(([name = "", host = "", address = ""]) => ({ name, host, address }));
      const machine = nodes.pop()?.address ?? "";
      return new SwarmLab(folder, programs, nodes, machine);
    } catch (error) {
      await attempt(script, ["down", folder]);
      throw error;
    }
  }

  /** The first node: the manager that deployments talk to. */
  get manager(): LabNode {
    return this.node(1);
  }

  node(number: number): LabNode {
    const node = this.nodes[number - 1];
    if (node === undefined) {
      throw new Error(`there is no node ${number}`);
    }
    return node;
  }

  /** The docker command on a node, with a login of its own. */
  client(node: LabNode): DockerClient {
    return new DockerClient({ DOCKER_HOST: node.host });
  }

  docker(node: LabNode, ...words: string[]): Promise<string> {
    return run("docker", words, { env: { DOCKER_HOST: node.host } });
  }

  /** Runs a command as if on the node's machine. */
  on(node: LabNode, ...words: string[]): Promise<Result> {
    return attempt(script, ["exec", this.folder, node.name, ...words]);
  }

  /** Ends a node as a power failure does. */
  async kill(node: LabNode): Promise<void> {
    await run(script, ["kill", this.folder, node.name]);
  }

  /** Brings back the nodes that were killed. */
  async revive(): Promise<void> {
    await run(script, upWords(this.folder, this.programs));
  }

  /** What a deployment has left on the nodes, by a part of its name. Swarm ends the tasks of a service only after the service is gone. */
  async left(name: string): Promise<string[]> {
    let left: string[] = [];
    await eventually(
      `the end of the tasks of ${name}`,
      async () => {
        left = await this.found(name);
        return left.every((each) => !each.includes(": container "));
      },
      90,
    );
    return left;
  }

  private async found(name: string): Promise<string[]> {
    const lists = [
      ["service", "ls", "--format", "service {{.Name}}"],
      ["secret", "ls", "--format", "secret {{.Name}}"],
      ["config", "ls", "--format", "config {{.Name}}"],
      ["network", "ls", "--format", "network {{.Name}}"],
      ["volume", "ls", "--format", "volume {{.Name}}"],
      ["ps", "--all", "--format", "container {{.Names}}"],
    ];
    const found = await Promise.all(
      this.nodes.flatMap((node) =>
        lists.map(async (list) => (await this.docker(node, ...list)).split("\n").map((each) => `${node.name}: ${each}`)),
      ),
    );
    return found.flat().filter((each) => each.includes(name));
  }

  async dispose(): Promise<void> {
    await run(script, ["down", this.folder]);
    fs.rmSync(path.dirname(this.folder), { recursive: true, force: true });
  }
}

function upWords(folder: string, programs: readonly string[]): string[] {
  return ["up", folder, "5", ...programs];
}
