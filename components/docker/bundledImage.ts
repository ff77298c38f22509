import * as childProcess from "child_process";
import { createHash } from "crypto";
import * as path from "path";
import * as pulumi from "@pulumi/pulumi";
import { dockerCommand, EngineAddress, enginePlatform, printedBy } from "./engine";
import { failure } from "../checks/failure";
import { once } from "./once";

const buildScript = path.join(__dirname, "..", "..", "server", "build.sh");

/** An image archive on this machine, as `docker load` takes it. */
export interface ImageArchive {
  file: string;
  /** IDs of the image in the archive, `sha256:…`: an engine has it under the first if it has the containerd image store, or else under the second. */
  ids: readonly string[];
  /** Name and tag of the image in the archive. */
  name: string;
  /** Identifies the content of the image. */
  tag: string;
}

/** By architecture. */
const archives = new Map<string, Promise<ImageArchive>>();

/** Go's names of processors, by the names that Node.js and kernels use. */
const goNames: Record<string, string> = { x64: "amd64", x86_64: "amd64", aarch64: "arm64" };

/**
 * Builds the bundled server's image when its sources have changed, for an engine's processor unless another one is given; a second
 * call in the same run costs nothing.
 */
export async function buildBundledImage(engine: EngineAddress, processor?: string): Promise<ImageArchive> {
  const named = processor ?? (await processorOf(engine));
  const architecture = goNames[named] ?? named;
  return once(archives, architecture, () => buildFor(architecture));
}

/** An engine's processor. A preview brings nothing to the engine, so it need not reach it. */
async function processorOf(engine: EngineAddress): Promise<string> {
  try {
    const [, architecture = ""] = (await enginePlatform(engine)).split("/");
    return architecture;
  } catch (error) {
    if (!pulumi.runtime.isDryRun()) {
      throw error;
    }
    await pulumi.log.warn(`The preview takes this machine's platform. ${printedBy(error)}`);
    return process.arch;
  }
}

function buildFor(architecture: string): Promise<ImageArchive> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, GOARCH: architecture };
    const build = childProcess.spawn(buildScript, { stdio: ["ignore", "pipe", "pipe"], env });
    let output = "";
    let progress = "";
    build.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    build.stderr.setEncoding("utf8").on("data", (text: string) => {
      progress += text;
      void pulumi.log.info(text.trim(), undefined, undefined, true);
    });
    build.on("error", ({ message }) =>
      reject(
        failure(
          `The registry image could not be built (${message}): use the package from a clone of its repository, ` +
            "linked and not copied (as by npm install, or bun add and yarn add with link: before the folder), or set image",
        ),
      ),
    );
    build.on("close", (code) => {
      const [, file, ids] = /(.+?)((?: sha256:[0-9a-f]+)+)$/.exec(output.trim()) ?? [];
      if (code === 0 && file !== undefined && ids !== undefined) {
        const tag = path.basename(path.dirname(file)).slice(0, 12);
        resolve({ file, ids: ids.trim().split(" "), name: `container-registry:${tag}`, tag });
      } else {
        reject(failure(`The registry image could not be built (${buildScript}, exit code ${code}):\n${progress.trim()}`));
      }
    });
  });
}

/** The name and tag under which an engine has the archive's image for a component called `owner`, and for no other. */
export function imageName(owner: string, image: ImageArchive): string {
  // An image's name has no capitals, and only single separators between letters and digits.
  const name = owner
    .toLowerCase()
    .replace(/[^a-z0-9]{2,}/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  const hash = createHash("sha256").update(owner).digest("hex").slice(0, 8);
  return `${name === owner ? name : `${name}-${hash}`}:${image.tag}`;
}

/** Loads the archive's image into an engine under `name`, and under no other; does nothing if it is there already. */
export async function loadImage(engine: EngineAddress, image: ImageArchive, name: string): Promise<void> {
  const docker = async (...words: string[]): Promise<boolean> => {
    try {
      await dockerCommand(engine, "image", ...words);
      return true;
    } catch (error) {
      if (/No such image/i.test(printedBy(error))) {
        return false;
      }
      throw failure(`The registry image could not be brought to the Docker engine: ${printedBy(error)}`);
    }
  };
  // The same sources give the same IDs, so the engine may have the image under this name or another stack's.
  for (const id of image.ids) {
    if (await docker("tag", id, name)) {
      return;
    }
  }
  // Another stack may take the archive's own name away between loading and naming.
  for (let attempt = 1; attempt <= 5; attempt++) {
    await docker("load", "--quiet", "--input", image.file);
    if (await docker("tag", image.name, name)) {
      await docker("rm", image.name);
      return;
    }
  }
  throw failure(`The registry image was loaded but could not be named ${name} on the Docker engine`);
}
