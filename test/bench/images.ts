import * as fs from "fs";
import * as path from "path";
import { Workspace } from "../support/clients";
import { run } from "../support/run";

/** An OCI layout of random layers, as `skopeo copy` takes it. */
export async function makeImage(workspace: Workspace, name: string, layers: number, mebibytes: number): Promise<string> {
  const folder = path.join(workspace.folder, name);
  const sizes = Array.from(
    { length: layers },
    (_, index) => `head -c ${Math.round(mebibytes * (1 << 20))} /dev/urandom > ${folder}/layer${index}`,
  );
  fs.mkdirSync(folder);
  await run("sh", ["-c", sizes.join(" && ")]);
  const digests = (await run("sh", ["-c", `cd ${folder} && sha256sum layer*`])).split("\n").map((line) => line.split(/\s+/));
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: digests.map(([digest]) => `sha256:${digest}`) },
  });
  workspace.write(`${name}/config`, config);
  const configDigest = (await run("sha256sum", [`${folder}/config`])).split(" ")[0] ?? "";
  const blobs = [...digests, [configDigest, "config"]];
  const descriptors = blobs.map(([digest, file]) => {
    const size = fs.statSync(`${folder}/${file}`).size;
    fs.renameSync(`${folder}/${file}`, `${folder}/${digest}`);
    return { digest: `sha256:${digest}`, size };
  });
  workspace.write(`${name}/version`, "Directory Transport Version: 1.1\n");
  workspace.write(
    `${name}/manifest.json`,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...descriptors.at(-1) },
      layers: descriptors.slice(0, -1).map((each) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar", ...each })),
    }),
  );
  return `dir:${folder}`;
}
