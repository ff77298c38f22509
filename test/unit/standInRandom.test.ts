import * as bcrypt from "bcryptjs";
import { characterProblems, randomText } from "../../offline/stand-ins/random/characters";
import { standIn } from "../../offline/stand-ins/random";
import { Values } from "../../offline/stand-ins/provider/types";

const choice = {
  ...{ length: 32, lower: true, upper: true, numeric: true, special: true },
  ...{ minLower: 0, minUpper: 0, minNumeric: 0, minSpecial: 0 },
};
const context = { configuration: null, urn: "urn", signal: new AbortController().signal };

async function created(type: string, inputs: Values): Promise<{ id: string; outputs: Values }> {
  const found = standIn.resources.find((each) => each.type.endsWith(`:${type}`));
  const made = await found?.create(inputs, context);
  if (made === undefined) {
    throw new Error(`no ${type}`);
  }
  return made;
}

describe("a random text", () => {
  it.each([
    ["letters and digits", { special: false }, /^[a-zA-Z0-9]{32}$/],
    ["lower case and digits", { special: false, upper: false }, /^[a-z0-9]{32}$/],
    ["digits", { special: false, upper: false, lower: false }, /^[0-9]{32}$/],
    ["characters of one's own", { overrideSpecial: "%", numeric: false, upper: false, lower: false }, /^%{32}$/],
  ])("is made of %s", (_, wanted, pattern) => {
    expect(randomText({ ...choice, ...wanted })).toMatch(pattern);
  });

  it("has at least as many of a kind as are asked for", () => {
    const text = randomText({ ...choice, length: 10, minNumeric: 4, minSpecial: 3, minUpper: 3 });
    const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
    expect([text.length, count(/[0-9]/g), count(/[A-Z]/g), count(/[^a-zA-Z0-9]/g)]).toEqual([10, 4, 3, 3]);
  });

  it("uses every character, each about as often", () => {
    const counts = new Map<string, number>();
    for (const character of randomText({ ...choice, length: 62_000, special: false })) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect(counts.size).toBe(62);
    // The standard deviation is 32: less than one run in a million million goes beyond eight of them.
    expect(Math.min(...counts.values())).toBeGreaterThan(1000 - 8 * 32);
    expect(Math.max(...counts.values())).toBeLessThan(1000 + 8 * 32);
  });

  it.each([
    ["no length", { length: 0 }, "length must be at least 1"],
    ["no characters", { lower: false, upper: false, numeric: false, special: false }, /all false/],
    ["more than it is long", { length: 2, minLower: 2, minUpper: 1 }, /at least 3/],
  ])("can't have %s", (_, wanted, problem) => {
    expect(characterProblems({ ...choice, ...wanted })).toEqual([expect.stringMatching(problem)]);
  });
});

describe("random resources", () => {
  it("gives a password, and the hash that servers keep of it", async () => {
    const { id, outputs } = await created("RandomPassword", { length: 32, special: false });
    const plain = (name: string): string => (outputs[name] as { value: string }).value;
    expect(id).toBe("none");
    expect(plain("result")).toMatch(/^[a-zA-Z0-9]{32}$/);
    expect(await bcrypt.compare(plain("result"), plain("bcryptHash"))).toBe(true);
  });

  it("gives bytes in two forms", async () => {
    const { id, outputs } = await created("RandomBytes", { length: 16 });
    const plain = (name: string): string => (outputs[name] as { value: string }).value;
    expect(Buffer.from(plain("hex"), "hex")).toHaveLength(16);
    expect(Buffer.from(plain("hex"), "hex").toString("base64")).toBe(plain("base64"));
    expect(id).toBe(plain("base64"));
  });

  it("gives a text that is no secret, as a name needs none", async () => {
    const { id, outputs } = await created("RandomString", { length: 12, special: false, upper: false });
    expect(outputs.result).toMatch(/^[a-z0-9]{12}$/);
    expect(id).toBe(outputs.result);
  });

  it.each(["RandomPassword", "RandomString", "RandomBytes"])("makes %s anew when any of its inputs changes", async (type) => {
    const found = standIn.resources.find((each) => each.type.endsWith(`:${type}`));
    const difference = await found?.diff({ length: 8 }, {}, { length: 9, keepers: { day: "1" } }, context);
    expect(Object.entries(difference?.changes ?? {}).map(([name, { replaces }]) => [name, replaces])).toEqual(
      expect.arrayContaining([
        ["length", true],
        ["keepers", true],
      ]),
    );
  });
});
