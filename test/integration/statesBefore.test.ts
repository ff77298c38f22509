import * as fs from "fs";
import * as path from "path";
import { CleanUp } from "../support/cleanUp";
import { FakeCommands } from "../support/fakeCommands";
import { environmentOf } from "../support/providers";
import { run } from "../support/run";
import { programFolder, projectRoot, stateIn } from "../support/testStack";

/** A stack as it was exported by version 0a38d4b, the last before the components were moved and renamed, with its configuration. */
const before = (file: string): string => path.join(projectRoot, "test", "support", "before", file);

/** The Swarm whose nodes the stack knew; none of them runs. */
const swarm = "unix:///tmp/before-lab";
const nodes = JSON.parse(fs.readFileSync(before("swarm.nodes.json"), "utf8")) as { ID: string }[];
const ids = nodes.map(({ ID }) => ID);

interface Step {
  op: string;
  urn: string;
}

const standIns = environmentOf("stand-in");
const cleanUp = new CleanUp();
// What a preview asks of engines. The providers ask nothing: state is not refreshed.
const docker = cleanUp
  .add(new FakeCommands())
  .make(
    "docker",
    'case "$*" in',
    "*'version --format'*) echo linux/amd64 ;;",
    `*'node ls'*) echo "${ids.join("\n")}" ;;`,
    `*'node inspect'*) cat '${before("swarm.nodes.json")}' ;;`,
    ...ids.map((id, index) => `*/node${index + 1}/docker.sock' info '*) echo ${id} ;;`),
    "*) exit 1 ;;",
    "esac",
  );

/** What today's program would replace or delete of a stack of before: `operation type::name`. */
async function lossesOf(name: string, environment: Record<string, string>): Promise<string[]> {
  const folder = programFolder();
  cleanUp.add({ dispose: () => fs.rmSync(folder, { recursive: true }) });
  const context = path.join(folder, "context");
  fs.mkdirSync(context);
  fs.writeFileSync(path.join(context, "Dockerfile"), "FROM scratch\nCOPY hello /hello\n");
  fs.writeFileSync(path.join(context, "hello"), "hello\n");
  fs.copyFileSync(before(`${name}.yaml`), path.join(folder, "stacks", `Pulumi.before-${name}.yaml`));
  const options = { cwd: folder, env: { ...standIns, ...docker.env, ...stateIn(folder), ...environment } };
  await run("pulumi", ["stack", "init", `before-${name}`], options);
  await run("pulumi", ["stack", "import", "--file", before(`${name}.state.json`)], options);
  const { steps } = JSON.parse(await run("pulumi", ["preview", "--json"], options)) as { steps: Step[] };
  return steps
    .filter(({ op }) => !["same", "create", "update"].includes(op))
    .map(({ op, urn }) => {
      const [, , types = "", resource = ""] = urn.split("::");
      return `${op} ${types.split("$").pop()}::${resource.replace("container-registry-before-", "")}`;
    })
    .sort();
}

beforeAll(async () => {
  if (!fs.existsSync(path.join(standIns.PULUMI_HOME ?? "", "plugins"))) {
    await run(path.join(projectRoot, "scripts", "setup.sh"), [], { env: { CONTAINER_REGISTRY_PROVIDERS: "stand-in" } });
  }
});

// Containers and the image are made anew for another server or another configuration, as by any `up`. What keeps something is not, and
// nothing is taken for something that has gone.
describe("a stack of before", () => {
  it("on one host, with a mirror and a build, keeps all but its containers and their image", async () => {
    expect(await lossesOf("single-node", {})).toEqual([
      "replace docker:index/container:Container::single-node",
      "replace docker:index/container:Container::single-node-data-owner",
      "replace docker:index/container:Container::single-node-files-writer",
      "replace docker:index/container:Container::single-node-mirror",
      "replace docker:index/container:Container::single-node-mirror-files-writer",
      "replace docker:index/remoteImage:RemoteImage::single-node-image",
      "replace docker:index/remoteImage:RemoteImage::single-node-mirror-image",
    ]);
  });

  it("on a Swarm, pinned to a node, keeps all but its image and the secret of its configuration", async () => {
    expect(await lossesOf("swarm", { DOCKER_HOST: `${swarm}/node1/docker.sock` })).toEqual([
      "replace docker:index/remoteImage:RemoteImage::swarm-image",
      "replace docker:index/secret:Secret::swarm-configuration",
    ]);
  });
});
