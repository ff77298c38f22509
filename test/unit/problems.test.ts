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
