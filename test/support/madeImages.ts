import { randomBytes } from "crypto";
import { digestOf, manifestType, RandomImage } from "../../commands/randomImage";

/** What an image says about itself. */
export interface ImageFacts {
  architecture?: string;
  labels?: Record<string, string>;
  env?: string[];
  /** Instructions. The first one made `base`, and each of the others made a layer of its own. */
  steps?: string[];
  /** A layer that other images may have, too. */
  base?: Buffer;
}

const described = (mediaType: string, blob: Buffer): object => ({ mediaType, digest: digestOf(blob), size: blob.length });

/** An image with a history, labels and environment, as builders make them. */
export function madeImage({ architecture = "amd64", labels = {}, env = [], steps = [], base }: ImageFacts): RandomImage {
  const layers = [base ?? randomBytes(3000), ...steps.slice(1).map(() => randomBytes(2000))];
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: "linux",
      created: new Date().toISOString(),
      config: {
        Labels: labels,
        Env: env,
        User: "1000",
        WorkingDir: "/app",
        Entrypoint: ["/app/server"],
        ExposedPorts: { "8080/tcp": {} },
      },
      history: steps.map((step) => ({ created_by: step })),
      rootfs: { type: "layers", diff_ids: layers.map(digestOf) },
    }),
  );
  return imageOf("application/vnd.oci.image.config.v1+json", config, "application/vnd.oci.image.layer.v1.tar", layers);
}

/** A Helm chart. */
export function madeChart(name: string, version: string): RandomImage {
  const config = Buffer.from(JSON.stringify({ apiVersion: "v2", name, version, appVersion: "2.1.0", description: "An app" }));
  return imageOf("application/vnd.cncf.helm.config.v1+json", config, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", [
    randomBytes(900),
  ]);
}

function imageOf(configType: string, config: Buffer, layerType: string, layers: Buffer[]): RandomImage {
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: described(configType, config),
      layers: layers.map((layer) => described(layerType, layer)),
    }),
  );
  return { manifest, digest: digestOf(manifest), blobs: [config, ...layers] };
}

/** An index of images for platforms. */
export function indexOf(images: Record<string, RandomImage>): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: Object.entries(images).map(([architecture, { manifest }]) => ({
        ...described(manifestType, manifest),
        platform: { os: "linux", architecture },
      })),
    }),
  );
}
