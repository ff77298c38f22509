import * as fs from "fs";
import * as path from "path";
import { usage } from "../../commands/images/arguments";
import { ownerLabel } from "../../components/docker/volumeOwner";
import { checkVolumes } from "../../scripts/volumes";
import { FakeCommands } from "../support/fakeCommands";
import { attempt } from "../support/run";

const root = path.join(__dirname, "..", "..");
const commands = new FakeCommands();

const nodes = path.join(commands.folder, "nodes");

beforeAll(() => {
  fs.cpSync(path.join(root, "scripts"), path.join(commands.folder, "scripts"), { recursive: true });
  // Somebody may have a lab on this machine.
  const lab = fs.readFileSync(path.join(root, "scripts/lab.sh"), "utf8");
  commands.write("scripts/lab.sh", lab.replace("/var/tmp/container-registry-lab", nodes));
  commands.write("scripts/setup.sh", "#!/bin/sh\n");
  commands.write(
    "scripts/swarm-nodes.sh",
    `#!/bin/sh\necho "nodes $1"\ncase $1 in up) mkdir -p "$2" && touch "$2/id" ;; down) rm -rf "$2" ;; esac\n`,
  );
});
beforeEach(() => commands.calls());
afterAll(() => commands.dispose());

/** Runs a script where `pulumi stack select` ends with these words. */
async function takeDown(words: string, script: string, ...args: string[]): ReturnType<typeof attempt> {
  commands.make("pulumi", `case "$*" in "stack select"*) echo '${words}' >&2; exit 255 ;; esac`);
  return attempt(path.join(commands.folder, "scripts", script), args, {
    env: { ...commands.env, PULUMI_BACKEND_URL: "file:///nowhere" },
  });
}

/** Runs a script of a clone from which nothing was deployed yet. */
function fresh(script: string, ...args: string[]): ReturnType<typeof attempt> {
  const env = { ...commands.env, PULUMI_HOME: commands.folder, PULUMI_BACKEND_URL: "", PULUMI_CREDENTIALS_PATH: undefined };
  return attempt(path.join(commands.folder, "scripts", script), args, { env });
}

const absent = (stack: string): string => `error: no stack named '"'${stack}'"' found`;
const unreadable = "error: getting secrets manager: incorrect passphrase";

describe("taking a stack down", () => {
  it("does nothing where there is none", async () => {
    const { code, stdout } = await takeDown(absent("dev"), "stop.sh");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "There is no stack dev; nothing to take down.\n" });
    expect(commands.calls()).toEqual(["pulumi stack select dev"]);
  });

  it("asks nobody, and leaves nothing, before anything was deployed", async () => {
    commands.make("pulumi", "exit 127");
    const nothing = { code: 0, stdout: "There is no stack dev; nothing to take down.\n", stderr: "" };
    expect(await fresh("stop.sh")).toEqual(nothing);
    expect(await fresh("lab.sh", "down")).toEqual({ code: 0, stdout: "nodes down\n", stderr: "" });
    const message = "There is no registry to look into; npm start brings one, and what this needs.\n";
    expect(await fresh("images.sh", "list")).toEqual({ code: 1, stdout: "", stderr: message });
    fs.cpSync(path.join(root, "commands/images/usage.txt"), path.join(commands.folder, "commands/images/usage.txt"));
    expect(await fresh("images.sh", "--help")).toEqual({ code: 0, stdout: usage, stderr: "" });
    expect(commands.calls()).toEqual([]);
    expect(fs.existsSync(path.join(commands.folder, ".quickstart"))).toBe(false);
  });

  const gone =
    "\nThe registry is gone. Bring up a new one with: npm start\nNo more is needed: `pulumi stack rm dev` would take stacks/Pulumi.dev.yaml too, unless by --preserve-config.\n";
  const others = "\nThe stack dev is gone. The container container-registry-dev is not its own, and stays:";
  it.each([
    ["nothing in the stack", '"manifest": {}', "true", "There is nothing in the stack dev; nothing to take down.\n", false],
    ["a registry", '"urn": "a"', "exit 1", gone, true],
    ["a registry, which another clone has", '"urn": "a"', "true", others, true],
  ])("tells what became of %s", async (_, state, docker, said, destroyed) => {
    commands.make("pulumi", `case "$*" in "stack export"*) echo '{ ${state} }' ;; esac`).make("docker", docker);
    const { code, stdout } = await attempt(path.join(commands.folder, "scripts", "stop.sh"), [], {
      env: { ...commands.env, PULUMI_BACKEND_URL: "file:///nowhere" },
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(said) as string });
    expect(commands.calls().includes("pulumi destroy --stack dev --yes")).toBe(destroyed);
  });

  it("takes nothing down where Pulumi would forget what runs on another engine", async () => {
    commands.make("pulumi", `case "$*" in "stack export"*) echo '{ "urn": "a" }' ;; esac`);
    commands.make("node", "cat", 'echo "The Docker engine does not have the volume" >&2', "exit 1").write("node_modules/a", "");
    const { code, stdout, stderr } = await attempt(path.join(commands.folder, "scripts", "stop.sh"), [], {
      env: { ...commands.env, PULUMI_BACKEND_URL: "file:///nowhere" },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '{ "urn": "a" }\n' });
    expect(stderr).toMatch(
      /^The Docker engine does not have the volume\nNothing was taken down\. Run npm start where the registry is/,
    );
    expect(commands.calls().filter((call) => call.startsWith("pulumi destroy"))).toEqual([]);
    fs.rmSync(path.join(commands.folder, "node_modules"), { recursive: true });
  });

  it("goes on with the lab's nodes where there is none", async () => {
    const { code, stdout } = await takeDown(absent("lab"), "lab.sh", "down");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "nodes down\n" });
  });

  it.each([
    ["keeps the registry", "stop.sh", [], "", ""],
    [
      "takes the lab's nodes, and tells what stays",
      "lab.sh",
      ["down"],
      "nodes down\n",
      "lab: the nodes are gone, but the stack lab stays, for the reason above. Once that is mended: npm run lab -- down\n",
    ],
  ])("does not take another failure for that, and %s", async (_, script, args, said, advice) => {
    const { code, stdout, stderr } = await takeDown(unreadable, script, ...args);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: said, stderr: `${unreadable}\n${advice}` });
    expect(commands.calls()).toHaveLength(1);
  });
});

describe("the lab", () => {
  const lab = (command: string): ReturnType<typeof attempt> =>
    attempt(path.join(commands.folder, "scripts/lab.sh"), [command], {
      env: { ...commands.env, PULUMI_BACKEND_URL: "file:///nowhere" },
    });
  const owner = path.join(nodes, "owner");

  it.each([
    ["whose nodes are gone", "destroy*", 0, "nodes down\n", "lab: the nodes are taken down without it\n"],
    [
      "that is locked",
      "destroy* | *rm*",
      1,
      "",
      "lab: the nodes stay. If the stack is locked, and no other up or down of the lab runs: npm run --silent pulumi -- cancel --yes --stack lab, then again\n",
    ],
  ])("takes down a stack %s", async (_, failing, code, stdout, stderr) => {
    commands.make("pulumi", `case "$*" in ${failing}) exit 255 ;; esac`);
    expect(await lab("down")).toEqual({ code, stdout, stderr });
  });

  it("is its clone's, and another is told whose it is", async () => {
    commands.make("pulumi").make("docker");
    const other = new FakeCommands();
    try {
      expect((await lab("up")).code).toBe(0);
      expect(fs.readFileSync(owner, "utf8")).toBe(`${commands.folder}\n`);
      expect((await lab("up")).code).toBe(0);
      other.write("scripts/lab.sh", "");
      fs.writeFileSync(owner, `${other.folder}\n`);
      commands.calls();
      const stderr = `lab: the lab on this machine is of the clone in ${other.folder}. Take it down there first: npm run lab -- down\n`;
      for (const command of ["up", "down"]) {
        expect(await lab(command)).toEqual({ code: 1, stdout: "", stderr });
      }
      expect(commands.calls()).toEqual([]);
      expect(fs.existsSync(owner)).toBe(true);
    } finally {
      other.dispose();
    }
    // The clone that made it is gone.
    expect(await lab("down")).toEqual({ code: 0, stdout: "nodes down\n", stderr: "" });
    expect(fs.existsSync(nodes)).toBe(false);
  });

  it("of which nobody noted the owner is that of a clone with its stack", async () => {
    commands.make("pulumi").make("docker");
    expect((await lab("up")).code).toBe(0);
    fs.rmSync(owner);
    commands.make("pulumi", `case "$*" in "stack select"*) echo 'no stack named' >&2; exit 255 ;; esac`);
    const stderr = `lab: there is a lab on this machine, and none in the state of this clone. Take it down in the clone that made it; if that is gone: scripts/swarm-nodes.sh down ${nodes}\n`;
    for (const command of ["up", "down"]) {
      expect(await lab(command)).toEqual({ code: 1, stdout: "", stderr });
    }
    commands.make("pulumi");
    expect((await lab("up")).code).toBe(0);
    expect(fs.existsSync(owner)).toBe(true);
    expect(await lab("down")).toEqual({ code: 0, stdout: "nodes down\n", stderr: "" });
  });
});

describe("the volumes of a state", () => {
  const { PATH } = process.env;
  beforeAll(() => (process.env.PATH = commands.env.PATH));
  afterEach(() => delete process.env.DOCKER_HOST);
  afterAll(() => (process.env.PATH = PATH));

  const provider = (name: string, inputs: object): object => ({
    urn: `urn:${name}`,
    type: "pulumi:providers:docker",
    id: "1",
    inputs,
  });
  const volume = (name: string, by: string, owner?: string): object => ({
    urn: `urn:${name}`,
    type: "docker:index/volume:Volume",
    provider: `urn:${by}::1`,
    outputs: { name, labels: owner === undefined ? undefined : [{ label: ownerLabel, value: owner }] },
  });
  const resources = [
    provider("engine", { host: "ssh://far", context: "", certPath: "" }),
    provider("default", { version: "5.2.0" }),
    { urn: "urn:password", type: "random:index/randomPassword:RandomPassword" },
    volume("registry-data", "engine"),
    volume("registry-audit", "engine", "ours"),
    volume("mirror-data", "default"),
  ];
  const check = (): Promise<void> => checkVolumes({ deployment: { resources } } as Parameters<typeof checkVolumes>[0]);

  it("are asked for where Pulumi goes", async () => {
    commands.make("docker", "echo '{}'");
    process.env.DOCKER_HOST = "unix:///tmp/other.sock";
    await check();
    expect(commands.calls()).toEqual([
      "docker --host ssh://far volume inspect --format {{json .Labels}} registry-data",
      "docker --host ssh://far volume inspect --format {{json .Labels}} registry-audit",
      "docker --host unix:///tmp/other.sock volume inspect --format {{json .Labels}} mirror-data",
    ]);
  });

  it("may lack one that a destroy took that was cut off", async () => {
    commands.make("docker", `case "$*" in *-audit) echo "Error: No such volume" >&2; exit 1 ;; *) echo null ;; esac`);
    await check();
  });

  it("are missed where another clone has some by these names", async () => {
    commands.make("docker", `echo '{"${ownerLabel}": "theirs"}'`);
    await expect(check()).rejects.toThrow("The volume registry-audit on this Docker engine is of another registry by that name");
  });

  it("are missed where they are not", async () => {
    commands.make("docker", 'case "$*" in *ssh*) echo null ;; *) echo "Error: No such volume" >&2; exit 1 ;; esac');
    await expect(check()).rejects.toThrow("The Docker engine unix:///var/run/docker.sock does not have the volume mirror-data.");
  });
});
