import { randomBytes } from "crypto";
import { Answer, digestOf, request, RequestOptions } from "./clients";
import { RegistryOutputs } from "./testStack";

export const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** An image made for a test: its parts by digest, as they are in the registry. */
export interface TestImage {
  manifest: Buffer;
  digest: string;
  blobs: Buffer[];
}

/** An OCI image with random layers of the given sizes. */
export function randomImage(layerBytes: readonly number[] = [1000]): TestImage {
  const layers = layerBytes.map((size) => randomBytes(size));
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: layers.map(digestOf) },
    }),
  );
  const descriptor = (mediaType: string, blob: Buffer): object => ({ mediaType, digest: digestOf(blob), size: blob.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor("application/vnd.oci.image.config.v1+json", config),
      layers: layers.map((layer) => descriptor("application/vnd.oci.image.layer.v1.tar", layer)),
    }),
  );
  return { manifest, digest: digestOf(manifest), blobs: [config, ...layers] };
}

async function expectStatus(answer: Promise<Answer>, status: number): Promise<Answer> {
  const got = await answer;
  if (got.status !== status) {
    throw new Error(`the registry answered ${got.status} instead of ${status}: ${got.body.toString()}`);
  }
  return got;
}

/** Starts the upload of a blob; returns where its bytes go. */
export async function startUpload(outputs: RegistryOutputs, repository: string, options: RequestOptions = {}): Promise<string> {
  const started = await expectStatus(request(outputs, `/v2/${repository}/blobs/uploads/`, { ...options, method: "POST" }), 202);
  return locationOf(started);
}

export function locationOf(answer: Answer): string {
  return String(answer.headers.location);
}

/** The location with which a finished upload is closed. */
export function closing(location: string, digest: string): string {
  return `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
}

/** Pushes an image by the registry's API; throws unless the registry took every part. */
export async function pushImage(
  outputs: RegistryOutputs,
  repository: string,
  tag: string,
  image: TestImage,
  options: RequestOptions = {},
): Promise<void> {
  for (const blob of image.blobs) {
    const location = closing(await startUpload(outputs, repository, options), digestOf(blob));
    const headers = { "Content-Type": "application/octet-stream" };
    await expectStatus(request(outputs, location, { ...options, method: "PUT", headers, body: blob }), 201);
  }
  const headers = { "Content-Type": manifestType };
  await expectStatus(
    request(outputs, `/v2/${repository}/manifests/${tag}`, { ...options, method: "PUT", headers, body: image.manifest }),
    201,
  );
}

/** Pulls every part of an image by the registry's API and compares it; throws when one is missing or differs. */
export async function checkImage(
  outputs: RegistryOutputs,
  repository: string,
  tag: string,
  image: TestImage,
  options: RequestOptions = {},
): Promise<void> {
  const get = (path: string): Promise<Answer> =>
    expectStatus(request(outputs, `/v2/${repository}/${path}`, { ...options, headers: { Accept: manifestType } }), 200);
  const parts: [path: string, content: Buffer][] = [
    [`manifests/${tag}`, image.manifest],
    ...image.blobs.map((blob): [string, Buffer] => [`blobs/${digestOf(blob)}`, blob]),
  ];
  for (const [path, content] of parts) {
    if (!(await get(path)).body.equals(content)) {
      throw new Error(`${repository}/${path} came back with another content`);
    }
  }
}
