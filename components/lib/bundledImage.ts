import * as childProcess from "child_process";
import * as path from "path";
import { promisify } from "util";
import * as pulumi from "@pulumi/pulumi";

const execFile = promisify(childProcess.execFile);

const buildScript = path.join(__dirname, "..", "..", "image", "build.sh");

/** An image archive on this machine, as `docker load` takes it. */
export interface ImageArchive {
  file: string;
  /** `sha256:…` of the image's configuration: the image ID, the same on every engine. */
  id: string;
}

let archive: Promise<ImageArchive> | undefined;

/** Builds the bundled server's image when its sources have changed; a second call in the same run costs nothing. */
export function buildBundledImage(): Promise<ImageArchive> {
  archive ??= new Promise((resolve, reject) => {
    const build = childProcess.spawn(buildScript, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let progress = "";
    build.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    build.stderr.setEncoding("utf8").on("data", (text: string) => {
      progress += text;
      void pulumi.log.info(text.trim(), undefined, undefined, true);
    });
    build.on("error", reject);
    build.on("close", (code) => {
      const [file, id] = output.trim().split("\n").pop()?.split(" ") ?? [];
      if (code === 0 && id !== undefined) {
        resolve({ file, id });
      } else {
        reject(new pulumi.RunError(`The registry image could not be built (${buildScript}, exit code ${code}):\n${progress.trim()}`));
      }
    });
  });
  return archive;
}

/** Where a Docker engine is: by address or by the name of a context. */
export interface EngineAddress {
  host?: string;
  context?: string;
}

function dockerArguments(engine: EngineAddress): string[] {
  return engine.context ? ["--context", engine.context] : ["--host", engine.host ?? "unix:///var/run/docker.sock"];
}

/** Makes an engine have the archive's image under `name`; does nothing where it is there already. */
export async function loadImage(engine: EngineAddress, image: ImageArchive, name: string): Promise<void> {
  const docker = (...words: string[]): Promise<{ stdout: string }> => execFile("docker", [...dockerArguments(engine), ...words]);
  const idOf = async (reference: string): Promise<string | undefined> => {
    try {
      return (await docker("image", "inspect", "--format", "{{.Id}}", reference)).stdout.trim();
    } catch (error) {
      if (/No such image/i.test(String(error))) {
        return undefined;
      }
      throw new pulumi.RunError(`The Docker engine ${engine.context ?? engine.host ?? ""} could not be asked for images: ${String(error)}`);
    }
  };
  if ((await idOf(name)) === image.id) {
    return;
  }
  if ((await idOf(image.id)) === undefined) {
    await docker("image", "load", "--quiet", "--input", image.file);
  }
  await docker("image", "tag", image.id, name);
}
