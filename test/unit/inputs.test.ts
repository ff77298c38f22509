import * as pulumi from "@pulumi/pulumi";
import { recover } from "@pulumi/pulumi/output";
import { checkWhenKnown, knownNow, readArguments, throwProblems } from "../../components/checks/inputs";
import { passwordProblem } from "../../components/checks/users";
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
  const error = thrownBy(() => throwProblems([problem, { key: "tls.mode", message: "is wrong" }])) as Error;

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
    expect(thrownBy(() => throwProblems([]))).toBeUndefined();
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
        const error = thrownBy(() => readArguments(component, argumentsWith(key, value))) as Error | undefined;
        // Beside it stands what else is missing there.
        const about = error?.message.split("\n").filter((line) => line.startsWith(`  - ${key.replaceAll("[]", "[1]")}: `)) ?? [];
        expect(about).toEqual(
          mustBePlain
            ? [
                `  - ${key.replaceAll("[]", "[1]")}: ` +
                  "is secret or known only during the deployment; it decides what is made, so give a plain value",
              ]
            : [],
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
      expect(thrownBy(() => readArguments("SingleNodeRegistry", args))).toBeDefined();
    }
  });
});

describe("an argument that no compiler has looked at", () => {
  const marker = "MARKER-of-a-secret";

  it.each<[string, object, string[]]>([
    ["a mistyped key", { prot: 5001 }, ["prot: unknown key; did you mean port?"]],
    [
      "a mistyped key of a part",
      { users: [{ name: "ci", acces: "pull" }] },
      ["users[0].acces: unknown key; did you mean access?"],
    ],
    ["a key in the words of Python", { read_only: true }, ["read_only: unknown key; did you mean readOnly?"]],
    ["a path as key", { "tls.mode": "off" }, ["tls.mode: unknown key; known are hostname, "]],
    [
      "texts for true and false",
      { anonymousPull: "false", lab: "false" },
      ['anonymousPull: "false" is not allowed; give true or false', 'lab: "false" is not allowed; give true or false'],
    ],
    ["a text for a number", { port: "5001" }, ['port: "5001" is not allowed; give a number in plain digits']],
    ["a text for an object", { tls: "off" }, ["tls: a text is not allowed; give its parts mode, "]],
    ["a text for a list", { users: "admin" }, ["users: a text is not allowed; give a list"]],
    ["a list for a map", { hosts: ["a"] }, ["hosts: a list is not allowed; give names and values"]],
    ["nothing for a user", { users: [null] }, ["users[0]: is missing, "]],
    ["a user without a name", { users: [{ access: "pull" }] }, ["users[0].name: is missing"]],
    [
      "a list for a secret",
      { users: [{ name: "a", password: [marker] }] },
      ["users[0].password: this value (not shown) is not allowed; give a text"],
    ],
    [
      "a number that may be cut",
      { garbageCollection: { retention: [{ keepTags: [1.1] }] } },
      ["garbageCollection.retention[0].keepTags[0]: 1.1 is a number, and may not be what was written; put it in quotes"],
    ],
  ])("is named in lines that begin so: %s", (_, args, problems) => {
    const error = thrownBy(() => readArguments("SingleNodeRegistry", args)) as Error | undefined;
    const lines =
      error?.message
        .split("\n")
        .slice(1)
        .map((line) => line.replace("  - ", "")) ?? [];
    expect(lines.map((line, index) => line.slice(0, problems[index]?.length))).toEqual(problems);
    expect(error?.message).not.toContain(marker);
  });

  it("is read as it was meant where that is sure, and as absent where it is nothing", () => {
    const password = pulumi.secret("p");
    const args = { port: 5001, tls: null, hostname: undefined, hosts: { a: null }, users: [{ name: 42, password }] };
    expect(readArguments("SingleNodeRegistry", args)).toEqual({ port: 5001, hosts: {}, users: [{ name: "42", password }] });
    const later = { users: [{ name: "a", password: pulumi.unknown }] };
    expect(readArguments("SingleNodeRegistry", later)).toEqual(later);
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

  it("is not in the error where it is a number for a password", async () => {
    const checked = checkWhenKnown(pulumi.secret(12345678), (value) => passwordProblem("password", value));
    const stopped = recover(
      checked.apply(() => ""),
      (error: unknown) => (error as Error).message,
    );
    expect(await new Promise((resolve) => pulumi.unsecret(stopped).apply(resolve))).toBe(
      "The configuration has 1 problem:\n  - password: this value (not shown) is not allowed; give a text",
    );
  });

  it("is not looked at early", () => {
    expect(knownNow("now")).toBe("now");
    expect(knownNow<string>(undefined)).toBeUndefined();
    expect(knownNow(pulumi.output("later"))).toBeUndefined();
    expect(knownNow(Promise.resolve("later"))).toBeUndefined();
  });
});
