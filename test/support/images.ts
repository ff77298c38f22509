import { closing, digestOf, locationOf, manifestType, RandomImage } from "../../commands/randomImage";
import { Answer, open, request, RequestOptions } from "./clients";
import { RegistryOutputs } from "./testStack";

export { closing, locationOf, manifestType, randomImage, type RandomImage } from "../../commands/randomImage";

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

/** Pushes an image through the registry's API; throws unless the registry took every part. */
export async function pushImage(
  outputs: RegistryOutputs,
  repository: string,
  tag: string,
  image: RandomImage,
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

/** Pulls every part of an image through the registry's API and compares it; throws if one is missing or differs. */
export async function checkImage(
  outputs: RegistryOutputs,
  repository: string,
  tag: string,
  image: RandomImage,
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

export const octets = { "Content-Type": "application/octet-stream" };

/** Sends the first part of an upload, as a chunked body without end, and cuts the connection. */
export function sendAndCut(outputs: RegistryOutputs, location: string, part: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const sent = open(outputs, location, { method: "PATCH", headers: { ...octets, "Transfer-Encoding": "chunked" } });
    sent.on("error", () => undefined).on("close", resolve);
    // The kernel has taken all of the part when this is called; the end of the body and of the TLS connection is never sent.
    sent.write(part, () => sent.destroy());
  });
}

/** How many bytes of an upload the registry has. */
export async function received(outputs: RegistryOutputs, location: string): Promise<{ bytes: number; answer: Answer }> {
  const answer = await request(outputs, location);
  const end = /^0-(\d+)$/.exec(String(answer.headers.range))?.[1];
  return { bytes: answer.status === 204 && end !== undefined ? Number(end) + 1 : -1, answer };
}
