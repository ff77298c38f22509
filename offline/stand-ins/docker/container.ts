import { resource } from "../provider/resource";
import { Values } from "../provider/types";
import {
  containerBody,
  containerFacts,
  ContainerFound,
  ContainerInputs,
  containerInputs,
  containerOutputs,
  containerProperties,
} from "./containerBody";
import { Engine, EngineError } from "./engine";
import { presentImage } from "./remoteImage";
import { tarOf } from "./tar";

const at = (id: string, what = ""): string => `/containers/${id}${what}`;

/** What the engine or the image fills in where nothing is given; else nobody would know a drift from that. */
const filledIn = new Set<string>([
  "command",
  "healthcheck",
  "logDriver",
  "logOpts",
  "memorySwap",
  "securityOpts",
  "stopTimeout",
  "user",
]);

const isGiven = (value: unknown): boolean =>
  Boolean(value) && !(typeof value === "object" && Object.keys(value as Values).length === 0);

export const container = resource({
  type: "docker:index/container:Container",
  inputs: containerInputs,
  outputs: containerOutputs,
  meta: { schema_version: "2" },
  // The old one has the name, and ports and volumes besides.
  deleteBeforeReplace: true,

  async create(inputs, { configuration: engine }: { configuration: Engine }) {
    await presentImage(engine, inputs.image);
    const query = { name: inputs.name };
    const { Id } = await engine.call<{ Id: string }>("POST", "/containers/create", { query, body: containerBody(inputs) });
    try {
      await upload(engine, Id, inputs);
      if (inputs.start) {
        await engine.call("POST", at(Id, "/start"));
      }
      if (inputs.attach) {
        await engine.call("POST", at(Id, "/wait"));
      }
      return { id: Id, outputs: containerFacts(await engine.call<ContainerFound>("GET", at(Id, "/json")), inputs) };
    } catch (error) {
      // One that can't start is of no use, and its name would be in the way of the next try.
      await engine.remove(at(Id), { query: { force: true, v: true } });
      throw error;
    }
  },

  async read(id, state, { configuration: engine }) {
    const found = await engine.find<ContainerFound>(at(id, "/json"));
    if (found === undefined) {
      return undefined;
    }
    const told = Object.entries(containerProperties(found)).filter(
      ([name, value]) => isGiven((state as Values)[name]) || (isGiven(value) && !filledIn.has(name)),
    );
    return {
      ...state,
      ...(Object.fromEntries(told) as Partial<ContainerInputs>),
      // A difference from what is wanted, so that the next deployment starts it.
      mustRun: state.mustRun && found.State.Running,
      ...containerFacts(found, state),
    };
  },

  // What else may change without a new container has no effect on this one, nor has it with the official provider.
  async update(id, state, inputs, { configuration: engine }) {
    if (inputs.start && inputs.mustRun && !state.mustRun) {
      await engine.call("POST", at(id, "/start"));
    }
    const { RestartPolicy, Memory, MemorySwap } = containerBody(inputs).HostConfig;
    await engine.call("POST", at(id, "/update"), { body: { RestartPolicy, Memory, MemorySwap } });
    return containerFacts(await engine.call<ContainerFound>("GET", at(id, "/json")), inputs);
  },

  async delete(id, { attach, destroyGraceSeconds }, { configuration: engine }) {
    if (!attach) {
      await engine.call("POST", at(id, "/stop"), { query: { t: destroyGraceSeconds } }).catch(unlessGone);
    }
    await engine.remove(at(id), { query: { force: true, v: true } }).catch(unlessGone);
  },
});

/** Writes files into a container, through its volumes as well. */
async function upload(engine: Engine, id: string, { uploads = [] }: ContainerInputs): Promise<void> {
  const files = uploads.map(({ file, content, permissions, executable }) => ({
    name: file,
    content,
    mode: permissions === "" ? (executable ? 0o744 : 0o644) : parseInt(permissions, 8),
  }));
  if (files.length > 0) {
    await engine.call("PUT", at(id, "/archive"), { query: { path: "/" }, file: await tarOf(files) });
  }
}

/** Somebody else has removed it, or is about to. */
function unlessGone(error: unknown): void {
  if (!(error instanceof EngineError && (error.status === 404 || error.message.includes("is already in progress")))) {
    throw error;
  }
}
