import * as pulumi from "@pulumi/pulumi";
import { serializeProperties } from "@pulumi/pulumi/runtime";
import { throwProblems } from "../../components/checks/inputs";
import { failure } from "../../components/checks/failure";

/** What the SDK makes of an error that ends a value which a resource waits for. */
function shown(error: unknown): Promise<string> {
  return serializeProperties("registry", { outer: { command: Promise.reject(error as Error) } }).then(
    () => "nothing failed",
    (reported: unknown) => (reported as Error).message,
  );
}

describe("the error of a value that is known only later", () => {
  it("would tell what the value was for", async () => {
    expect(await shown(new pulumi.RunError("the store is away"))).toMatch(/^error serializing property .* the store is away$/);
  });

  it("is shown as it is, without a stack trace", async () => {
    const error = failure("the store is away");
    expect(await shown(error)).toBe("the store is away");
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(error.stack).toBeUndefined();
  });

  it("is shown as it is for a value that is not allowed, too", async () => {
    let error: unknown;
    try {
      throwProblems([{ key: "port", message: "0 is not allowed" }]);
    } catch (thrown) {
      error = thrown;
    }
    expect(await shown(error)).toBe("The configuration has 1 problem:\n  - port: 0 is not allowed");
  });
});
