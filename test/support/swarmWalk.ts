import * as fs from "fs";
import * as path from "path";
import { DockerClient, request, Workspace } from "./clients";
import { run } from "./run";
import { LabNode, SwarmLab } from "./swarmLab";
import { projectRoot, RegistryOutputs, Settings } from "./testStack";

/* The course's walk on a Swarm, and the nodes' answers. */

/** A web server and a greeting: what the course calls nginx and hello-world. No registry on the internet has to be reached. */
const program = `package main
import ("fmt"; "net"; "os")
func main() {
  if len(os.Args) < 2 { fmt.Println("Hello from Docker!"); return }
  listener, err := net.Listen("tcp", os.Args[1])
  if err != nil { panic(err) }
  for {
    if connection, err := listener.Accept(); err == nil {
      fmt.Fprint(connection, "HTTP/1.0 200 OK\\r\\n\\r\\nwelcome")
      connection.Close()
    }
  }
}`;

/** The configuration with which the server's image gets to the nodes that are not the manager. */
export function nodesOf(lab: SwarmLab): Settings {
  return Object.fromEntries(lab.nodes.slice(1).map(({ host }, index) => [`swarm.nodes[${index}]`, host]));
}

/** The status with which a node answers a login. */
export async function ping(outputs: RegistryOutputs, { address }: LabNode, password = outputs.password): Promise<number> {
  return (await request(outputs, "/v2/", { host: address, login: { username: outputs.username, password } })).status;
}

export async function everyNodeAnswers(lab: SwarmLab, outputs: RegistryOutputs): Promise<void> {
  for (const node of lab.nodes) {
    expect(`${node.name} ${await ping(outputs, node)}`).toBe(`${node.name} 200`);
  }
}

/** Pushes two images on the manager, runs one on every other node, and a service of the other on all; `engines` are the nodes' clients. */
export async function runWalk(lab: SwarmLab, engines: readonly DockerClient[], outputs: RegistryOutputs): Promise<void> {
  const [pusher, ...others] = engines;
  const [hello, nginx] = [`${outputs.repositoryPrefix}/hello-world:1`, `${outputs.repositoryPrefix}/nginx:1`];
  if (pusher === undefined) {
    throw new Error("the manager has no client");
  }
  const workspace = new Workspace();
  try {
    workspace.write("program.go", program);
    const binary = path.join(workspace.folder, "program");
    await run("go", ["build", "-o", binary, "program.go"], { cwd: workspace.folder, env: { CGO_ENABLED: "0", GOFLAGS: "" } });
    const files = (command: string[]): Record<string, string | Buffer> => ({
      program: binary,
      Dockerfile: Buffer.from(`FROM scratch\nCOPY program /program\nCMD ${JSON.stringify(command)}\n`),
    });
    await pusher.buildFrom(hello, files(["/program"]));
    await pusher.buildFrom(nginx, files(["/program", ":80"]));
  } finally {
    workspace.dispose();
  }
  expect((await pusher.login(outputs)).code).toBe(0);
  await pusher.run("push", hello);
  await pusher.run("push", nginx);

  for (const client of others) {
    expect((await client.login(outputs)).code).toBe(0);
    await client.run("pull", hello);
    expect(await client.run("run", "--rm", hello)).toBe("Hello from Docker!");
  }
  for (const { address } of lab.nodes) {
    const catalog = await request(outputs, "/v2/_catalog", { host: address });
    expect(JSON.parse(catalog.body.toString())).toEqual({ repositories: ["hello-world", "nginx"] });
  }

  await pusher.run("service", "create", "--quiet", "--name", "web", "--replicas", "5", "--with-registry-auth", nginx);
  const format = ["--filter", "desired-state=running", "--format", "{{.Node}} {{.CurrentState}}"];
  const running = await pusher.run("service", "ps", "web", ...format);
  expect(
    running
      .replace(/ Running .*/g, " runs")
      .split("\n")
      .sort(),
  ).toEqual(lab.nodes.map(({ name }) => `${name} runs`));
  await pusher.run("service", "rm", "web");
}

/** The commands in a section of docs/swarm.md, block by block. */
export function commands(heading: string): string[] {
  const text = fs.readFileSync(path.join(projectRoot, "docs", "swarm.md"), "utf8");
  const section = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
}
