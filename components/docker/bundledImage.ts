import * as childProcess from "child_process";
import * as path from "path";
import * as pulumi from "@pulumi/pulumi";
import { dockerCommand, EngineAddress, enginePlatform, printedBy } from "./engine";
import { failure } from "../checks/failure";

const buildScript = path.join(__dirname, "..", "..", "server", "build.sh");

/** An image archive on this machine, as `docker load` takes it. */
export interface ImageArchive {
  file: string;
  /** IDs of the image in the archive, `sha256:…`: an engine has it under the first if it has the containerd image store, or else under the second. */
  ids: readonly string[];
  /** Name and tag of the image in the archive. */
  name: string;
  /** Stands for the content of the image. */
  tag: string;
}

/** By architecture. */
const archives = new Map<string, Promise<ImageArchive>>();

/** Builds the bundled server's image for an engine when its sources have changed; a second call in the same run costs nothing. */
export async function buildBundledImage(engine: EngineAddress): Promise<ImageArchive> {
  const [, architecture = ""] = (await enginePlatform(engine)).split("/");
  const archive = archives.get(architecture) ?? buildFor(architecture);
  archives.set(architecture, archive);
  return archive;
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
    build.on("error", reject);
    build.on("close", (code) => {
      const [file, ...ids] = output.trim().split("\n").pop()?.split(" ") ?? [];
      if (code === 0 && file && ids.length > 0) {
        const tag = path.basename(path.dirname(file)).slice(0, 12);
        resolve({ file, ids, name: `container-registry:${tag}`, tag });
      } else {
        reject(failure(`The registry image could not be built (${buildScript}, exit code ${code}):\n${progress.trim()}`));
      }
    });
  });
}

/** The tag by which an engine may have the archive's image for a component called `owner`. */
export function imageName(owner: string, image: ImageArchive): string {
  // An image's name knows no capitals, and separators only one by one between letters and digits.
  const name = owner
    .toLowerCase()
    .replace(/[^a-z0-9]{2,}/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  return `${name}:${image.tag}`;
}

/** Makes an engine have the archive's image under `name`, and under no other; does nothing where it is there already. */
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
