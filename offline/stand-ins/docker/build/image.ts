import * as fs from "fs";
import * as path from "path";
import { resource } from "../../provider/resource";
import { InputsOf, isObject, map, object, string, Values } from "../../provider/types";
import { isUnknown, unknown } from "../../provider/wire";
import { contextArchive, contextDigest } from "./buildContext";
import { Engine, EngineError } from "../engine";
import { Login, registryOf, storedLogin } from "../logins";
import { only } from "../types";

const build = {
  context: { type: string, required: true },
  dockerfile: { type: string, required: true },
  platform: { type: string, required: true },
  args: { type: map(string), default: {} },
  /** Worked out from the files: another one is another image. */
  contextDigest: { type: string },
} as const;

const registry = object({ username: { type: string, default: "" }, password: { type: string, default: "" } });

const imageInputs = {
  imageName: { type: string, required: true },
  build: { type: object(build), required: true },
  // Another login makes no other image.
  registry: { type: { ...registry, comparable: () => [] }, secret: true },
  buildOnPreview: only(false),
  skipPush: only(false),
} as const;

type ImageInputs = InputsOf<typeof imageInputs>;

/** Name and tag apart, as the Engine API wants them. */
function parts(imageName: string): { repository: string; tag: string } {
  const [, repository = imageName, tag = "latest"] = /^(.*):([^:/]+)$/.exec(imageName) ?? [];
  return { repository, tag };
}

/** How many characters of what a build printed go with its error. */
const lastWords = 2000;

async function built(engine: Engine, { imageName, build: wanted, registry: given }: ImageInputs): Promise<string> {
  const own = registryOf(imageName);
  const loginFor = (name: string): Login | undefined =>
    name === own && given?.username ? { ...given, serveraddress: own } : storedLogin(name);
  const { repository, tag } = parts(imageName);
  // Takes time to load, and most deployments build nothing.
  const { withSession } = await import("./buildSession");
  const { printedIn } = await import("./buildTrace");
  let printed = "";
  await withSession(engine, loginFor, async (session) => {
    const query = {
      version: "2",
      session,
      t: imageName,
      dockerfile: path.relative(wanted.context, wanted.dockerfile),
      platform: wanted.platform,
      buildargs: JSON.stringify(wanted.args),
    };
    const file = await contextArchive(wanted.context, wanted.dockerfile);
    await engine.follow("/build", { query, file }, (message) => {
      printed = (printed + printedIn(message)).slice(-lastWords);
    });
  }).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new EngineError(`${message}\n${printed}`.trim());
  });
  let digest: string | undefined;
  await engine.follow(`/images/${repository}/push`, { query: { tag }, login: loginFor(own) ?? nobody }, ({ aux }) => {
    digest = (aux as { Digest?: string } | undefined)?.Digest ?? digest;
  });
  if (digest !== undefined) {
    return `${repository}@${digest}`;
  }
  // With the containerd image store an engine does not say it while it pushes; what it pushed is what it has under the name.
  const { RepoDigests } = await engine.call<{ RepoDigests: string[] | null }>("GET", `/images/${imageName}/json`);
  const reference = RepoDigests?.find((each) => each.startsWith(`${repository}@`));
  if (reference === undefined) {
    throw new Error(`The engine pushed ${imageName} and told no digest`);
  }
  return reference;
}

/** The engine asks for a login also where there is none. */
const nobody: Login = { username: "", password: "", serveraddress: "" };

function outputsOf({ imageName, build: { context, dockerfile, platform } }: ImageInputs, repoDigest: string) {
  return {
    baseImageName: imageName,
    context,
    dockerfile: path.relative(context, dockerfile),
    platform,
    registryServer: "",
    repoDigest,
  };
}

export const image = resource({
  type: "docker:index/image:Image",
  inputs: imageInputs,
  outputs: {
    baseImageName: { type: string },
    context: { type: string },
    dockerfile: { type: string },
    platform: { type: string },
    registryServer: { type: string },
    repoDigest: { type: string },
  },
  inputsInState: true,
  completed(given) {
    const { build: wanted } = given;
    if (!isObject(wanted) || !readable(wanted)) {
      return {};
    }
    return { build: { ...wanted, contextDigest: contextDigest(String(wanted.context), String(wanted.dockerfile)) } };
  },
  async create(inputs, { configuration }: { configuration: Engine }) {
    return { id: inputs.imageName, outputs: outputsOf(inputs, await built(configuration, inputs)) };
  },
  // The image is in a registry, where others may have put another one: that is no drift.
  async update(_, __, inputs, { configuration }) {
    return outputsOf(inputs, await built(configuration, inputs));
  },
  preview: () => ({ repoDigest: unknown }),
});

/** Whether the files of a build are known and there. */
function readable({ context, dockerfile }: Values): boolean {
  return typeof context === "string" && typeof dockerfile === "string" && !isUnknown(context) && fs.existsSync(dockerfile);
}
