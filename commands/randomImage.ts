import { createHash, randomBytes } from "crypto";

export const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** An image of random layers, so that no registry has any part of it. */
export interface RandomImage {
  manifest: Buffer;
  digest: string;
  blobs: Buffer[];
}

/** An OCI image with random layers of the given sizes. */
export function randomImage(layerBytes: readonly number[] = [1000]): RandomImage {
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

/** `sha256:…` of bytes, as the registry names blobs. */
export function digestOf(content: Buffer | string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** The location at which an upload continues. */
export function locationOf(answer: { headers: Record<string, string | string[] | undefined> }): string {
  return String(answer.headers.location);
}

/** The location with which a finished upload is closed. */
export function closing(location: string, digest: string): string {
  return `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
}
