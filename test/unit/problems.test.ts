import * as fc from "fast-check";
import { problemReport, shown } from "../../components/checks/problems";

it.each<[unknown, string]>([
  ["abc", '"abc"'],
  ['a "b"\n', '"a \\"b\\"\\n"'],
  ["", '""'],
  [5, "5"],
  [-0.5, "-0.5"],
  [NaN, "NaN"],
  [true, "true"],
  [null, "null"],
  [undefined, "nothing"],
  [[1, 2], "a list"],
  [{ password: "secret" }, "an object"],
])("shows %j as %s", (value, text) => expect(shown(value)).toBe(text));

it("shows any text in one line of bounded length", () => {
  expect(shown("x".repeat(101))).toBe(`"${"x".repeat(100)}…"`);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 1000 }), (text) => {
      const line = shown(text);
      return !line.includes("\n") && line.length <= 610;
    }),
  );
});

it("lists every problem, and says what came of them", () => {
  const port = { key: "port", message: "0 is not allowed" };
  const mode = { key: "tls.mode", message: '"on" is not allowed' };
  expect(problemReport([port])).toBe("The configuration has 1 problem:\n  - port: 0 is not allowed");
  expect(problemReport([port, mode], "; nothing was changed")).toBe(
    'The configuration has 2 problems; nothing was changed:\n  - port: 0 is not allowed\n  - tls.mode: "on" is not allowed',
  );
});

it("shows the first problems of a long list, and all of other keys", () => {
  const users = Array.from({ length: 200 }, (_, at) => ({ key: `users[${at}].name`, message: "is missing" }));
  const hosts = Array.from({ length: 26 }, (_, at) => ({ key: `hosts.a${at}.example.com`, message: "is missing" }));
  const tops = Array.from({ length: 30 }, (_, at) => ({ key: `k${at}`, message: "unknown key" }));
  const lines = problemReport([...users, ...hosts, { key: "port", message: "0 is not allowed" }, ...tops]).split("\n");
  expect(lines).toHaveLength(1 + 25 + 25 + 1 + 30 + 2);
  expect(lines[0]).toBe("The configuration has 257 problems:");
  expect(lines).toContain("  - port: 0 is not allowed");
  expect(lines.slice(-2)).toEqual(["  - users: and 175 more", "  - hosts: and 1 more"]);
});
