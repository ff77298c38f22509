import type * as childProcess from "child_process";
import * as fs from "fs";
import * as path from "path";
import { promisify } from "util";
import * as pulumi from "@pulumi/pulumi";
import { pushedReference, pushImage } from "../../components/docker/imagePush";
import { checkStore } from "../../components/docker/storeCheck";
import { untilRolledOut, untilUpdated } from "../../components/swarm/rollout";
import { overlayNetworkId, swarmNodes } from "../../components/swarm/nodes";
import { loadOn } from "../../components/swarm/swarmImage";
import { checkPort } from "../../components/swarm/takenPort";
import { FakeCommands } from "../support/fakeCommands";

// Jest's process.env is a copy, which commands would not see.
jest.mock("child_process", () => {
  const real = jest.requireActual<typeof childProcess>("child_process");
  const execute = promisify(real.execFile);
  const execFile = (file: string, words: string[], options: object): unknown =>
    execute(file, words, { ...options, env: process.env });
  return { ...real, execFile: Object.assign(real.execFile.bind(real), { [promisify.custom]: execFile }) };
});

const tools = new FakeCommands();
const { PATH } = process.env;
beforeAll(() => {
  process.env.PATH = tools.env.PATH;
});
beforeEach(() => tools.calls());
afterAll(() => {
  process.env.PATH = PATH;
  tools.dispose();
});

const manager = { host: "unix:///manager" };
const template = { ContainerSpec: { Image: "sha256:1" }, Runtime: "container" };
const current = { ContainerSpec: { Image: "sha256:1" } };
const old = { ContainerSpec: { Image: "sha256:0" } };

const lost =
  "Tasks of before of the service registry could not be told to end, on node2 (down): where such a node still runs, its task serves " +
  "with the certificate and passwords of before until the node is back";

interface View {
  /** It is not the first definition of the service. */
  updated?: boolean;
  /** It had another port before. */
  moved?: boolean;
  update?: { State: string; Message?: string };
  replicas?: number;
  /** As `docker node ls` prints them. */
  nodes?: string[];
  tasks: { spec?: object; state: string; desired?: string; error?: string; node?: string }[];
}

/** An engine that shows a service like this, one view after the other; the last one stays. */
function engine(...views: View[]): void {
  const { nodes = ["id1 node1 Ready Active", "id2 node2 Ready Active"] } = views[0] ?? {};
  const answers = views.flatMap(({ updated, moved, update, replicas, tasks }, index) => {
    const service = {
      PreviousSpec: updated || moved ? { EndpointSpec: { Ports: [moved ? 5000 : 5001] } } : undefined,
      Spec: {
        TaskTemplate: template,
        Mode: replicas === undefined ? { Global: {} } : { Replicated: { Replicas: replicas } },
        EndpointSpec: { Ports: [5001] },
      },
      UpdateStatus: update,
    };
    const shown = tasks.map(({ spec = current, state, desired = "running", error, node }, number) => ({
      ID: `task-${number}`,
      NodeID: node,
      Spec: spec,
      Status: { State: state, Err: error, ContainerStatus: { ContainerID: state === "rejected" ? "" : "container" } },
      DesiredState: desired,
    }));
    return [tools.write(`service-${index}`, JSON.stringify(service)), tools.write(`tasks-${index}`, JSON.stringify(shown))];
  });
  const count = tools.write("count", "0");
  tools.make(
    "docker",
    `at=$(cat ${count})`,
    `case "$*" in`,
    `  *"service inspect"*) cat ${tools.folder}/service-$at ;;`,
    `  *"service ps"*) echo task ;;`,
    `  *"--type task"*) cat ${tools.folder}/tasks-$at; [ "$at" -ge ${views.length - 1} ] || echo $((at + 1)) > ${count} ;;`,
    `  *"service logs"*task-*) echo "the server's last words" ;;`,
    `  *"node ls"*) printf '${nodes.join("\\n")}' ;;`,
    `esac`,
  );
  expect(answers.length).toBeGreaterThan(0);
}

/** How often the service was looked at since the last time this was asked for. */
function looks(): number {
  return tools.calls().filter((call) => call.includes("--type task")).length;
}

/** Waits by a clock that goes on by so many seconds from one look to the next. */
async function timed(seconds: number): Promise<void> {
  let now = 0;
  const clock = jest.spyOn(Date, "now").mockImplementation(() => (now += seconds * 1000));
  await untilRolledOut(manager, "registry").finally(() => clock.mockRestore());
}

describe("the wait for a service", () => {
  it.each<[string, View[]]>([
    [
      "with a task on every node",
      [{ tasks: [{ state: "starting" }, { state: "running" }] }, { tasks: [{ state: "running" }, { state: "running" }] }],
    ],
    [
      "with replicas, one of them not yet made",
      [
        { replicas: 2, tasks: [{ state: "running" }] },
        { replicas: 2, tasks: [{ state: "running" }, { state: "running" }] },
      ],
    ],
    [
      "whose old tasks still run",
      [
        { replicas: 1, tasks: [{ spec: old, state: "running" }] },
        {
          update: { State: "updating" },
          replicas: 1,
          tasks: [{ spec: old, state: "running", desired: "shutdown" }, { state: "running" }],
        },
        {
          update: { State: "completed" },
          replicas: 1,
          tasks: [{ state: "running" }, { spec: old, state: "shutdown", desired: "shutdown" }],
        },
      ],
    ],
    [
      "with tasks on another port, which is not told by what they are made of",
      [
        { moved: true, tasks: [{ state: "running" }] },
        { moved: true, update: { State: "updating" }, tasks: [{ state: "running" }] },
        { moved: true, update: { State: "completed" }, tasks: [{ state: "running" }] },
      ],
    ],
    ["with tasks on the port of before", [{ updated: true, tasks: [{ state: "running" }] }]],
    [
      "whose tasks may stay where they are",
      [{ tasks: [{ spec: { ...current, Placement: { Constraints: ["before"] } }, state: "running" }] }],
    ],
    [
      "with failures that it got over",
      [
        { tasks: [{ state: "failed", desired: "shutdown" }, { state: "starting" }] },
        { tasks: [{ state: "failed", desired: "shutdown" }, { state: "running" }] },
      ],
    ],
  ])("ends with one %s", async (_, views) => {
    engine(...views);
    await untilRolledOut(manager, "registry");
    expect(looks()).toBe(views.length);
  });

  it("ends with an error once Swarm has rolled an update back", async () => {
    engine(
      {
        update: { State: "updating" },
        tasks: [{ state: "rejected", desired: "shutdown", error: "No such image: b" }, { state: "starting" }],
      },
      { update: { State: "rollback_started" }, tasks: [{ spec: old, state: "starting" }] },
      { update: { State: "rollback_completed", Message: "not yet" }, tasks: [{ spec: old, state: "starting" }] },
      {
        update: { State: "rollback_completed", Message: "rollback completed" },
        tasks: [
          { state: "rejected", desired: "shutdown", error: "No such image: b" },
          { spec: old, state: "running" },
        ],
      },
    );
    await expect(untilRolledOut(manager, "registry")).rejects.toThrow(
      "The update of the service registry failed, and the service was rolled back and runs as before: rollback completed\n" +
        "Correct the configuration, or put it back, and run: pulumi up. Where the cause was another, take it away, leave the " +
        "configuration as it is, and run: pulumi up --refresh\n" +
        "  rejected: No such image: b\n",
    );
  });

  it.each<[string, View, string]>([
    [
      "a new service",
      { replicas: 1, tasks: [{ state: "starting" }] },
      "The service registry is not complete: 0 of 1 tasks run.\nthe server's last words",
    ],
    [
      "an update, whatever tasks of before said",
      {
        update: { State: "updating" },
        replicas: 1,
        tasks: [
          { spec: old, state: "running" },
          { spec: old, state: "failed", desired: "shutdown", error: "long ago" },
          { state: "pending", error: "no suitable node (insufficient resources on 3 nodes)" },
        ],
      },
      "The update of the service registry does not get on: 0 of 1 tasks are new, and those that none replaced yet serve on.\n" +
        "  pending: no suitable node (insufficient resources on 3 nodes)\n",
    ],
    [
      "a roll-back",
      { update: { State: "rollback_started" }, replicas: 1, tasks: [{ state: "pending", error: "no suitable node" }] },
      "The roll-back of the service registry does not get on: 0 of 1 tasks are back.\n  pending: no suitable node\n",
    ],
  ])("ends with an error that tells what does not get on: %s", async (_, view, message) => {
    engine(view);
    await expect(timed(100)).rejects.toHaveProperty("message", message);
  });

  describe("that only nodes out of service could take", () => {
    const away = "no suitable node (scheduling constraints not satisfied on 1 node; 1 node not available for new tasks)";
    const drained = "id2 node2 Ready Drain";
    const back = "  node2 is drained: docker node update --availability active node2\nWhen the node is back, run: pulumi up\n";

    it.each<[string, View, string]>([
      [
        "which runs nowhere",
        {
          update: { State: "updating" },
          replicas: 1,
          tasks: [
            { spec: old, state: "shutdown", desired: "shutdown" },
            { state: "pending", error: away },
          ],
        },
        "The update of the service registry does not get on: 0 of 1 tasks are new, and none of before runs.\n" +
          `  pending: ${away}\n${back}`,
      ],
      [
        "which has a task of before",
        {
          update: { State: "updating" },
          replicas: 1,
          tasks: [
            { spec: old, state: "running" },
            { state: "pending", error: away },
          ],
        },
        "The update of the service registry does not get on: 0 of 1 tasks are new, and those that none replaced yet serve on.\n" +
          `  pending: ${away}\n${back}`,
      ],
      [
        "which nobody has changed",
        { update: { State: "completed" }, replicas: 1, tasks: [{ state: "pending", error: away }] },
        `The service registry is not complete: 0 of 1 tasks run.\n  pending: ${away}\n${back}`,
      ],
      ["with a task on every node", { tasks: [] }, `The service registry is not complete: 0 of 1 tasks run.\n${back}`],
    ])("is short, and ends with what brings them back for one %s", async (_, view, message) => {
      engine({ ...view, nodes: ["id1 node1 Ready Active", drained] });
      await expect(timed(15)).rejects.toHaveProperty("message", message);
      expect(looks()).toBe(2);
    });

    it("goes on where one comes back", async () => {
      const waiting = { replicas: 1, tasks: [{ state: "pending", error: away }] };
      engine(waiting, { replicas: 1, tasks: [{ state: "starting" }] }, waiting, { replicas: 1, tasks: [{ state: "running" }] });
      await timed(15);
    });

    it("is a long one where one in service may have room yet", async () => {
      const error = "no suitable node (insufficient resources on 1 node; 1 node not available for new tasks)";
      engine({ replicas: 1, nodes: [drained], tasks: [{ state: "pending", error }] });
      await expect(timed(70)).rejects.toThrow(/\(insufficient resources on 1 node; 1 node not available for new tasks\)\n$/);
      expect(looks()).toBe(3);
    });

    it("tells of one that is down that nothing but its return helps", async () => {
      engine({
        replicas: 1,
        nodes: ["id1 node1 Ready Active", "id2 node2 Down Active"],
        tasks: [{ state: "pending", error: away }],
      });
      await expect(timed(15)).rejects.toThrow(`${away}\n  node2 is down\nWhen the node is back, run: pulumi up\n`);
    });
  });

  describe("with a task on every node, which Swarm updates but on nodes that are paused,", () => {
    const nodes = ["id1 node1 Ready Active", "id2 node2 Ready Pause"];
    const left = { spec: old, state: "running", node: "id2" };
    const message =
      "The update of the service registry left out nodes that are paused: there tasks of before serve on, with their certificate " +
      "and passwords.\n  node2 is paused: docker node update --availability active node2\nWhen the node is back, run: pulumi up\n";

    it.each<[string, View[]]>([
      [
        "once the others are done",
        [
          { nodes, tasks: [{ spec: old, state: "running", node: "id1" }, left] },
          { update: { State: "updating" }, tasks: [{ state: "starting", node: "id1" }, left] },
          { update: { State: "completed" }, tasks: [{ state: "starting", node: "id1" }, left] },
          { update: { State: "completed" }, tasks: [{ state: "running", node: "id1" }, left] },
        ],
      ],
      ["at once where all of them are, of which Swarm says nothing", [{ nodes, updated: true, tasks: [left] }]],
    ])("ends with an error %s", async (_, views) => {
      engine(...views);
      await expect(untilRolledOut(manager, "registry")).rejects.toHaveProperty("message", message);
      expect(looks()).toBe(views.length);
    });

    it("goes on where they have the new tasks already", async () => {
      engine({ nodes, update: { State: "completed" }, tasks: [{ state: "running", node: "id2" }] });
      await untilRolledOut(manager, "registry");
    });
  });

  it.each<[string, View["tasks"][number], string[]]>([
    ["is down", { spec: old, state: "running", desired: "shutdown", node: "id2" }, [lost]],
    ["is ready", { spec: old, state: "running", desired: "shutdown", node: "id1" }, []],
    ["is down, and whose task had ended", { spec: old, state: "shutdown", desired: "shutdown", node: "id2" }, []],
    ["is down, whose task is no other than the present ones", { state: "running", desired: "shutdown", node: "id2" }, []],
  ])("warns of a task of before that may run on a node which %s", async (_, task, warnings) => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    engine({
      nodes: ["id1 node1 Ready Active", "id2 node2 Down Active"],
      update: { State: "completed" },
      tasks: [{ state: "running", node: "id1" }, task],
    });
    await untilRolledOut(manager, "registry");
    expect(warn.mock.calls.flat()).toEqual(warnings);
    warn.mockRestore();
  });

  it.each<[string, number, number | undefined, string[]]>([
    [
      "0 tasks instead of 1",
      0,
      1,
      ["The service registry has 0 tasks instead of 1; bring that number back with: pulumi up --refresh"],
    ],
    ["as many as it was to have", 2, 2, []],
    ["a number that nobody named", 2, undefined, []],
  ])("warns of a number of tasks that somebody changed: %s", async (_, replicas, wanted, warnings) => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    engine({ updated: true, replicas, tasks: Array.from({ length: replicas }, () => ({ state: "running" })) });
    await untilRolledOut(manager, "registry", wanted);
    expect(warn.mock.calls.flat()).toEqual(warnings);
    warn.mockRestore();
  });

  it.each<[string, string, string[]]>([
    [
      "never started, which no node tells of",
      "pending",
      ["Swarm replaces the tasks of the service registry that never started, about a minute for each: 1 of 3 are new"],
    ],
    ["takes its time", "running", []],
    ["has ended", "shutdown", []],
  ])("says once, after a while, what an update waits for: the end of a task that %s", async (_, state, said) => {
    const info = jest.spyOn(pulumi.log, "info").mockResolvedValue();
    // By the port alone that they are for, old tasks and new ones can't be told apart.
    const updating = { moved: true, update: { State: "updating" } };
    const [before, ending] = [{ state }, { state, desired: "shutdown" }];
    const [next, done] = [{ state: "ready", desired: "ready" }, { state: "running" }];
    engine(
      { ...updating, tasks: [ending, next, before, before] },
      { ...updating, tasks: [done, ending, next, before] },
      { ...updating, tasks: [done, done, ending, next] },
      { moved: true, update: { State: "completed" }, tasks: [done, done, done] },
    );
    await timed(8);
    expect(info.mock.calls.flat()).toEqual(said);
    info.mockRestore();
  });

  it("says once, after a while, what tasks of a new service wait for, and where", async () => {
    const info = jest.spyOn(pulumi.log, "info").mockResolvedValue();
    const error = "no suitable node (host-mode port already in use on 1 node)";
    const waiting = {
      tasks: [
        { state: "running", node: "id1" },
        { state: "pending", node: "id2", error },
      ],
    };
    engine(waiting, waiting, waiting, waiting, { tasks: [{ state: "running" }, { state: "running" }] });
    await timed(8);
    expect(info.mock.calls.flat()).toEqual([
      `Tasks of the service registry wait, and 1 of 2 run:\n  pending on node2: ${error}\n`,
    ]);
    info.mockRestore();
  });

  it.each<[string, string[], string]>([
    [
      "somebody removed",
      [`echo 'Error: no such service: registry' >&2; exit 1`],
      "The service registry is gone; bring it back with: pulumi up --refresh",
    ],
    [
      "a manager tells nothing of",
      ["echo 'no leader' >&2; exit 1"],
      "The Docker engine could not be asked for registry: no leader",
    ],
    [
      "a manager tells nothing of any more",
      [`case "$*" in *"service inspect"*) echo '{}' ;; *) echo 'no leader' >&2; exit 1 ;; esac`],
      "The Docker engine could not be asked for the tasks of registry: no leader",
    ],
  ])("ends with an error without a stack for one that %s", async (_, script, message) => {
    tools.make("docker", ...script);
    const error: unknown = await untilRolledOut(manager, "registry").catch((each: unknown) => each);
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error).toMatchObject({ message, stack: undefined });
  });

  it("ends at last where Swarm found no task to bring to another port", async () => {
    engine({ moved: true, tasks: [{ state: "running" }] });
    await timed(100);
  });

  it("ends with an error without the words of tasks that are well", async () => {
    engine({ update: { State: "rollback_completed", Message: "rollback completed" }, tasks: [{ spec: old, state: "running" }] });
    await expect(untilRolledOut(manager, "registry")).rejects.toThrow(/pulumi up --refresh\n$/);
  });

  it.each<[string, View[], number]>([
    ["that is new, and none of whose tasks has to be back then", [{ tasks: [{ state: "starting" }] }], 0],
    [
      "that is updated, until that is done",
      [
        { updated: true, tasks: [{ spec: old, state: "running" }] },
        { updated: true, update: { State: "completed" }, tasks: [{ state: "running" }] },
      ],
      2,
    ],
  ])("before others are updated is for one %s", async (_, views, count) => {
    engine(...views);
    await untilUpdated(manager, "registry");
    expect(looks()).toBe(count);
  });

  it("before others are updated ends with an error for one that was rolled back, of whose definition before Swarm knows no more", async () => {
    engine({ update: { State: "rollback_completed" }, tasks: [{ state: "running" }] });
    await expect(untilUpdated(manager, "registry")).rejects.toThrow("was rolled back");
  });

  it("ends with an error when a new service's tasks only fail", async () => {
    const tasks = [1, 2, 3, 4].map(() => ({ state: "failed", desired: "shutdown", error: "task: non-zero exit (1)" }));
    engine({ replicas: 1, tasks: [] }, { replicas: 1, tasks });
    await expect(untilRolledOut(manager, "registry")).rejects.toThrow(
      "The service registry is not complete: 0 of 1 tasks run.\n  failed: task: non-zero exit (1)\nthe server's last words",
    );
  });

  it("does not count failures of before, whose cause may be gone", async () => {
    const failed = [1, 2, 3, 4].map(() => ({ state: "failed", desired: "shutdown" }));
    engine(
      { tasks: [...failed, { state: "starting" }] },
      { tasks: [...failed, { state: "starting" }] },
      { tasks: [...failed, { state: "running" }] },
    );
    await untilRolledOut(manager, "registry");
  });

  it("ends with an error that names the node where tasks of a service with one on each only fail", async () => {
    const error = "bind source path does not exist: /etc/docker";
    const rejected = [1, 2, 3, 4].map(() => ({ state: "rejected", desired: "shutdown", error, node: "id2" }));
    const running = { state: "running", node: "id1" };
    const next = { state: "preparing", node: "id2" };
    engine({ tasks: [running, next] }, { tasks: [running, ...rejected, next] });
    await expect(untilRolledOut(manager, "registry")).rejects.toThrow(
      `The service registry is not complete: 1 of 2 tasks run.\n  rejected on node2: ${error}\n`,
    );
  });
});

describe("the nodes of a Swarm", () => {
  const inspected = ["one", "two"].map((id) => ({
    ID: id,
    Spec: { Role: "manager", Availability: id === "one" ? "active" : "drain", Labels: { Disk: "fast" } },
    Description: { Hostname: `node-${id}`, Platform: { OS: "linux", Architecture: "x86_64" }, Engine: {} },
    Status: { State: "ready" },
  }));

  it("are those that the manager names, with the addresses that lead to them", async () => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    tools.make(
      "docker",
      `case "$*" in`,
      `  *"node ls"*) printf 'one\\ntwo\\n' ;;`,
      `  *"node inspect one two") echo '${JSON.stringify(inspected)}' ;;`,
      `  *ssh://two*) echo two ;;`,
      `  *manager*) echo one ;;`,
      `  *) echo 'no route to host' >&2; exit 1 ;;`,
      `esac`,
    );
    const nodes = await swarmNodes(manager, ["ssh://two", "ssh://nobody"]);
    expect(nodes.map(({ hostname, ready, engine: way }) => ({ hostname, ready, way }))).toEqual([
      { hostname: "node-one", ready: true, way: manager },
      { hostname: "node-two", ready: false, way: { host: "ssh://two", certPath: "" } },
    ]);
    expect(nodes.map(({ silent }) => silent)).toEqual([["ssh://nobody"], ["ssh://nobody"]]);
    expect(nodes[0]?.facts).toMatchObject({ "node.labels.disk": "fast", "node.platform.arch": "x86_64", "node.role": "manager" });
    expect(warn).toHaveBeenCalledWith("swarm.nodes: the Docker host ssh://nobody gives no answer: no route to host");
    warn.mockRestore();
  });

  it.each(["tcp://two:2376", "tcp://two:5555", "tcp://[fd00::2]:2376"])(
    "are asked by TLS with the manager's certificate at %s, but not over ssh, nor at the port of plain TCP",
    async (host) => {
      tools.make(
        "docker",
        `case "$*" in`,
        `  *"node ls"*) printf 'one\\ntwo\\n' ;;`,
        `  *"node inspect one two") echo '${JSON.stringify(inspected)}' ;;`,
        `  *"${host} --tlsverify"*=/certs/*) echo two ;;`,
        `  *) echo one ;;`,
        `esac`,
      );
      const plain = ["ssh://three", "tcp://three:2375", "tcp://[fd00::3]:2375"];
      const nodes = await swarmNodes({ host: "tcp://one:2376", certPath: "/certs" }, [host, ...plain]);
      expect(nodes[1]?.engine).toEqual({ host, certPath: "/certs" });
      const calls = tools.calls();
      for (const each of plain) {
        expect(calls.filter((call) => call.includes(each))).toEqual([expect.not.stringContaining("tls")]);
      }
    },
  );

  it("are none where the engine is no manager", async () => {
    tools.make("docker", "echo 'This node is not a swarm manager.' >&2; exit 1");
    await expect(swarmNodes(manager, [])).rejects.toThrow(
      /^target "swarm" needs a Docker engine that is a manager of a Swarm .*: This node is not/,
    );
  });

  it("have only overlay networks in common", async () => {
    tools.make("docker", `case "$*" in *stores) echo id overlay ;; *bridge) echo other bridge ;; *) exit 1 ;; esac`);
    expect(await overlayNetworkId(manager, "stores")).toBe("id");
    await expect(overlayNetworkId(manager, "bridge")).rejects.toThrow("swarm.networks: the Swarm has no overlay network bridge");
    await expect(overlayNetworkId(manager, "none")).rejects.toThrow("docker network create --driver overlay none");
  });
});

describe("a node of a Swarm", () => {
  const archive = { file: "/image.tar", ids: [], name: "container-registry:1", tag: "1" };
  const known = { id: "two", hostname: "node2", ready: true, facts: {} };

  it("is named where its engine takes no image, as it may have just gone down", async () => {
    tools.make("docker", "echo 'Cannot connect to the Docker daemon at unix:///node2' >&2; exit 1");
    await expect(loadOn({ ...known, engine: { host: "unix:///node2" } }, archive, "registry:1")).rejects.toHaveProperty(
      "message",
      "The node node2: The registry image could not be brought to the Docker engine: Cannot connect to the Docker daemon at " +
        'unix:///node2. Where a node has just gone down, wait until "docker node ls" has it as Down, and run: pulumi up',
    );
  });

  it("is left alone where no way leads to it", async () => {
    await loadOn(known, archive, "registry:1");
    expect(tools.calls()).toEqual([]);
  });
});

describe("the port of a registry", () => {
  const ports = (Protocol: string, PublishMode: string, PublishedPort?: number): object[] => [
    { Protocol, PublishMode, PublishedPort },
  ];
  const nodes = ["node1", "node2", "node3"].map((hostname) => ({
    ID: hostname,
    Spec: { Role: "manager", Availability: hostname === "node3" ? "drain" : "active" },
    Description: { Hostname: hostname },
    Status: { State: "ready" },
  }));

  /** A Swarm with a service that publishes these, with tasks as `docker service ps` prints them. */
  function swarmWith(published: object[] | null, ...tasks: string[]): void {
    const services = [
      { name: "web", ports: null },
      { name: "other-forwarder", ports: published },
    ];
    const lines = services.map((each) => `'${JSON.stringify(each)}'`).join(" ");
    tools.make(
      "docker",
      `case "$*" in`,
      `  *"service ls"*) printf 'one\ntwo\n' ;;`,
      `  *"service inspect"*" one two") printf '%s\n' ${lines} ;;`,
      `  *"service ps"*other-forwarder) printf '${tasks.map((each) => `${each}\n`).join("")}' ;;`,
      `  *"node ls"*) printf 'node1\nnode2\nnode3\n' ;;`,
      `  *"node inspect"*) echo '${JSON.stringify(nodes)}' ;;`,
      `  *) echo node1 ;;`,
      `esac`,
    );
  }

  it("is refused with the service and the nodes that have it", async () => {
    swarmWith(ports("tcp", "host", 5000), "node1 Running 2 minutes ago", "node2 Running 2 minutes ago", "node3 Running now");
    await expect(checkPort(manager, ["registry", "registry-forwarder"], 5000, [])).rejects.toThrow(
      "port: 5000 is another service's of this Swarm, other-forwarder, on node1, node2; take another port, or take that service away",
    );
  });

  it.each<[string, object[] | null, string[], string[]]>([
    ["without ports", null, ["node1 Running"], []],
    ["on another port", ports("tcp", "host", 5001), ["node1 Running"], []],
    ["on a port that nobody chose", ports("tcp", "host"), ["node1 Running"], []],
    ["on one of UDP", ports("udp", "host", 5000), ["node1 Running"], []],
    ["in the routing mesh, of which Swarm tells", ports("tcp", "ingress", 5000), ["node1 Running"], []],
    ["that waits", ports("tcp", "host", 5000), ["node1 Pending 1 second ago", " Pending"], []],
    ["on nodes without a task", ports("tcp", "host", 5000), ["node2 Running"], ["node.hostname == node1"]],
    ["on nodes that are drained", ports("tcp", "host", 5000), ["node3 Running"], []],
  ])("is free beside a service %s", async (_, published, tasks, constraints) => {
    swarmWith(published, ...tasks);
    await checkPort(manager, ["registry"], 5000, constraints);
  });

  it("is free where the service is its own, there is none, or the engine does not tell", async () => {
    swarmWith(ports("tcp", "host", 5000), "node1 Running 2 minutes ago");
    await checkPort(manager, ["other", "other-forwarder"], 5000, []);
    tools.make("docker", "exit 0");
    await checkPort(manager, ["registry"], 5000, []);
    tools.make("docker", "echo 'This node is not a swarm manager.' >&2; exit 1");
    await checkPort(manager, ["registry"], 5000, []);
  });
});

describe("the push of the image", () => {
  const login = { username: "me", password: "the-password" };
  const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

  it("returns the reference with the digest, and shows the password to nobody", async () => {
    tools.make(
      "docker",
      `case "$*" in *push*) cat "$4/config.json" > ${tools.folder}/seen; echo '1: digest: ${digest} size: 5' ;; esac`,
    );
    expect(await pushImage(manager, "sha256:1", "a.example.com:5000/tools/registry:1", login)).toBe(
      `a.example.com:5000/tools/registry@${digest}`,
    );
    const calls = tools.calls().join("\n");
    expect(calls).toContain("tag sha256:1 a.example.com:5000/tools/registry:1");
    expect(calls).not.toContain("the-password");
  });

  // An engine on 127.0.0.1 saw these in X-Registry-Auth: the docker command knows Docker Hub's login by this URL alone.
  it.each([
    ["docker.io/team/registry", "https://index.docker.io/v1/"],
    ["index.docker.io/team/registry", "https://index.docker.io/v1/"],
    ["registry-1.docker.io/team/registry", "registry-1.docker.io"],
    ["a.example.com:5000/tools/registry", "a.example.com:5000"],
  ])("to %s has the login where the docker command looks for it", async (repository, key) => {
    const seen = path.join(tools.folder, "login");
    tools.make("docker", `case "$*" in *push*) cat "$4/config.json" > ${seen}; echo '1: digest: ${digest} size: 5' ;; esac`);
    await pushImage(manager, "sha256:1", `${repository}:1`, login);
    expect(JSON.parse(fs.readFileSync(seen, "utf8"))).toEqual({
      auths: { [key]: { auth: Buffer.from("me:the-password").toString("base64") } },
    });
  });

  // Engines and services show images on Docker Hub without a host: what a push returns is what the next preview finds.
  it.each([
    ["docker.io/team/registry", "team/registry"],
    ["index.docker.io/team/registry", "team/registry"],
    ["docker.io/registry", "registry"],
    ["docker.io/library/registry", "registry"],
    ["docker.io/library/tools/registry", "library/tools/registry"],
    ["registry-1.docker.io/team/registry", "registry-1.docker.io/team/registry"],
    ["a.example.com/library/registry", "a.example.com/library/registry"],
  ])("to %s is known as %s, then and afterwards", async (repository, name) => {
    tools.make(
      "docker",
      `case "$*" in`,
      `  *push*) echo '1: digest: ${digest} size: 5' ;;`,
      `  *inspect*) echo '["b/c@sha256:2","registry.example.com/${name}@sha256:3","${name}@${digest}"]' ;;`,
      `esac`,
    );
    expect(await pushImage(manager, "sha256:1", `${repository}:1`, login)).toBe(`${name}@${digest}`);
    expect(await pushedReference(manager, "sha256:1", repository)).toBe(`${name}@${digest}`);
  });

  it("to another registry is not taken for one to Docker Hub", async () => {
    tools.make("docker", `echo '["a.example.com/team/registry@sha256:2","team/registry-2@sha256:3"]'`);
    expect(await pushedReference(manager, "sha256:1", "docker.io/team/registry")).toBeUndefined();
  });

  it("is known to the engine afterwards", async () => {
    tools.make(
      "docker",
      `case "$*" in *"inspect"*"sha256:1") echo '["b/c@sha256:2","a/b@sha256:3"]' ;; *) echo 'No such image' >&2; exit 1 ;; esac`,
    );
    expect(await pushedReference(manager, "sha256:1", "a/b")).toBe("a/b@sha256:3");
    expect(await pushedReference(manager, "sha256:1", "a")).toBeUndefined();
    expect(await pushedReference(manager, "sha256:4", "a/b")).toBeUndefined();
  });

  it("says in the registry's words why it failed", async () => {
    tools.make("docker", `case "$*" in *push*) echo 'denied: requested access' >&2; exit 1 ;; esac`);
    await expect(pushImage(manager, "sha256:1", "a.example.com/b:1", { username: "", password: "" })).rejects.toThrow(
      "swarm.imageDistribution.repository: the image could not be pushed to a.example.com/b: denied: requested access",
    );
  });
});

it("gives a configuration that no volume has on standard input to the try of a store", async () => {
  tools.make(
    "docker",
    `case "$*" in *inspect*) echo '{"words":["serve","old"],"mounts":null}' ;; *run*) cat > ${tools.folder}/given ;; esac`,
  );
  await checkStore({
    engine: manager,
    imageId: "sha256:1",
    serviceName: "registry",
    configurationPath: "new",
    configuration: "secretkey: hidden",
    environment: [],
    hosts: [],
  });
  const [asked, tried] = tools.calls();
  const inContainers = ".Spec.TaskTemplate.ContainerSpec";
  const template = `{"words":{{json ${inContainers}.Args}},"mounts":{{json ${inContainers}.Mounts}}}`;
  expect(asked).toContain(`service inspect --format ${template} registry`);
  expect(tried).toMatch(/ --interactive sha256:1 check -$/);
});

describe("the try of a store by a task", () => {
  const flight = {
    engine: manager,
    imageId: "sha256:1",
    serviceName: "registry",
    configurationPath: "/config.yml",
    environment: ["A=b"],
    hosts: [{ host: "store", ip: "192.0.2.1" }],
    task: {
      files: [{ secretName: "registry-configuration-1", fileName: "/config.yml", fileUid: "65532" }],
      networks: ["stores"],
      constraints: [],
    },
  };
  /** What is told of a try that ends well. */
  async function warned(flown: Parameters<typeof checkStore>[0]): Promise<unknown[]> {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    await checkStore(flown);
    const told = warn.mock.calls.flat();
    warn.mockRestore();
    return told;
  }
  /** A manager whose task ends like this. */
  function swarm(state: string, availability = "active", reason = "the reason"): void {
    tools.make(
      "docker",
      `case "$*" in`,
      `  *"service inspect"*) echo '{"words":["serve","/old.yml"],"mounts":[{"Type":"volume","Source":"images"}]}' ;;`,
      `  *"node inspect"*) echo 'id1 ${availability}' ;;`,
      `  *"service create"*) touch ${tools.folder}/made ;;`,
      `  *"service rm"*) rm ${tools.folder}/made 2>/dev/null || { echo 'service registry-check not found' >&2; exit 1; } ;;`,
      `  *"ps --all"*"name=registry-check"*) echo left ;;`,
      `  *"service ps"*) printf '${state} 1 second ago\\t${reason}\\n' ;;`,
      `  *"service logs"*) echo 'no such bucket' >&2 ;;`,
      `esac`,
    );
  }

  it("has the registry's files, networks and names, and leaves nothing", async () => {
    swarm("Complete");
    await checkStore(flight);
    const calls = tools.calls();
    const [created = ""] = calls.filter((call) => call.includes("service create"));
    expect(created).toContain("--mode replicated-job --restart-condition none --constraint node.id==id1");
    expect(created).toContain("--secret source=registry-configuration-1,target=/config.yml,uid=65532,gid=65532,mode=0400");
    expect(created).toMatch(/--network stores --env A=b --host store:192.0.2.1 sha256:1 check \/config.yml$/);
    expect(calls.slice(-3).join()).toMatch(/service rm registry-check.*rm --force left/);
  });

  it.each([
    ["Failed", "storage: the registry was not switched to this store: no such bucket"],
    ["Rejected", "the task that tries it is Rejected 1 second ago: the reason"],
  ])("tells why it %s, and leaves nothing either", async (state, message) => {
    swarm(state);
    await expect(checkStore(flight)).rejects.toThrow(message);
    expect(tools.calls().slice(-3).join()).toMatch(/service rm registry-check.*rm --force left/);
  });

  it("is left out on a manager that takes no tasks, which is told", async () => {
    swarm("Complete", "drain");
    expect(await warned(flight)).toEqual([
      "storage: the store was not tried before the registry is switched to it: the manager's node takes no tasks (drain)",
    ]);
    expect(tools.calls().join()).not.toContain("service create");
  });

  describe("that is a volume which nodes share", () => {
    const options = { type: "nfs", o: "addr=192.0.2.1,rw", device: ":/images" };
    const folder = { source: "others", target: "/var/lib/registry", driver: "local", options };
    const task = { ...flight.task, constraints: ["node.role == manager"] };
    const noNode = '"no suitable node (scheduling constraints not satisfied on 5 nodes)"';

    it("has the volume where the registry's tasks may be", async () => {
      swarm("Complete");
      await checkStore({ ...flight, folder, task });
      const [created] = tools.calls().filter((call) => call.includes("service create"));
      expect(created).toContain("--constraint node.id==id1 --constraint node.role == manager ");
      expect(created).toContain(
        " --mount type=volume,source=others,target=/var/lib/registry,volume-driver=local," +
          'volume-opt=type=nfs,"volume-opt=o=addr=192.0.2.1,rw",volume-opt=device=:/images ',
      );
    });

    it("is left out on a manager that none of them can be on, which is told", async () => {
      swarm("Pending", "active", noNode);
      const told = await warned({ ...flight, folder, task });
      expect(told).toContain(
        `storage: the store was not tried before the registry is switched to it: the manager's node can have no task with that volume: ${noNode}`,
      );
      expect(tools.calls().slice(-3).join()).toMatch(/service rm registry-check.*rm --force left/);
    });

    it.each([
      ["the one it has", "images", "/old.yml", false],
      ["the one it has, with another configuration", "images", "/config.yml", false],
      ["another one", "others", "/old.yml", true],
    ])("is of what is new: %s", async (_, source, configurationPath, isTried) => {
      swarm("Complete");
      await checkStore({ ...flight, configurationPath, folder: { ...folder, source }, task });
      expect(tools.calls().join().includes("service create")).toBe(isTried);
    });
  });
});
