import { attack } from "../support/attack";
import { CleanUp } from "../support/cleanUp";
import { TestStack } from "../support/testStack";

/** `npm run bench:hostile` is the same for two minutes, with as many connections as the machine allows. */
describe("a registry among hostile clients without a login", () => {
  const cleanUp = new CleanUp();

  it("serves those who push and pull, within its memory", async () => {
    const stack = cleanUp.add(await TestStack.create());

    const { pushes, pulls, hostile, server } = await attack(await stack.up(), 20, 1000);

    expect(server).toMatchObject({ restarts: 0, killedForMemory: false });
    expect(server.peakMiB).toBeLessThan(server.limitMiB);
    expect([...pushes.lost, ...pulls.lost]).toEqual([]);
    expect(Math.min(pushes.done, pulls.done, ...Object.values(hostile))).toBeGreaterThan(0);
  });
});
