import { CleanUp } from "../support/cleanUp";
import { DockerClient, request, servedFingerprint } from "../support/clients";
import { eventually } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** The part of an exported state that is looked at. */
interface State {
  resources: { type: string; outputs?: { validityEndTime?: string } }[];
}

const day = 24 * 3600 * 1000;

/**
 * Renewal by age. The provider goes by the end that stands in state and by its own clock; a clock can't be moved, so the end is:
 * to what an older certificate's would be.
 */
describe("a certificate that is about to end", () => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  let stack: TestStack;
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    stack = cleanUp.add(await TestStack.create({ "tls.validityDays": 90, "tls.renewBeforeDays": 20 }));
    outputs = await stack.up();
  });

  async function setDaysLeft(days: number): Promise<void> {
    const state = await stack.stack.exportStack();
    const { resources } = state.deployment as State;
    const certificates = resources.filter(({ type }) => type === "tls:index/locallySignedCert:LocallySignedCert");
    expect(certificates).toHaveLength(1);
    for (const { outputs: known } of certificates) {
      Object.assign(known ?? {}, { validityEndTime: new Date(Date.now() + days * day).toISOString() });
    }
    await stack.stack.importStack(state);
  }

  function container(): Promise<string> {
    return docker.run("inspect", "--format", "{{.Id}} {{.State.StartedAt}} {{.RestartCount}}", outputs.containerName);
  }

  it("stays while more than renewBeforeDays are left", async () => {
    await setDaysLeft(21);
    const before = await servedFingerprint(outputs);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
    outputs = await stack.up();
    expect(await servedFingerprint(outputs)).toBe(before);
  });

  it("is renewed by an ordinary up after that, by the same CA and under the running container", async () => {
    await setDaysLeft(19);
    const before = { fingerprint: await servedFingerprint(outputs), ca: outputs.caCertificate, container: await container() };
    outputs = await stack.up();
    await eventually("a new certificate", async () => (await servedFingerprint(outputs)) !== before.fingerprint);
    expect(outputs.caCertificate).toBe(before.ca);
    expect(await container()).toBe(before.container);
    expect((Date.parse(outputs.certificateExpiresAt) - Date.now()) / day).toBeCloseTo(90, 0);
    expect((await request(outputs, "/v2/")).status).toBe(200);
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });
});
