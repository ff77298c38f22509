import * as pulumi from "@pulumi/pulumi";
import { recover, unknown } from "@pulumi/pulumi/output";
import { checkStore } from "../../components/docker/storeCheck";
import { RegistryParts } from "../../components/selfHosted/registryParts";
import { completeSettings } from "../../components/selfHosted/settings";
import { TrialPlace, untilStoreAnswers } from "../../components/selfHosted/storeTrial";
import { mocked, valueOf } from "../support/mocks";

jest.mock("../../components/docker/storeCheck", () => ({ checkStore: jest.fn(() => Promise.resolve()) }));

const path = "/etc/container-registry/config-1.yml";
const written = pulumi.output<string>("writer");
/** What the engine tells of a resource that failed, where an `up` goes on nevertheless. */
const failed = pulumi.output(unknown as unknown as string);

/** The path that the container is given, or why it is given none. */
async function given(files: pulumi.Output<string>, preview = false): Promise<string> {
  const { result } = await mocked(
    () => {
      const component = new pulumi.ComponentResource("test:index:Registry", "registry");
      const settings = completeSettings({ storage: { filesystem: { hostPath: "/srv/images" } } });
      const parts = { configurationPath: pulumi.output(path), environment: [] as string[] } as RegistryParts;
      const place = files.apply((): TrialPlace => ({ imageId: "sha256:1", hosts: [] }));
      return recover(
        untilStoreAnswers(component, settings, parts, () => place),
        (error: unknown) => (error as Error).message,
      );
    },
    {},
    preview,
  );
  return (await valueOf(result)).value;
}

beforeEach(() => jest.clearAllMocks());

describe("a registry that is about to be switched to a store", () => {
  it("has it tried where all is there that it takes", async () => {
    expect(await given(written)).toBe(path);
    expect(checkStore).toHaveBeenCalledTimes(1);
  });

  it("is kept where something of that failed: to wait for it would end the program without the registry", async () => {
    expect(await given(failed)).toBe(
      "The registry was not switched to its new configuration, which could not be tried, as something that it takes for that failed",
    );
    expect(checkStore).not.toHaveBeenCalled();
  });

  it("need not know any of it in a preview", async () => {
    expect(await given(failed, true)).toBe(path);
    expect(checkStore).not.toHaveBeenCalled();
  });
});
