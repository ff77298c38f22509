import { inspect } from "util";
import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";
import { imageName, loadImage } from "../../components/docker/bundledImage";
import { dockerCommand, inspectContainer, printedBy } from "../../components/docker/engine";
import { untilHealthy } from "../../components/docker/health";
import { checkAddresses, checkPublished } from "../../components/docker/addressTrial";
import { checkCertificate } from "../../components/docker/certificateTrial";
import { checkFolder, handOverAgain } from "../../components/docker/folderTrial";
import { dataFolder } from "../../components/render/configuration";
import { checkStore, Preflight } from "../../components/docker/storeCheck";
import { limitProcesses } from "../../components/docker/processLimit";
import { checkOwner, checkPresence } from "../../components/docker/volumeOwner";
import { checkVolumeOptions } from "../../components/selfHosted/volumeOptions";
import { FakeCommands } from "../support/fakeCommands";

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

const local = {};
const onLocal = "docker --host unix:///var/run/docker.sock";

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was refused");
}

describe("a command for the engine", () => {
  it.each<[string, object, string]>([
    ["this machine's", local, onLocal],
    ["one by address", { host: "ssh://root@registry.example.com" }, "docker --host ssh://root@registry.example.com"],
    [
      "one with certificates",
      { host: "tcp://1.2.3.4", certPath: "/certs" },
      "docker --host tcp://1.2.3.4 --tlsverify --tlscacert=/certs/ca.pem --tlscert=/certs/cert.pem --tlskey=/certs/key.pem",
    ],
  ])("goes to %s", async (_, engine, command) => {
    tools.make("docker", "echo ' printed '");
    expect(await dockerCommand(engine, "version")).toBe("printed");
    expect(tools.calls()).toEqual([`${command} version`]);
  });

  it.each([
    ["", " "],
    [undefined, "1 /gone"],
  ])("heeds the environment's certificates unless it takes none: %p", async (certPath, printed) => {
    Object.assign(process.env, { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/gone" });
    tools.make("docker", 'echo "<$DOCKER_TLS_VERIFY $DOCKER_CERT_PATH>"');
    expect(await dockerCommand({ host: "ssh://other", certPath }, "version")).toBe(`<${printed}>`);
    delete process.env.DOCKER_TLS_VERIFY;
    delete process.env.DOCKER_CERT_PATH;
  });

  it("is missed by name", async () => {
    const { PATH: before } = process.env;
    process.env.PATH = "/nowhere";
    const error = await rejection(inspectContainer(local, "registry", "{{json .Id}}"));
    process.env.PATH = before;
    expect(error.message).toBe(
      "The Docker engine could not be asked for registry: the docker command is not installed; it is needed beside Pulumi's provider",
    );
  });

  it("gives what was printed for people when nothing else was", async () => {
    tools.make("docker", "echo 'for people' >&2");
    expect(await dockerCommand(local, "logs", "registry")).toBe("for people");
  });

  // Drivers of volumes call a password what they like, and Node.js puts all of a command into its error.
  it.each([
    ["exit 3", "docker volume ended with 3 and said nothing"],
    ["kill -9 $$", "docker volume ended with SIGKILL and said nothing"],
    ["echo refused >&2; exit 1", "docker volume ended with 1 and said nothing"],
  ])("fails without a word of its arguments: %s", async (script, message) => {
    tools.make("docker", script);
    const error = await rejection(dockerCommand(local, "volume", "create", "--opt", "opens=GIVEN"));
    expect(error.message).toBe(message);
    expect(inspect(error)).not.toContain("GIVEN");
    expect(printedBy(error)).toBe(script.startsWith("echo") ? "refused" : message);
  });

  it("finds out about a container, or that there is none", async () => {
    tools.make("docker", `echo '["serve"]'`);
    expect(await inspectContainer(local, "registry", "{{json .Config.Cmd}}")).toEqual(["serve"]);
    tools.make("docker", "echo 'Error: No such container: registry' >&2; exit 1");
    expect(await inspectContainer(local, "registry", "{{json .State}}")).toBeUndefined();
    tools.make("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    expect((await rejection(inspectContainer(local, "registry", "{{json .State}}"))).message).toBe(
      "The Docker engine could not be asked for registry: Cannot connect to the Docker daemon",
    );
  });
});

describe("the name of the bundled image on an engine", () => {
  const image = {
    file: "/image.tar",
    ids: ["sha256:1d", "sha256:2d"],
    name: "container-registry:0123456789ab",
    tag: "0123456789ab",
  };

  it.each([
    ["container-registry-dev-image", "container-registry-dev-image"],
    ["my_stack.v1-image", "my_stack.v1-image"],
    ["Registry-image", "registry-image-0bc0960f"],
    ["a.-_b-image", "a-b-image-d04055e2"],
    ["-a-", "a-a75a468f"],
  ])("is for %s", (owner, name) => {
    expect(imageName(owner, image)).toBe(`${name}:0123456789ab`);
  });

  // The other's image would go with it, or keep it from going.
  it.each([
    ["container-registry-Dev-image", "container-registry-dev-image"],
    ["container-registry-dev._-image", "container-registry-dev-image"],
    ["container-registry-dev--image", "container-registry-dev._-image"],
  ])("is not that of another component: %s and %s", (one, other) => {
    expect(imageName(one, image)).not.toBe(imageName(other, image));
  });

  it("is one that Docker takes, for every name a component may have", () => {
    // https://pkg.go.dev/github.com/distribution/reference
    const reference = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*:[\w][\w.-]{0,127}$/;
    const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/).map((each) => `${each}-image`);
    fc.assert(fc.property(name, (owner) => reference.test(imageName(owner, image))));
  });

  it("is all that is given where the engine has the image", async () => {
    tools.make("docker", "exit 0");
    await loadImage(local, image, "mine:1");
    expect(tools.calls()).toEqual([`${onLocal} image tag sha256:1d mine:1`]);
  });

  it("is all that is given where the engine has the image under its other ID", async () => {
    tools.make("docker", 'case "$*" in *sha256:1d*) echo "Error: No such image: sha256:1d" >&2; exit 1 ;; esac');
    await loadImage(local, image, "mine:1");
    expect(tools.calls()).toEqual([`${onLocal} image tag sha256:1d mine:1`, `${onLocal} image tag sha256:2d mine:1`]);
  });

  it("is the only one the image has after it was loaded", async () => {
    tools.make("docker", 'case "$*" in *sha256*) echo "Error: No such image: sha256:1d" >&2; exit 1 ;; esac');
    await loadImage(local, image, "mine:1");
    expect(tools.calls()).toEqual([
      `${onLocal} image tag sha256:1d mine:1`,
      `${onLocal} image tag sha256:2d mine:1`,
      `${onLocal} image load --quiet --input /image.tar`,
      `${onLocal} image tag container-registry:0123456789ab mine:1`,
      `${onLocal} image rm container-registry:0123456789ab`,
    ]);
  });

  it("is given again when another stack took the archive's name away in between", async () => {
    const gone = `${tools.folder}/gone`;
    tools.make(
      "docker",
      `case "$*" in *sha256*) echo "No such image" >&2; exit 1 ;;`,
      `*tag*) [ -e ${gone} ] || { touch ${gone}; echo "Error: No such image" >&2; exit 1; } ;; esac`,
    );
    await loadImage(local, image, "mine:1");
    expect(tools.calls().filter((call) => call.includes("load"))).toHaveLength(2);
  });

  it("is given up after five times", async () => {
    tools.make("docker", 'case "$*" in *load*) ;; *) echo "No such image" >&2; exit 1 ;; esac');
    expect((await rejection(loadImage(local, image, "mine:1"))).message).toBe(
      "The registry image was loaded but could not be named mine:1 on the Docker engine",
    );
    expect(tools.calls().filter((call) => call.includes("load"))).toHaveLength(5);
  });

  it("is not looked for on an engine that does not answer", async () => {
    tools.make("docker", "echo 'Cannot connect to the Docker daemon at tcp://1.2.3.4' >&2; exit 1");
    const error = await rejection(loadImage({ host: "tcp://1.2.3.4" }, image, "mine:1"));
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error.message).toBe(
      "The registry image could not be brought to the Docker engine: Cannot connect to the Docker daemon at tcp://1.2.3.4",
    );
    expect(tools.calls()).toHaveLength(1);
  });
});

describe("waiting for a healthy server", () => {
  const states = (...each: object[]): void => statesOf("panic: no space left", ...each);
  const statesOf = (words: string, ...each: object[]): void => {
    const counter = tools.write("counter", "0");
    tools.make(
      "docker",
      `case "$*" in *" logs "*) echo '${words}'; exit 0 ;; *" restart "*) exit 0 ;; esac`,
      `n=$(($(cat ${counter}) + 1)); echo $n > ${counter}`,
      `case $n in`,
      ...each.map((state, index) => `${index + 1}) echo '${JSON.stringify(state)}' ;;`),
      "esac",
    );
  };
  const starting = { Status: "running", ExitCode: 0, StartedAt: "2026-11-29T19:53:20.298Z", Health: { Status: "starting" } };
  const died = { ...starting, Status: "restarting", ExitCode: 2 };

  it("ends as soon as Docker says so", async () => {
    states(starting, starting, { ...starting, Health: { Status: "healthy" } });
    await untilHealthy(local, "registry");
    expect(tools.calls()).toHaveLength(3);
  });

  it("ends with the server's own words when it can't start", async () => {
    states(starting, died, starting, { ...died, StartedAt: "2026-11-29T19:53:22.592Z" });
    expect((await rejection(untilHealthy(local, "registry"))).message).toBe(
      "The registry did not become healthy (container registry, exit code 2):\npanic: no space left",
    );
    expect(tools.calls().filter((call) => !call.includes(" inspect "))).toEqual([
      `${onLocal} restart registry`,
      `${onLocal} logs --tail 20 --since 2026-11-29T19:53:22.592Z registry`,
    ]);
  });

  it("tells how its files are written anew where it can't start by them", async () => {
    const words = "registry: /etc/container-registry/config-8e56819b0b586c9a.yml: yaml: did not find expected node content";
    statesOf(words, died, starting, died);
    expect((await rejection(untilHealthy(local, "registry"))).message).toBe(
      `The registry did not become healthy (container registry, exit code 2):\n${words}\n` +
        "If somebody changed that in the volume with the server's files: docker rm registry-files-writer, and then: pulumi up --refresh",
    );
  });

  it("tells no exit code of one that runs, and is not well in time", async () => {
    states(starting);
    const now = jest.spyOn(Date, "now").mockReturnValueOnce(0);
    expect((await rejection(untilHealthy(local, "registry"))).message).toBe(
      "The registry did not become healthy (container registry):\npanic: no space left",
    );
    now.mockRestore();
  });

  it("ends with the engine's words when it can't start it", async () => {
    tools.make(
      "docker",
      `case "$*" in *" restart "*) echo 'Error: port is already allocated' >&2; exit 1 ;; esac`,
      `echo '${JSON.stringify(died)}'`,
    );
    expect((await rejection(untilHealthy(local, "registry"))).message).toBe(
      "The container registry could not be restarted: Error: port is already allocated",
    );
  });

  it("is for what a deployment repaired, not for what the server died of before", async () => {
    states(died, starting, { ...starting, Health: { Status: "healthy" } });
    await untilHealthy(local, "registry");
    expect(tools.calls().filter((call) => !call.includes(" inspect "))).toEqual([`${onLocal} restart registry`]);
  });

  it.each([
    [
      "stopped",
      `echo '{"Status":"exited","ExitCode":0}'`,
      "is not running; bring it back with: pulumi up --refresh, or docker start registry",
    ],
    [
      "paused",
      `echo '{"Status":"paused","ExitCode":0,"Health":{"Status":"healthy"}}'`,
      "is paused; have it go on with: docker unpause registry",
    ],
    [
      "removed",
      `case "$*" in *container*) echo 'Error: No such container: registry' >&2; exit 1 ;; esac; echo '"registry-data"'`,
      "is gone; bring it back with: pulumi up --refresh",
    ],
  ])("is not for a container that somebody %s", async (_, answer, advice) => {
    const warn = jest.spyOn(console, "warn").mockReturnValue();
    tools.make("docker", answer);
    await untilHealthy(local, "registry");
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(new RegExp(`The container registry ${advice}$`)));
    warn.mockRestore();
  });
});

describe("the limit of a container's processes", () => {
  /** An engine whose `inspect` says one limit after the other. */
  const limits = (...each: string[]): void => {
    const counter = tools.write("counter", "0");
    tools.make(
      "docker",
      `case "$*" in *" update "*) echo registry; exit 0 ;; esac`,
      `n=$(($(cat ${counter}) + 1)); echo $n > ${counter}`,
      `case $n in`,
      ...each.map((limit, index) => `${index + 1}) echo '${limit}' ;;`),
      `*) echo "Error: No such container: registry" >&2; exit 1 ;;`,
      "esac",
    );
  };
  const update = `${onLocal} update --pids-limit 512 registry`;

  it.each([
    ["is set on a new container", ["null", "512"], [update]],
    ["is changed", ["64", "512"], [update]],
    ["is left as it is", ["512"], []],
    ["is not for a container that is gone", [], []],
  ])("%s", async (_, said, updates) => {
    limits(...said);
    await limitProcesses(local, "registry", 512);
    expect(tools.calls().filter((call) => call.includes(" update "))).toEqual(updates);
  });

  it.each([
    ["the kernel has none", () => limits("null", "null")],
    [
      "a rootless engine has no cgroups",
      () =>
        tools.make(
          "docker",
          `case "$*" in *inspect*) echo null ;; *" info "*) echo false ;; *) echo "container could not join or create cgroup" >&2; exit 1 ;; esac`,
        ),
    ],
  ])("is missed where %s", async (_, answer) => {
    const warn = jest.spyOn(console, "warn").mockReturnValue();
    answer();
    await limitProcesses(local, "registry", 512);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("does not limit the processes of registry"));
    warn.mockRestore();
  });

  it("is not at fault where the server ends at once", async () => {
    const stopped = "Error response from daemon: cannot update a stopped container: unknown";
    tools.make(
      "docker",
      `case "$*" in *inspect*) echo null ;; *" logs "*) echo "timezone: no such" ;; *) echo "${stopped}" >&2; exit 1 ;; esac`,
    );
    expect((await rejection(limitProcesses(local, "registry", 512))).message).toBe(
      "The registry does not stay up (container registry):\ntimezone: no such",
    );
  });

  it("fails with the engine's words", async () => {
    tools.make(
      "docker",
      `case "$*" in *inspect*) echo null ;; *" info "*) echo true ;; *) echo "permission denied" >&2; exit 1 ;; esac`,
    );
    expect((await rejection(limitProcesses(local, "registry", 512))).message).toBe(
      "resources.processes: the container registry could not be limited: permission denied",
    );
  });
});

describe("the options of a volume by name", () => {
  const options = { type: "cifs", device: "//nas/images", o: "username=u,password=GIVEN" };

  it.each([
    ["the same", "local", `echo '{"o":"username=u,password=GIVEN","device":"//nas/images","type":"cifs"}'`],
    ["of no volume yet", "local", "echo 'Error response from daemon: get images: no such volume' >&2; exit 1"],
    ["those of a plugin's volume that another engine made", "shares", "echo null"],
  ])("are taken where they are %s", async (_, driver, answer) => {
    tools.make("docker", answer);
    await checkVolumeOptions(local, "images", driver, options);
    expect(tools.calls()).toEqual([`${onLocal} volume inspect --format {{json .Options}} images`]);
  });

  it.each([
    ["others", "local", `echo '{"type":"cifs","device":"//nas/old","vers":"GIVEN"}'`, "device, o, vers"],
    ["others of a plugin", "shares", `echo '{"type":"cifs","device":"//nas/old","vers":"GIVEN"}'`, "device, o, vers"],
    ["none", "local", "echo null", "device, o, type"],
  ])("stop the deployment where the volume has %s, and are not shown", async (_, driver, answer, names) => {
    tools.make("docker", answer);
    const error = await rejection(checkVolumeOptions(local, "images", driver, options));
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error.message).toBe(
      `storage.filesystem.volumeOptions: the volume images exists with other options (${names}), and Docker keeps those that it made ` +
        "a volume with; leave volumeOptions out to take it as it is, name another volume, or remove this one",
    );
  });
});

describe("the owner of a volume", () => {
  const own = "0123456789abcdef";

  it.each([
    ["its own", true, `echo '{"container-registry.deployment":"${own}"}'`],
    ["of before there were labels", true, "echo null"],
    ["somebody else's without a word on it", true, `echo '{"a":"b"}'`],
    ["of no volume yet", false, "echo 'Error: No such volume: registry-data' >&2; exit 1"],
    ["of no volume yet, on a Swarm", false, "echo 'Error response from daemon: volume registry-data not found' >&2; exit 1"],
  ])("may be %s", async (_, found, answer) => {
    tools.make("docker", answer);
    expect(await checkOwner(local, "registry-data", own)).toBe(found);
    expect(tools.calls()).toEqual([`${onLocal} volume inspect --format {{json .Labels}} registry-data`]);
  });

  it("may not be another deployment", async () => {
    tools.make("docker", `echo '{"container-registry.deployment":"fedcba9876543210"}'`);
    const error = await rejection(checkOwner(local, "registry-data", own));
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error.message).toMatch(
      /^The volume registry-data on this Docker engine is of another registry by that name, .* of another stack \(a mirror has the name of its registry with -mirror\), or of this component under another parent \(.* aliases: \[\{ parent: /,
    );
  });
});

describe("a volume that another deployment may have", () => {
  afterEach(() => jest.restoreAllMocks());

  it("is not asked for in vain by a preview that does not reach the engine", async () => {
    tools.make("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    expect((await rejection(checkOwner(local, "registry-data", ""))).message).toMatch(/could not be asked for registry-data/);
    jest.spyOn(pulumi.runtime, "isDryRun").mockReturnValue(true);
    expect(await checkOwner(local, "registry-data", "")).toBe(false);
  });
});

describe("a volume that Pulumi has made", () => {
  afterEach(() => jest.restoreAllMocks());

  it("may be there", async () => {
    tools.make("docker", `echo '"registry-data"'`);
    await checkPresence(local, "registry-data");
    expect(tools.calls()).toEqual([`${onLocal} volume inspect --format {{json .Name}} registry-data`]);
  });

  it.each([true, false])(
    "ends the deployment where it is not, and the engine may be another one; in a preview: %s",
    async (preview) => {
      jest.spyOn(pulumi.runtime, "isDryRun").mockReturnValue(preview);
      tools.make("docker", "echo 'Error: No such volume: registry-data' >&2; exit 1");
      const error = await rejection(checkPresence({ host: "ssh://other" }, "registry-data"));
      expect(error).toBeInstanceOf(pulumi.RunError);
      expect(error.message).toMatch(/^The Docker engine ssh:\/\/other does not have the volume registry-data\. Is it the one/);
      expect(error.message).toContain(": docker --host ssh://other volume create registry-data, and then: pulumi up");
      // Without a preview the state has that engine by then.
      expect(error.message.endsWith("until then a destroy goes to this one")).toBe(!preview);
    },
  );

  it("is not missed by a preview that does not reach the engine", async () => {
    tools.make("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    expect((await rejection(checkPresence(local, "registry-data"))).message).toMatch(/could not be asked for registry-data/);
    jest.spyOn(pulumi.runtime, "isDryRun").mockReturnValue(true);
    await checkPresence(local, "registry-data");
  });
});

describe("the try of addresses before a container is made anew with them", () => {
  const said = (bindings: object | null, running = true): string => `echo '${JSON.stringify({ running, bindings })}'`;
  const held = (...bindings: [string, number][]): string =>
    said({ "5000/tcp": bindings.map(([HostIp, HostPort]) => ({ HostIp, HostPort: String(HostPort) })) });
  let left = ":";
  const engine = (bindings: string, ...answer: string[]): void => {
    const trial = `echo '{"running":false}'`;
    tools.make(
      "docker",
      `case "$*" in *inspect*trial-id) ${trial} ;; *inspect*) ${bindings} ;; *" ps --all "*) ${left} ;; *) ${answer.join("\n") || "echo trial-id"} ;; esac`,
    );
  };
  const image = { id: "sha256:1", bundled: true };
  const started =
    "run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --detach --interactive --label container-registry.trial-of=registry";
  const of = (address: string): string => `${onLocal} ${started} --publish ${address}:1 sha256:1 check-certificate`;
  const removed = `${onLocal} rm --force --volumes trial-id`;
  const whileStopped = (...tries: string[]): string[] => [`${onLocal} stop registry`, ...tries, `${onLocal} start registry`];

  it.each<[string, string, [string, number][], string[]]>([
    ["the same", held(["127.0.0.1", 5000]), [["127.0.0.1", 5000]], []],
    ["the same in other words", held(["::1", 5000]), [["0:0:0:0:0:0:0:1", 5000]], []],
    ["those of a first container", "echo 'No such container: registry' >&2; exit 1", [["127.0.0.1", 5000]], []],
    ["all of the port it has", held(["127.0.0.1", 5000]), [["0.0.0.0", 5000]], whileStopped(of("0.0.0.0:5000"))],
    [
      "all of the port it had",
      said({ "5000/tcp": [{ HostIp: "127.0.0.1", HostPort: "5000" }] }, false),
      [["0.0.0.0", 5000]],
      [of("0.0.0.0:5000")],
    ],
    [
      "all of two ports it has, and another one",
      held(["127.0.0.1", 5000], ["::1", 5002]),
      [
        ["0.0.0.0", 5000],
        ["127.0.0.1", 5001],
        ["::", 5002],
      ],
      [of("127.0.0.1:5001"), ...whileStopped(of("0.0.0.0:5000"), of("[::]:5002"))],
    ],
    ["another port", held(["127.0.0.1", 5000]), [["127.0.0.1", 5001]], [of("127.0.0.1:5001")]],
    ["another address", held(["127.0.0.1", 5000]), [["192.0.2.1", 5000]], [of("192.0.2.1:5000")]],
    ["one of all that it has", held(["0.0.0.0", 5000]), [["192.0.2.1", 5000]], [of("192.0.2.1:0")]],
    ["all of IPv6 beside all of IPv4", held(["0.0.0.0", 5000]), [["::", 5000]], [of("[::]:5000")]],
    ["one of IPv6", held(["0.0.0.0", 5000]), [["::1", 5001]], [of("[::1]:5001")]],
    [
      "one more",
      held(["::1", 5000]),
      [
        ["::1", 5000],
        ["::1", 5002],
      ],
      [of("[::1]:5002")],
    ],
    ["what a container without ports is to have", said(null), [["127.0.0.1", 5000]], [of("127.0.0.1:5000")]],
  ])("is of what is new: %s", async (_, bindings, wanted, tries) => {
    engine(bindings);
    await checkAddresses(
      local,
      "registry",
      image,
      wanted.map(([ip, external]) => ({ ip, external })),
    );
    const [, ...calls] = tools.calls();
    expect(calls.filter((call) => !/ (inspect|rm|ps) /.test(call))).toEqual(tries);
    const removals = calls.filter((call) => call.includes(" rm "));
    expect(removals).toEqual(tries.filter((call) => call.includes(" run ")).map(() => removed));
  });

  const words = "docker: Error response from daemon: Bind for 127.0.0.1:5001 failed: port is already allocated.";
  const refused = async (container: string, address: [string, number]): Promise<string> => {
    const [ip, external] = address;
    const error = await rejection(checkAddresses(local, container, image, [{ ip, external }]));
    expect(error).toBeInstanceOf(pulumi.RunError);
    return error.message;
  };

  it("stops the deployment with the engine's words", async () => {
    engine(held(["127.0.0.1", 5000]), `case "$*" in *" run "*) echo '${words}' >&2; exit 125 ;; esac; echo somebody`);
    expect(await refused("registry", ["127.0.0.1", 5001])).toBe(
      `The registry stays as it was: the Docker host can't give it 127.0.0.1:5001 (port, bindAddress): ${words}`,
    );
  });

  it("starts what it has stopped where that was in vain", async () => {
    engine(held(["127.0.0.1", 5000]), `case "$*" in *" run "*) echo '${words}' >&2; exit 125 ;; esac`);
    expect(await refused("registry", ["0.0.0.0", 5000])).toContain("can't give it 0.0.0.0:5000");
    expect(tools.calls()).toContain(`${onLocal} start registry`);
  });

  it.each([
    ["registry", "registry-mirror"],
    ["registry-mirror", "registry"],
  ])("tells how %s gets the port of %s", async (container, holder) => {
    engine(held(["127.0.0.1", 5000]), `case "$*" in *" run "*) echo '${words}' >&2; exit 125 ;; esac; echo ${holder}`);
    expect(await refused(container, ["127.0.0.1", 5001])).toMatch(
      new RegExp(`allocated\\. An up can't hand on a port, and ${holder} has it: first give that a free one, or take it away`),
    );
    expect(tools.calls()).toContain(`${onLocal} ps --filter publish=5001 --format {{.Names}}`);
  });

  it("doesn't ask for more than a start of an image", async () => {
    engine(held(["127.0.0.1", 5000]), `case "$*" in *" run "*) exit 127 ;; esac`);
    await checkAddresses(local, "registry", { id: "sha256:2", bundled: false }, [{ ip: "127.0.0.1", external: 5001 }]);
    expect(tools.calls()).toContain(`${onLocal} ${started} --publish 127.0.0.1:5001:1 sha256:2`);
  });

  /** An engine whose registry has one port, and that starts a container for another one with or without it. */
  const starting = (published: object, running = true): void => {
    const bindings = { "1/tcp": [{ HostIp: "::1", HostPort: "5001" }] };
    const trial = `echo '${JSON.stringify({ running, bindings, published })}'`;
    tools.make(
      "docker",
      `case "$*" in *inspect*trial-id) ${trial} ;; *inspect*) ${held(["127.0.0.1", 5000])} ;; *" run "*) echo trial-id ;; *" rm "*) echo 'No such container' >&2; exit 1 ;; esac`,
    );
  };
  const wanted = [{ ip: "::1", external: 5001 }];

  it.each<[string, object]>([
    ["no address", {}],
    ["null", { "1/tcp": null }],
    ["none", { "1/tcp": [] }],
  ])("stops the deployment where the engine starts the container without its address: %s", async (_, published) => {
    starting(published);
    expect((await rejection(checkAddresses(local, "registry", image, wanted))).message).toMatch(
      /^The registry stays as it was: the Docker host can't give it \[::1\]:5001 \(port, bindAddress\): Docker starts .*userland-proxy/,
    );
    expect(tools.calls().at(-1)).toBe(removed);
  });

  it.each<[string, object, boolean]>([
    ["has its address", { "1/tcp": [{ HostIp: "::1", HostPort: "5001" }] }, true],
    ["has ended before anybody looked", {}, false],
  ])("lets one be that %s", async (_, published, running) => {
    starting(published, running);
    await checkAddresses(local, "registry", image, wanted);
  });

  it("takes away what one that was cut off has left, and nobody else's container", async () => {
    left = "printf 'one\\ntwo\\n'";
    engine(held(["127.0.0.1", 5000]));
    await checkAddresses(local, "registry", image, [{ ip: "127.0.0.1", external: 5001 }]);
    left = ":";
    const calls = tools.calls().slice(-6);
    expect(calls[0]).toBe(`${onLocal} ps --all --quiet --filter label=container-registry.trial-of=registry`);
    const removals = calls.filter((call) => call.includes(" rm "));
    expect(removals).toEqual(["one", "two", "trial-id"].map((id) => `${onLocal} rm --force --volumes ${id}`));
  });

  it("is told of a container that stays", async () => {
    engine(held(["127.0.0.1", 5000]), `case "$*" in *" run "*) echo trial-id ;; *) echo 'permission denied' >&2; exit 1 ;; esac`);
    expect(await refused("registry", ["127.0.0.1", 5001])).toBe("The container trial-id could not be removed: permission denied");
  });

  it("is made up for after the first start, when nothing was there to try it by", async () => {
    const bindings = { "5000/tcp": [{ HostIp: "::1", HostPort: "5000" }], "5002/tcp": [{ HostIp: "::1", HostPort: "5002" }] };
    const answer = (value: object): string => `echo '${JSON.stringify({ running: true, bindings, ...value })}'`;
    for (const value of [{ published: bindings }, { published: {}, restarting: true }]) {
      tools.make("docker", answer(value));
      await checkPublished(local, "registry");
    }
    tools.make("docker", answer({ published: { ...bindings, "5002/tcp": [] } }));
    expect((await rejection(checkPublished(local, "registry"))).message).toMatch(
      /^Nobody reaches the container registry at \[::1\]:5002 \(port, bindAddress\): .*"userland-proxy"/,
    );
    // It was stopped, which is told elsewhere.
    tools.make("docker", answer({ running: false }));
    await checkPublished(local, "registry");
  });
});

describe("the try of a folder before it is handed over", () => {
  /** An engine with a container that has handed something over, or not, and what the image says to the folder. */
  const engine = (status: string, exitCode: number, mount: object, ...answer: string[]): void => {
    const owner = JSON.stringify({ State: { Status: status, ExitCode: exitCode }, Mounts: [mount] });
    const none = "echo 'No such container' >&2; exit 1";
    tools.make("docker", `case "$*" in *inspect*owner) echo '${owner}'; exit 0 ;; *inspect*) ${none} ;; esac`, ...answer);
  };
  const of = (source: string): string =>
    `${onLocal} run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --user 0:0 --cap-add CHOWN --cap-add DAC_OVERRIDE ` +
    `--network none --volume ${source}:/to-hand-over sha256:1 prepare --dry-run /to-hand-over`;
  const [folder, volume] = [{ hostPath: "/srv/images" }, { volumeName: "images" }];

  it.each<[string, [string, number, object], object, string[]]>([
    ["the folder it has", ["exited", 0, { Type: "bind", Source: "/srv/images" }], folder, []],
    ["the volume it has", ["exited", 0, { Type: "volume", Name: "images", Source: "/v/images/_data" }], volume, []],
    ["another folder", ["exited", 0, { Type: "bind", Source: "/srv/other" }], folder, [of("/srv/images")]],
    ["another volume", ["exited", 0, { Type: "volume", Name: "other" }], volume, [of("images")]],
    ["one that was not handed over", ["exited", 1, { Type: "bind", Source: "/srv/images" }], folder, [of("/srv/images")]],
    ["one that never was", ["created", 0, { Type: "bind", Source: "/srv/images" }], folder, [of("/srv/images")]],
  ])("is of what is new: %s", async (_, owner, wanted, tries) => {
    engine(...owner);
    await checkFolder(local, "registry", "sha256:1", wanted);
    expect(tools.calls().filter((call) => call.includes(" run "))).toEqual(tries);
  });

  it("makes no other in the place of one that the registry has, and that may be on a disk that is not mounted", async () => {
    const running = JSON.stringify({ Mounts: [{ Type: "bind", Source: "/srv/images" }] });
    tools.make(
      "docker",
      `case "$*" in *inspect*owner) echo 'No such container' >&2; exit 1 ;; *inspect*registry) echo '${running}' ;; esac`,
    );
    await checkFolder(local, "registry", "sha256:1", folder);
    const mount = "--mount type=bind,source=/srv/images,target=/to-hand-over";
    expect(tools.calls().at(-1)).toBe(of("/srv/images").replace(/--volume \S+/, mount));
  });

  it.each([
    [folder, "storage.filesystem.hostPath", "/srv/images"],
    [volume, "storage.filesystem", "images"],
  ])("stops the deployment, with the name that the user knows, for %j", async (wanted, key, name) => {
    engine("exited", 0, {}, "echo 'registry: /to-hand-over is no folder' >&2; exit 1");
    const error = await rejection(checkFolder(local, "registry", "sha256:1", wanted));
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error.message).toBe(`${key}: nothing was handed over to the registry: registry: ${name} is no folder`);
  });
});

describe("what could not be handed over", () => {
  const owner = (exitCode: number, start: string): void => {
    const state = JSON.stringify({ State: { Status: "exited", ExitCode: exitCode }, Mounts: [] });
    tools.make("docker", `case "$*" in *inspect*) echo '${state}' ;; *) ${start} ;; esac`);
  };
  const again = `${onLocal} start --attach registry-data-owner`;

  it.each<[string, number, string[]]>([
    ["is tried again", 1, [again]],
    ["and was by hand, is left alone", 0, []],
  ])("%s", async (_, exitCode, tries) => {
    owner(exitCode, "true");
    await handOverAgain(local, "registry-data-owner");
    expect(tools.calls().slice(1)).toEqual(tries);
  });

  it.each([
    ["registry: chown /var/lib/registry: read-only file system", "correct that, and run pulumi up again"],
    ["Error: No such container: registry-data-owner", "pulumi up --refresh"],
  ])("stops the deployment with the reason and a way out: %s", async (reason, way) => {
    owner(1, `echo '${reason}' >&2; exit 1`);
    const error = await rejection(handOverAgain(local, "registry-data-owner"));
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error.message).toBe(
      `storage.filesystem: the folder or volume could not be given to the registry's user: ${reason}; ${way}`,
    );
  });
});

describe("the try of a certificate before it is handed over", () => {
  const tried =
    `${onLocal} run --rm --read-only --cap-drop ALL --security-opt no-new-privileges ` +
    "--network none --interactive sha256:1 check-certificate";

  it.each([
    ["what is there", "new", []],
    ["another one", "old", [tried]],
    ["the first one", "", [tried]],
  ])("is of what is new: %s", async (_, written, tries) => {
    tools.make("docker", `case "$*" in *" cp "*) [ -n "${written}" ] && echo "tar ${written}"; exit ;; esac; [ "$(cat)" = new ]`);
    await checkCertificate(local, "registry-files-writer", "sha256:1", "new");
    const [copied, ...more] = tools.calls();
    expect(copied).toBe(`${onLocal} cp registry-files-writer:/etc/container-registry/server.pem -`);
    expect(more).toEqual(tries);
  });

  it("stops the deployment with the server's reason", async () => {
    tools.make("docker", `case "$*" in *" cp "*) exit 1 ;; esac; echo 'registry: x509: invalid e-mail' >&2; exit 1`);
    const error = await rejection(checkCertificate(local, "registry-files-writer", "sha256:1", "new"));
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error.message).toBe(
      "tls: the server could not use this certificate, so it keeps what it has: registry: x509: invalid e-mail",
    );
  });
});

describe("the try of a store before the switch to it", () => {
  const flight: Preflight = {
    engine: local,
    imageId: "sha256:1",
    containerName: "registry",
    filesVolume: "registry-files",
    filesFolder: "/etc/container-registry",
    configurationPath: "/etc/container-registry/config-2.yml",
    environment: ["SSL_CERT_FILE=/ca.pem"],
    hosts: [{ host: "store", ip: "192.0.2.1" }],
    patience: 0,
  };
  /** An engine whose registry runs with a configuration file, and a store that gives this answer. */
  const engineWith = (running: string, mounts: object[], ...answer: string[]): void => {
    const words = JSON.stringify({ words: ["serve", running], mounts });
    tools.make("docker", `case "$*" in *inspect*) echo '${words}'; exit 0 ;; esac`, ...answer);
  };
  const engine = (running: string, ...answer: string[]): void =>
    engineWith(running, [{ Type: "bind", Source: "/srv/images", Destination: dataFolder }], ...answer);
  const folder = { engine: { host: "ssh://node2" }, source: "/srv/other", target: "/var/lib/registry" };

  it("is where the registry will be, and as little allowed", async () => {
    engine("/etc/container-registry/config-1.yml");
    await checkStore(flight);
    expect(tools.calls()[1]).toBe(
      `${onLocal} run --rm --read-only --cap-drop ALL --security-opt no-new-privileges ` +
        "--volume registry-files:/etc/container-registry:ro --env SSL_CERT_FILE=/ca.pem --add-host store:192.0.2.1 " +
        "sha256:1 check /etc/container-registry/config-2.yml",
    );
  });

  it("is not needed when the registry runs with this store already", async () => {
    engine(flight.configurationPath, "exit 1");
    await checkStore(flight);
    expect(tools.calls()).toHaveLength(1);
  });

  it.each([
    ["another one", "/srv/other", flight.configurationPath, 2],
    ["the one it has", "/srv/images", flight.configurationPath, 1],
  ])("is of a folder as well, which the configuration doesn't name: %s", async (_, source, running, calls) => {
    engine(running);
    await checkStore({ ...flight, folder: { ...folder, source } });
    expect(tools.calls()).toHaveLength(calls);
  });

  it.each<[string, Partial<Preflight>]>([
    ["volume", { ownVolume: true }],
    ["folder, which may be full", { folder: { ...folder, source: "/srv/images" } }],
  ])("is of the configuration alone for the %s that the registry has", async (_, has) => {
    engine("/etc/container-registry/config-1.yml");
    await checkStore({ ...flight, ...has });
    expect(tools.calls()[1]).toMatch(/:ro --env SSL_CERT_FILE=\/ca.pem sha256:1 check --file-only \S+config-2.yml$/);
    engine("/etc/container-registry/config-1.yml", "echo 'timezone: no such' >&2; exit 1");
    expect((await rejection(checkStore({ ...flight, ...has }))).message).toBe(
      "The registry goes on as it was, as its server does not take the new configuration: timezone: no such",
    );
    engine("/etc/container-registry/config-1.yml", "echo 'no space left on device' >&2; exit 125");
    expect((await rejection(checkStore({ ...flight, ...has }))).message).toBe(
      "The registry goes on as it was, as the engine could not try the new configuration: no space left on device",
    );
  });

  it.each<[string, Partial<Preflight>, object[], string | undefined]>([
    ["from a volume to a bucket", {}, [{ Name: "images", Source: "/var/lib/docker/images", Destination: dataFolder }], "images"],
    ["from a folder to another", { folder }, [{ Source: "/srv/images", Target: dataFolder }], "/srv/images"],
    ["from a bucket to a volume", { ownVolume: true }, [{ Source: "/files", Destination: "/etc" }], "the store of before"],
    ["from a bucket to a folder", { folder }, [], "the store of before"],
    ["of something else", { folder }, [{ Source: folder.source, Destination: dataFolder }], undefined],
    ["of something else with a volume", { ownVolume: true }, [{ Name: "images", Destination: dataFolder }], undefined],
    ["of something else with a bucket", {}, [], undefined],
  ])("tells of a change %s where the images stay", async (_, has, mounts, stay) => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    engineWith("/etc/container-registry/config-1.yml", mounts);
    await checkStore({ ...flight, ...has });
    const told = warn.mock.calls.map(([text]) => /images stay in (.*), and/.exec(text)?.[1]);
    warn.mockRestore();
    expect(told).toEqual(stay === undefined ? [] : [stay]);
  });

  it("tells of no change that is refused", async () => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    const mounts = [{ Name: "images", Source: "/var/lib/docker/images", Destination: dataFolder }];
    engineWith("/etc/container-registry/config-1.yml", mounts, "echo 'registry: the credentials were refused' >&2; exit 1");
    expect((await rejection(checkStore(flight))).message).toContain("the credentials were refused");
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it.each([
    ["no file yet", `registry: configuration: open ${flight.configurationPath}: no such file or directory`],
    ["only the server before", "registry: unknown flag: --file-only"],
  ])("keeps no `up --target` of something else from it, where there is %s", async (_, said) => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    engine("/etc/container-registry/config-1.yml", `echo '${said}' >&2; exit 1`);
    await checkStore({ ...flight, ownVolume: true });
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });

  it("is not for a volume whose registry is not there yet, or has the configuration", async () => {
    engine(flight.configurationPath, "exit 1");
    await checkStore({ ...flight, ownVolume: true });
    tools.make("docker", `case "$*" in *inspect*) echo 'Error: No such container: registry' >&2; exit 1 ;; esac; exit 1`);
    await checkStore({ ...flight, ownVolume: true });
    expect(tools.calls().filter((call) => call.includes(" run "))).toEqual([]);
  });

  it("has the folder where the server will, on the engine that has it", async () => {
    engine("/etc/container-registry/config-1.yml");
    await checkStore({ ...flight, folder });
    const [asked, tried] = tools.calls();
    expect(asked).toMatch(`${onLocal} container inspect`);
    expect(tried).toMatch("--host ssh://node2 run --rm --read-only --cap-drop ALL");
    expect(tried).toMatch(
      / --mount type=bind,source=\/srv\/other,target=\/var\/lib\/registry .* check \/etc\/container-registry\/config-2.yml$/,
    );
  });

  it("tells of a folder by the name that the user knows", async () => {
    engine("", "echo 'cannot write to filesystem folder \"/var/lib/registry\"' >&2; exit 1");
    expect((await rejection(checkStore({ ...flight, folder }))).message).toBe(
      'storage: the registry was not switched to this store: cannot write to filesystem folder "/srv/other"',
    );
  });

  it("stops the deployment with the store's own words", async () => {
    engine("/etc/container-registry/config-1.yml", "echo 's3: NoSuchBucket' >&2; exit 1");
    expect((await rejection(checkStore(flight))).message).toBe(
      "storage: the registry was not switched to this store: s3: NoSuchBucket",
    );
  });

  it("calls it no switch where there is no registry yet", async () => {
    tools.make(
      "docker",
      `case "$*" in *inspect*) echo 'No such container: registry' >&2; exit 1 ;; esac; echo closed >&2; exit 1`,
    );
    expect((await rejection(checkStore(flight))).message).toBe("storage: the registry was not made with this store: closed");
  });
});
