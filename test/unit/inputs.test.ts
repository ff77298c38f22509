import * as pulumi from "@pulumi/pulumi";
import { recover } from "@pulumi/pulumi/output";
import { checkArguments, checkWhenKnown, knownNow } from "../../components/checks/inputs";
import { componentNames, schemaKeys } from "../support/schema";

const problem = { key: "port", message: "0 is not allowed" };

function thrownBy(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("the error of a component", () => {
  const error = thrownBy(() => checkArguments("S3Store", {}, () => [problem, { key: "tls.mode", message: "is wrong" }])) as Error;

  it("ends a program without a stack trace", () => {
    expect(pulumi.RunError.isInstance(error)).toBe(true);
  });

  it("is passed on by the host of a package, and gives the engine no property to print", () => {
    expect(pulumi.InputPropertiesError.isInstance(error)).toBe(true);
    expect(error).toHaveProperty("errors", []);
  });

  it("lists every problem", () => {
    expect(error.message).toBe("The configuration has 2 problems:\n  - port: 0 is not allowed\n  - tls.mode: is wrong");
  });

  it("is none without a problem", () => {
    expect(thrownBy(() => checkArguments("SingleNodeRegistry", { port: 5000 }, () => []))).toBeUndefined();
  });
});

describe("an argument that comes as an Output", () => {
  /** Arguments with one value at a path such as `users[].name`. */
  function argumentsWith(keyPath: string, value: unknown): object {
    const [first = "", ...rest] = keyPath.split(".");
    const inner = rest.length === 0 ? value : argumentsWith(rest.join("."), value);
    return first.endsWith("[]") ? { [first.slice(0, -2)]: [{}, inner] } : { [first]: inner };
  }

  it.each(componentNames())("is judged for each argument of %s as the schema says", (component) => {
    for (const [key, { plain: mustBePlain }] of schemaKeys(component)) {
      for (const value of [pulumi.output("x"), pulumi.secret("x"), Promise.resolve("x")]) {
        const error = thrownBy(() => checkArguments(component, argumentsWith(key, value), () => [])) as Error | undefined;
        expect(error?.message).toBe(
          mustBePlain
            ? `The configuration has 1 problem:\n  - ${key.replaceAll("[]", "[1]")}: ` +
                "is secret or known only during the deployment; it decides what is made, so give a plain value"
            : undefined,
        );
      }
    }
  });

  it("has to be plain under a name that no component knows", () => {
    for (const args of [
      { prot: pulumi.output(5000) },
      { tls: { keys: [pulumi.secret("x")] } },
      { hosts: { a: pulumi.output("x") } },
    ]) {
      expect(thrownBy(() => checkArguments("SingleNodeRegistry", args, () => []))).toBeDefined();
    }
  });

  it("is named before other checks, which could not read it", () => {
    const check = jest.fn(() => []);
    expect(thrownBy(() => checkArguments("SingleNodeRegistry", { port: pulumi.output(5000) }, check))).toBeDefined();
    expect(check).not.toHaveBeenCalled();
  });
});

describe("a value that is known only later", () => {
  const short = (password: string): { key: string; message: string }[] => (password.length > 3 ? [] : [problem]);

  it("passes when nothing is wrong with it, and stays secret", async () => {
    const passed = checkWhenKnown(pulumi.secret("long enough"), short);
    expect(await new Promise((resolve) => passed.apply(resolve))).toBe("long enough");
    expect(await pulumi.isSecret(passed)).toBe(true);
  });

  it("stops what is built from it when something is", async () => {
    const built = jest.fn(() => "built");
    const stopped = recover(
      checkWhenKnown(pulumi.output("abc"), short).apply(built),
      (error: unknown) => (error as Error).message,
    );
    expect(await new Promise((resolve) => stopped.apply(resolve))).toBe(
      "The configuration has 1 problem:\n  - port: 0 is not allowed",
    );
    expect(built).not.toHaveBeenCalled();
  });

  it("is not looked at early", () => {
    expect(knownNow("now")).toBe("now");
    expect(knownNow<string>(undefined)).toBeUndefined();
    expect(knownNow(pulumi.output("later"))).toBeUndefined();
    expect(knownNow(Promise.resolve("later"))).toBeUndefined();
  });
});
