import { closing, digestOf, locationOf, manifestType, RandomImage, randomImage } from "../randomImage";
import { RegistryClient } from "../registryClient";

/** Blobs that are transferred at once, about as many as the docker command does. */
const parallel = 3;

/** How long a transfer took, and what it needed. */
export interface Transfer {
  seconds: number;
  requests: number;
}

/** A pull, with the seconds to the first byte of each of its blobs, and the hosts they came from. */
export interface Pull extends Transfer {
  firstBytes: number[];
  hosts: string[];
}

/** An image of random layers, so that no registry has any part of it. */
export function newImage(layers: number, layerBytes: number): RandomImage {
  return randomImage(Array.from({ length: layers }, () => layerBytes));
}

/** Bytes of an image's blobs. */
export function sizeOf(image: RandomImage): number {
  return image.blobs.reduce((sum, blob) => sum + blob.length, 0);
}

export async function push(client: RegistryClient, repository: string, tag: string, image: RandomImage): Promise<Transfer> {
  return timed(client, async () => {
    await each(image.blobs, (blob) => pushBlob(client, repository, blob));
    await pushManifest(client, repository, tag, image.manifest);
  });
}

export async function pull(client: RegistryClient, repository: string, tag: string, image: RandomImage): Promise<Pull> {
  const firstBytes: number[] = [];
  const hosts = new Set<string>();
  const fetched = async (path: string, digest: string): Promise<void> => {
    const download = await client.download(`/v2/${repository}/${path}`, { Accept: manifestType });
    if (download.digest !== digest) {
      throw new Error(`${path} came back with another content`);
    }
    if (path.startsWith("blobs/")) {
      firstBytes.push(download.firstByte);
      hosts.add(download.host);
    }
  };
  const transfer = await timed(client, async () => {
    await fetched(`manifests/${tag}`, image.digest);
    await each(image.blobs, (blob) => fetched(`blobs/${digestOf(blob)}`, digestOf(blob)));
  });
  return { ...transfer, firstBytes, hosts: [...hosts] };
}

export async function pushBlob(client: RegistryClient, repository: string, blob: Buffer): Promise<void> {
  const started = await client.expect([202], "POST", `/v2/${repository}/blobs/uploads/`);
  const headers = { "Content-Type": "application/octet-stream" };
  await client.expect([201], "PUT", closing(locationOf(started), digestOf(blob)), { headers, body: blob });
}

async function pushManifest(client: RegistryClient, repository: string, tag: string, manifest: Buffer): Promise<void> {
  const headers = { "Content-Type": manifestType };
  await client.expect([201], "PUT", `/v2/${repository}/manifests/${tag}`, { headers, body: manifest });
}

async function timed(client: RegistryClient, work: () => Promise<void>): Promise<Transfer> {
  const { requests } = client;
  const start = performance.now();
  await work();
  return { seconds: (performance.now() - start) / 1000, requests: client.requests - requests };
}

/** Works through a list, some items at once; after a failure it starts no further item. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      await work(item).catch((error: unknown) => {
        queue.length = 0;
        throw error;
      });
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: parallel }, worker));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    throw failed.reason;
  }
}
