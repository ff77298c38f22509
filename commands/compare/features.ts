import { closing, digestOf, locationOf, manifestType, RandomImage } from "../randomImage";
import { newImage, push, pushBlob } from "./transfer";
import { Answer, RegistryClient } from "../registryClient";

/** Parts of the OCI distribution specification, and of what registries add to it, that not every registry has. */
export const features = ["chunked upload", "cross-repository mount", "referrers", "catalog", "immutable tags", "delete"] as const;

export type Feature = (typeof features)[number];

/** `yes`, `no`, or what happened instead. */
export type Support = Record<Feature, string>;

/** Tries every feature with small images in two repositories; `pushed` is called with each manifest. */
export async function probe(
  client: RegistryClient,
  repository: string,
  other: string,
  pushed: (repository: string, digest: string) => void,
): Promise<Support> {
  const [image, another] = [newImage(1, 1000), newImage(1, 1000)];
  pushed(repository, image.digest);
  pushed(repository, another.digest);
  pushed(other, image.digest);
  await push(client, repository, "probe", image);
  await push(client, other, "probe", image);
  const trials: Record<Feature, () => Promise<boolean>> = {
    "chunked upload": () => chunked(client, repository),
    "cross-repository mount": () => mounted(client, repository, other),
    referrers: () => refers(client, repository, image),
    catalog: async () => (await client.request("GET", "/v2/_catalog?n=1")).status === 200,
    "immutable tags": () => immutable(client, repository, another),
    delete: async () => (await removed(client, other, image.digest)).status === 202,
  };
  const found: [Feature, string][] = [];
  // One after the other, so that deletion comes last.
  for (const feature of features) {
    found.push([feature, await trials[feature]().then((has) => (has ? "yes" : "no"))]);
  }
  return Object.fromEntries(found) as Support;
}

/** Deletes a manifest by its digest. */
export function removed(client: RegistryClient, repository: string, digest: string): Promise<Answer> {
  return client.request("DELETE", `/v2/${repository}/manifests/${digest}`);
}

/** Whether a blob can be uploaded in two pieces. */
async function chunked(client: RegistryClient, repository: string): Promise<boolean> {
  const blob = newImage(1, 2000).blobs[1] ?? Buffer.alloc(0);
  let location = locationOf(await client.expect([202], "POST", `/v2/${repository}/blobs/uploads/`));
  for (const start of [0, 1000]) {
    const headers = { "Content-Type": "application/octet-stream", "Content-Range": `${start}-${start + 999}` };
    const answer = await client.request("PATCH", location, { headers, body: blob.subarray(start, start + 1000) });
    if (answer.status !== 202) {
      return false;
    }
    location = locationOf(answer);
  }
  return (await client.request("PUT", closing(location, digestOf(blob)))).status === 201;
}

/** Whether a blob of another repository can be mounted without sending it again. */
async function mounted(client: RegistryClient, repository: string, other: string): Promise<boolean> {
  const blob = newImage(1, 1000).blobs[1] ?? Buffer.alloc(0);
  await pushBlob(client, other, blob);
  const query = `mount=${encodeURIComponent(digestOf(blob))}&from=${encodeURIComponent(other)}`;
  const answer = await client.expect([201, 202], "POST", `/v2/${repository}/blobs/uploads/?${query}`, { alsoReads: other });
  if (answer.status === 202) {
    await client.request("DELETE", locationOf(answer));
  }
  return answer.status === 201;
}

/** Whether the registry itself lists the manifests with a `subject`, without the client's fallback tag. */
async function refers(client: RegistryClient, repository: string, subject: RandomImage): Promise<boolean> {
  return (
    (await client.request("GET", `/v2/${repository}/referrers/${subject.digest}`, { headers: { Accept: indexType } })).status ===
    200
  );
}

const indexType = "application/vnd.oci.image.index.v1+json";

/** Whether a tag can't be moved to another image. */
async function immutable(client: RegistryClient, repository: string, another: RandomImage): Promise<boolean> {
  for (const blob of another.blobs) {
    await pushBlob(client, repository, blob);
  }
  const headers = { "Content-Type": manifestType };
  const { status } = await client.request("PUT", `/v2/${repository}/manifests/probe`, { headers, body: another.manifest });
  return status !== 201;
}
