import { CleanUp } from "../support/cleanUp";
import { request } from "../support/clients";
import { checkImage, pushImage, randomImage } from "../support/images";
import { Load } from "../support/load";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** Two registries of one project on one engine, as of two teams. */
describe("two stacks on one engine", () => {
  const cleanUp = new CleanUp();
  const image = randomImage();
  let going: TestStack;
  let staying: TestStack;
  let goingOutputs: RegistryOutputs;
  let stayingOutputs: RegistryOutputs;

  beforeAll(async () => {
    going = cleanUp.add(await TestStack.create());
    staying = cleanUp.add(await TestStack.create());
    [goingOutputs, stayingOutputs] = await Promise.all([going.up(), staying.up()]);
  });

  it("have their own users, certificates and images", async () => {
    const { username, password } = goingOutputs;
    expect((await request(stayingOutputs, "/v2/", { login: { username, password } })).status).toBe(401);
    const crossed = { ...stayingOutputs, caCertificate: goingOutputs.caCertificate };
    await expect(request(crossed, "/v2/")).rejects.toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });

    await pushImage(goingOutputs, "of-the-one", "latest", randomImage());
    await pushImage(stayingOutputs, "of-the-other", "latest", image);
    const catalogs = [goingOutputs, stayingOutputs].map(async (outputs) =>
      (await request(outputs, "/v2/_catalog")).body.toString(),
    );
    expect((await Promise.all(catalogs)).map((catalog) => JSON.parse(catalog) as unknown)).toEqual([
      { repositories: ["of-the-one"] },
      { repositories: ["of-the-other"] },
    ]);
  });

  it("do not notice each other's end", async () => {
    const load = new Load(stayingOutputs, stayingOutputs);
    load.start();
    try {
      await going.destroy();
    } finally {
      const { requests, images, failures } = await load.stop();
      expect(failures).toEqual([]);
      expect(Math.min(requests, images)).toBeGreaterThan(0);
    }
    expect(await going.leftOnEngine()).toEqual([]);
    await checkImage(stayingOutputs, "of-the-other", "latest", image);
    expect(Object.keys(await staying.plannedChanges())).toEqual(["same"]);
  });
});
