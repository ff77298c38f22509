import { randomBytes } from "crypto";
import { CleanUp } from "../support/cleanUp";
import { digestOf, request } from "../support/clients";
import { closing, locationOf, octets, received, sendAndCut, startUpload } from "../support/images";
import { eventually } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** A push whose connection breaks half way goes on where it was, as the distribution API has it. */
describe("an upload that is cut off", () => {
  const cleanUp = new CleanUp();
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    outputs = await cleanUp.add(await TestStack.create()).up();
  });

  it("is resumed where it was and ends as the blob it should be", async () => {
    const content = randomBytes(40 << 20);
    const location = await startUpload(outputs, "resumed");
    await sendAndCut(outputs, location, content.subarray(0, 25 << 20));

    let before = -1;
    const status = await eventually("the registry's notice of the cut", async () => {
      const now = await received(outputs, location);
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
