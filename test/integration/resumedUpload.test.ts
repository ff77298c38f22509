import { randomBytes } from "crypto";
import { CleanUp } from "../support/cleanUp";
import { Answer, digestOf, open, request } from "../support/clients";
import { closing, locationOf, startUpload } from "../support/images";
import { eventually } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

const octets = { "Content-Type": "application/octet-stream" };

/** A push whose connection breaks half way goes on where it was, as the distribution API has it. */
describe("an upload that is cut off", () => {
  const cleanUp = new CleanUp();
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    outputs = await cleanUp.add(await TestStack.create()).up();
  });

  /** Sends the content's first part without end, as a chunked body, and cuts the connection. */
  function sendAndCut(location: string, part: Buffer): Promise<void> {
    return new Promise((resolve) => {
      const sent = open(outputs, location, { method: "PATCH", headers: { ...octets, "Transfer-Encoding": "chunked" } });
      sent.on("error", () => undefined).on("close", resolve);
      // The kernel has taken all of it by then; the end of the body and of the TLS connection is never sent.
      sent.write(part, () => sent.destroy());
    });
  }

  /** How many bytes of an upload the registry has. */
  async function received(location: string): Promise<{ bytes: number; answer: Answer }> {
    const answer = await request(outputs, location);
    const end = /^0-(\d+)$/.exec(String(answer.headers.range))?.[1];
    return { bytes: answer.status === 204 && end !== undefined ? Number(end) + 1 : -1, answer };
  }

  it("is resumed where it was and ends as the blob it should be", async () => {
    const content = randomBytes(40 << 20);
    const location = await startUpload(outputs, "resumed");
    await sendAndCut(location, content.subarray(0, 25 << 20));

    let before = -1;
    const status = await eventually("the registry's notice of the cut", async () => {
      const now = await received(location);
      const settled = now.bytes > 1 && now.bytes === before;
      before = now.bytes;
      return settled && now;
    });
    expect(status.bytes).toBeLessThanOrEqual(25 << 20);

    const rest = content.subarray(status.bytes);
    const range = `${status.bytes}-${content.length - 1}`;
    const resumed = await request(outputs, locationOf(status.answer), {
      method: "PATCH",
      headers: { ...octets, "Content-Range": range },
      body: rest,
    });
    expect([resumed.status, resumed.headers.range]).toEqual([202, `0-${content.length - 1}`]);
    const closed = await request(outputs, closing(locationOf(resumed), digestOf(content)), { method: "PUT" });
    expect([closed.status, closed.headers["docker-content-digest"]]).toEqual([201, digestOf(content)]);

    const blob = await request(outputs, `/v2/resumed/blobs/${digestOf(content)}`);
    expect(blob.status).toBe(200);
    expect(blob.body.equals(content)).toBe(true);
  });
});
