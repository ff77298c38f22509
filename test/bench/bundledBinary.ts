import * as path from "path";
import { buildBundledImage, loadImage } from "../../components/docker/bundledImage";
import { Workspace } from "../support/clients";
import { run } from "../support/run";

const engine = { host: process.env.DOCKER_HOST };

/** The binary in the bundled image: the benchmark runs what is deployed, without the engine's network between. */
export async function bundledBinary(workspace: Workspace): Promise<string> {
  const archive = await buildBundledImage(engine);
  const image = `bench-binary-${process.pid}:${archive.name.split(":")[1]}`;
  await loadImage(engine, archive, image);
  const container = await run("docker", ["create", image]);
  const binary = path.join(workspace.folder, "registry");
  await run("docker", ["cp", `${container}:/registry`, binary]);
  await run("docker", ["rm", container]);
  await run("docker", ["image", "rm", image]);
  return binary;
}
