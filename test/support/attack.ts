import * as path from "path";
import { used } from "../bench/processes";
import { containerPort } from "../../components/render/configuration";
import { checkImage, pushImage, randomImage, RandomImage } from "./images";
import { run } from "./run";
import { projectRoot, RegistryOutputs } from "./testStack";

/** The experience of a normal client: pushes or pulls of whole images, those that failed at first, and those that failed despite retries. */
interface Tally {
  done: number;
  failedAtFirst: number;
  lost: string[];
}

/** The outcome of an attack. */
export interface Aftermath {
  pushes: Tally;
  pulls: Tally;
  hostile: Record<string, number>;
  /** The peak is known only if the server was never restarted. */
  server: { peakMiB: number | undefined; limitMiB: number; restarts: number; killedForMemory: boolean };
}

/** Docker's own clients try a blob again five times. */
const retries = 5;
const retryAfterSeconds = 2;

async function normalClient(going: () => boolean, work: () => Promise<void>): Promise<Tally> {
  const tally: Tally = { done: 0, failedAtFirst: 0, lost: [] };
  while (going()) {
    for (let tries = 0; ; tries++) {
      const failure = await work().then(
        () => undefined,
        (error: unknown) => String(error),
      );
      if (failure === undefined) {
        tally.done++;
        break;
      }
      tally.failedAtFirst += tries === 0 ? 1 : 0;
      if (tries === retries) {
        tally.lost.push(failure);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, retryAfterSeconds * 1000));
    }
  }
  return tally;
}

/**
 * Lets hostile clients attack a registry for some seconds, beside one that pushes and one that pulls; if `inside` is set, from inside
 * the network of its container, which takes root.
 */
export async function attack(outputs: RegistryOutputs, seconds: number, connections: number, inside = false): Promise<Aftermath> {
  const inspect = (template: string): Promise<string> => run("docker", ["inspect", "--format", template, outputs.containerName]);
  const pid = Number(await inspect("{{.State.Pid}}"));
  const kept: RandomImage = randomImage([500_000]);
  await pushImage(outputs, "team/kept", "latest", kept);

  const { hostname, port } = new URL(outputs.endpoint);
  const program = path.join(projectRoot, "test", "support", "hostileClients.ts");
  const loader = path.join(projectRoot, "components", "loader", "index.cjs");
  let going = true;
  const words = [process.execPath, "--require", loader, program];
  const at = inside ? ["127.0.0.1", String(containerPort)] : [hostname, port];
  const [command, ...rest] = [
    ...(inside ? ["nsenter", `--net=/proc/${pid}/ns/net`] : []),
    ...words,
    ...at,
    String(seconds),
    String(connections),
  ];
  const hostile = run(command, rest).finally(() => (going = false));
  const [visits, pushes, pulls] = await Promise.all([
    hostile,
    normalClient(
      () => going,
      () => pushImage(outputs, "team/pushed", "latest", randomImage([200_000, 1000])),
    ),
    normalClient(
      () => going,
      () => checkImage(outputs, "team/kept", "latest", kept),
    ),
  ]);
  const restarts = Number(await inspect("{{.RestartCount}}"));
  return {
    pushes,
    pulls,
    hostile: JSON.parse(visits) as Record<string, number>,
    server: {
      peakMiB: restarts === 0 ? used(pid).peakMiB : undefined,
      limitMiB: Number(await inspect("{{.HostConfig.Memory}}")) / (1 << 20),
      restarts,
      killedForMemory: (await inspect("{{.State.OOMKilled}}")) === "true",
    },
  };
}
