import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";
import { checkStackConfig, readStackConfig } from "../../program/stackConfig";
import { completeSettings } from "../../components/selfHosted/settings";
import { badConfigurations } from "../support/badConfigurations";
import { schemaKeys } from "../support/schema";

function errorOf(config: Record<string, unknown>): string {
  try {
    checkStackConfig(config);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

/** A configuration with one value, at a path such as `users[].name`; lists have one item. */
function configWith(keyPath: string, value: unknown): Record<string, unknown> {
  const [first = "", ...rest] = keyPath.split(".");
  const inner = rest.length === 0 ? value : configWith(rest.join("."), value);
  return first.endsWith("[]") ? { [first.slice(0, -2)]: [inner] } : { [first]: inner };
}

/** What the key `path` takes, found out from the error about a value that no key takes. */
function kindAt(keyPath: string): { kind: string; parts: string[] } {
  const problem = errorOf(configWith(keyPath, { "?": [] }));
  const unknown = /\.\?: unknown key; known are (.*)$/m.exec(problem);
  if (unknown?.[1] !== undefined) {
    return { kind: "object", parts: unknown[1].split(", ").map((part) => `${keyPath}.${part}`) };
  }
  if (problem.includes("an object is not allowed; give a list")) {
    return { kind: "list", parts: [`${keyPath}[]`] };
  }
  if (problem.includes(`${keyPath.replaceAll("[]", "[0]")}.?: a list is not allowed; give a text`)) {
    return { kind: "texts by name", parts: [] };
  }
  if (problem.includes(`${keyPath.replaceAll("[]", "[0]")}.?: this value (not shown) is not allowed; give a text`)) {
    return { kind: "secrets by name", parts: [] };
  }
  const scalar = /(?:an object|not shown\)) is not allowed; give (.*)$/m.exec(problem);
  const kind = problem.includes("(not shown)")
    ? "secret"
    : (scalar?.[1] ?? `names with ${/give (.*)$/m.exec(problem)?.[1] ?? "?"}`);
  return { kind, parts: [] };
}

/** Every key there is with what it takes. */
function allKeys(): Map<string, string> {
  const keys = new Map<string, string>();
  const todo = (/known are (.*)$/m.exec(errorOf({ "?": 1 }))?.[1] ?? "").split(", ");
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    const { kind, parts } = kindAt(next);
    keys.set(next, kind);
    todo.push(...parts);
  }
  return keys;
}

const keys = allKeys();
const keysOfKind = (...kinds: string[]): string[] => [...keys].filter(([, kind]) => kinds.includes(kind)).map(([key]) => key);
const secretKeys = keysOfKind("secret");

/** The arguments of a registry's component, and those of every target beside it. */
function componentKeys(component: string): ReturnType<typeof schemaKeys> {
  const images = [...schemaKeys("BuiltImages")].filter(([key]) => /^builds\b/.test(key));
  return new Map([...schemaKeys(component), ...images]);
}

describe("the keys of the configuration", () => {
  it("are those of the component, those of every target, and the target", () => {
    const component = componentKeys("SingleNodeRegistry");
    expect([...keys.keys()].filter((key) => !component.has(key))).toEqual(["target"]);
    expect([...component.keys()].filter((key) => !keys.has(key))).toEqual([]);
  });

  it("take what the component takes", () => {
    const types: Record<string, string> = {
      "a text": "string",
      secret: "string",
      "a number in plain digits": "number",
      "true or false": "boolean",
      "texts by name": "object",
      "secrets by name": "object",
      object: "object",
      list: "array",
    };
    const taken = [...keys].filter(([key]) => key !== "target").map(([key, kind]) => [key, types[kind]]);
    expect(Object.fromEntries(taken)).toEqual(
      Object.fromEntries([...componentKeys("SingleNodeRegistry")].map(([key, { type }]) => [key, type])),
    );
  });

  it("may be secret where a secret belongs", () => {
    const mayBeSecret = [...schemaKeys("SingleNodeRegistry")].filter(([, { plain }]) => !plain).map(([key]) => key);
    expect(secretKeys).toEqual(expect.arrayContaining(mayBeSecret));
    expect(secretKeys).toHaveLength(mayBeSecret.length);
    // A certificate is no secret, but belongs to its key; a hook's URL may have one in its path.
    expect(
      secretKeys.filter((key) => !/password|key|secret|credentials|tls\.(certificate|chain)$|notifications\[]\.url$/i.test(key)),
    ).toEqual([]);
    expect(keysOfKind("secrets by name")).toEqual(["notifications[].headers"]);
  });
});

describe("a value of the wrong kind", () => {
  const wrong: Record<string, [unknown, string][]> = {
    "a text": [
      [{ a: 1 }, "an object"],
      [["a"], "a list"],
    ],
    "a number in plain digits": [
      ["many", '"many"'],
      ["", '""'],
      ["1 2", '"1 2"'],
      [true, "true"],
      [[1], "a list"],
      [{ a: 1 }, "an object"],
      ...["Infinity", "0x10", "1e3", " 5000 ", "05000", "+5000", "5000.", ".5"].map((text): [string, string] => [
        text,
        JSON.stringify(text),
      ]),
    ],
    "true or false": [
      ["yes", '"yes"'],
      ["", '""'],
      [0, "0"],
      [[true], "a list"],
      [{ a: 1 }, "an object"],
    ],
  };
  it.each(keysOfKind(...Object.keys(wrong)))("is refused for %s, with the key, the value and what is allowed", (key) => {
    const kind = keys.get(key) ?? "";
    for (const [value, text] of wrong[kind] ?? []) {
      expect(errorOf(configWith(key, value))).toContain(
        `  - ${key.replaceAll("[]", "[0]")}: ${text} is not allowed; give ${kind}`,
      );
    }
  });

  it.each(keysOfKind("object", "list"))("is refused for %s", (key) => {
    for (const [value, text] of [
      ["a", "a text"],
      [5, "a number"],
      [true, "true"],
    ] as const) {
      expect(errorOf(configWith(key, value))).toContain(`  - ${key.replaceAll("[]", "[0]")}: ${text} is not allowed; give `);
    }
  });
});

describe("a secret", () => {
  const marker = "MARKER-of-a-secret";

  it.each(secretKeys)("is not shown by any error about %s", (key) => {
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        marker,
        { [marker]: marker },
        [marker],
        { a: { b: marker } },
        marker.repeat(20),
        `${marker}\n`,
        `\0${marker}`,
      ),
      fc.string().map((text) => marker + text),
    );
    const others = fc.constantFrom(...badConfigurations.map(({ config }) => config));
    fc.assert(
      fc.property(value, others, (secret, other) => {
        const [top = ""] = key.split(/[.[]/);
        expect(errorOf({ ...other, ...configWith(key, secret), [`${top}s`]: 1 })).not.toContain(marker);
      }),
      { numRuns: 50 },
    );
  });

  it("is not shown when it stands one level too high, or under a mistyped key", () => {
    const misplaced = secretKeys.flatMap((key) => {
      const parts = key.split(".");
      const above = parts.slice(1).map((_, index) => configWith(parts.slice(0, index + 1).join("."), marker));
      return [...above, configWith(`${key}s`, marker), configWith(`${key}s`, { a: marker })];
    });
    expect(misplaced.length).toBeGreaterThan(secretKeys.length);
    for (const config of [...misplaced, { users: [marker] }, { users: [[marker]] }]) {
      const error = errorOf(config);
      expect(error).not.toBe("");
      expect(error).not.toContain(marker);
    }
  });
});

describe("what `pulumi config set` stores", () => {
  it("may be text where a number, or true and false belong", () => {
    const { registry } = checkStackConfig({
      port: "5001",
      lab: "true",
      allowInsecure: "false",
      resources: { memory: "256" },
      authentication: { failedLogins: "-0" },
      users: [{ name: 42, generation: "2" }],
    });
    expect(registry).toEqual({
      port: 5001,
      lab: true,
      allowInsecure: false,
      resources: { memory: 256 },
      authentication: { failedLogins: 0 },
      users: [{ name: "42", generation: 2 }],
    });
  });

  it("counts as not set when it is null", () => {
    expect(checkStackConfig({ hostname: null, tls: { mode: null } }).registry).toEqual({ tls: {} });
    expect(errorOf({ users: [{ name: null }] })).toContain("users[0].name: is missing");
  });

  it("is nothing in a new stack, and that is a registry with the defaults", () => {
    expect(checkStackConfig({})).toMatchObject({ target: "single-node", registry: {} });
    expect(completeSettings({})).toMatchInlineSnapshot(`
      {
        "allowInsecure": false,
        "anonymousPull": false,
        "authentication": {},
        "bindAddress": "127.0.0.1",
        "cors": undefined,
        "externalUrl": undefined,
        "foreignLayerHosts": undefined,
        "garbageCollection": undefined,
        "hostname": "localhost",
        "hosts": {},
        "image": "bundled",
        "logs": {},
        "measured": false,
        "metrics": undefined,
        "mirror": undefined,
        "notifications": [],
        "port": 5000,
        "readOnly": false,
        "resources": {
          "memory": 512,
          "processes": 512,
        },
        "storage": {},
        "tls": {},
        "trustedProxies": [],
        "ui": undefined,
        "users": [
          {
            "name": "admin",
          },
        ],
      }
    `);
  });

  it("is read with objects and lists as JSON, and other projects' keys left out", () => {
    pulumi.runtime.setAllConfig({
      "project:port": "5001",
      "project:tls": '{"validityDays":90}',
      "project:users": '[{"name":"alice"},{"name":"bob","password":"[x"}]',
      "docker:host": "unix:///run/docker.sock",
    });
    expect(readStackConfig()).toMatchObject({
      target: "single-node",
      registry: { port: 5001, tls: { validityDays: 90 }, users: [{ name: "alice" }, { name: "bob", password: "[x" }] },
    });
  });

  it("may look like JSON and be none", () => {
    pulumi.runtime.setAllConfig({ "project:hostname": "[::1" });
    expect(() => readStackConfig()).toThrow('hostname: "[::1" is not allowed');
    pulumi.runtime.setAllConfig({});
  });
});

describe("an item of a list that is wrong", () => {
  it("does not shift the keys of the items after it", () => {
    expect(errorOf({ users: ["x", { name: "a:b" }, {}, { name: "c:d" }] }).match(/users\[\d\](\.name)?/g)).toEqual([
      "users[0]",
      "users[0]", // in the command that sets its parts
      "users[2].name",
      "users[1].name",
      "users[3].name",
    ]);
  });
});
