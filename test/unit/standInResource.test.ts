import { Engine } from "../../offline/stand-ins/docker/engine";
import { network } from "../../offline/stand-ins/docker/network";
import { InitializationError, resource } from "../../offline/stand-ins/provider/resource";
import { boolean, integer, list, map, object, oneOf, set, string, Values } from "../../offline/stand-ins/provider/types";
import { secret, unknown } from "../../offline/stand-ins/provider/wire";

const port = object({ internal: { type: integer, required: true }, protocol: { type: string, default: "tcp" } });

const thing = resource({
  type: "test:index/thing:Thing",
  inputs: {
    name: { type: string, required: true, replaces: true, unique: true },
    size: { type: integer, default: 1 },
    color: { type: oneOf("red", "blue"), replaces: true },
    key: { type: string, secret: true },
    fast: { type: boolean },
    ports: { type: list(port) },
    labels: { type: map(string) },
    options: { type: set(string) },
  },
  outputs: { address: { type: string }, token: { type: string, secret: true } },
  meta: { schema_version: "1" },
  create: ({ name, size }) => {
    if (size > 9) {
      return Promise.reject(new InitializationError("it is too large to start", name, { name, size, key: "k" }));
    }
    return Promise.resolve({ id: name, outputs: { address: `${name}:${size}`, token: "t" } });
  },
  read: (_, state) => Promise.resolve(state.address === "gone" ? undefined : { ...state, size: 2 }),
  update: (id, state, { size }) => Promise.resolve({ ...state, address: `${id}:${size}` }),
  outdated: (state) => Promise.resolve(state.address === "old" ? ["address"] : []),
  problems: ({ size }) => (size < 0 ? ["size must not be negative"] : []),
});

const context = { configuration: null, urn: "urn", signal: new AbortController().signal };
const named = { name: "thing", before: {}, seed: "" };
const state = { name: "a", size: 1, address: "a:1", token: "t", __meta: "{}" };

describe("a check", () => {
  it.each<[string, Values, string[]]>([
    ["a property it doesn't know", { name: "a", volume: "x" }, ["volume is not known here"]],
    ["a nested one", { name: "a", ports: [{ internal: 1, external: 2 }] }, ["ports[0].external is not known here"]],
    ["a missing one", { size: 1 }, ["name is missing"]],
    ["a missing nested one", { name: "a", ports: [{}] }, ["ports[0].internal is missing"]],
    [
      "another type",
      { name: 1, size: "x", fast: "yes" },
      ["name must be a text", "size must be a whole number", "fast must be true or false"],
    ],
    ["no whole number", { name: "a", size: 1.5 }, ["size must be a whole number"]],
    ["no list", { name: "a", ports: {}, options: "x" }, ["ports must be a list", "options must be a list"]],
    ["no object", { name: "a", labels: [], ports: ["x"] }, ["labels must be an object", "ports[0] must be an object"]],
    ["another item", { name: "a", labels: { one: 1 }, options: [1] }, ["labels.one must be a text", "options[0] must be a text"]],
    ["another choice", { name: "a", color: "green" }, ['color must be "red" or "blue"']],
    ["what more than the type rules out", { name: "a", size: -1 }, ["size must not be negative"]],
  ])("refuses %s", (_, given, problems) => {
    expect(thing.check(given, named).problems).toEqual(problems);
  });

  it("takes everything it knows, and what is known only after a deployment", () => {
    const given = { name: unknown, size: unknown, ports: [{ internal: unknown }], labels: unknown, options: [unknown] };
    expect(thing.check(given, named)).toEqual({ inputs: given, problems: [] });
  });

  it("marks secrets, and leaves out nulls and what the official provider keeps in inputs", () => {
    expect(thing.check({ name: "a", key: "k", color: null, __defaults: [] }, named).inputs).toEqual({
      name: "a",
      key: secret("k"),
    });
  });
});

describe("a difference", () => {
  const inputs = { name: "a" };

  it.each<[string, Values, Values]>([
    ["nothing", inputs, inputs],
    ["a default that is given", inputs, { ...inputs, size: 1 }],
    ["a nested default", { ...inputs, ports: [{ internal: 1 }] }, { ...inputs, ports: [{ internal: 1, protocol: "tcp" }] }],
    ["an empty list", inputs, { ...inputs, ports: [], labels: {} }],
    ["the order of a set", { ...inputs, options: ["x", "y"] }, { ...inputs, options: ["y", "x"] }],
    ["the order of keys", { ...inputs, labels: { x: "1", y: "2" } }, { ...inputs, labels: { y: "2", x: "1" } }],
    ["what the official provider keeps in inputs", { ...inputs, __defaults: ["size"], size: 1 }, inputs],
    ["a null", { ...inputs, fast: null }, inputs],
  ])("is not made by %s", async (_, before, after) => {
    expect((await thing.diff(before, state, after, context)).changes).toEqual({});
  });

  it.each<[string, Values, Values, Values]>([
    ["updates", inputs, { ...inputs, size: 2 }, { size: { kind: "update", replaces: false, input: true } }],
    ["replaces", inputs, { ...inputs, color: "red" }, { color: { kind: "add", replaces: true, input: true } }],
    ["takes away", { ...inputs, fast: false }, inputs, { fast: { kind: "delete", replaces: false, input: true } }],
    [
      "is in a list's order",
      { ...inputs, ports: [{ internal: 1 }, { internal: 2 }] },
      { ...inputs, ports: [{ internal: 2 }, { internal: 1 }] },
      { ports: { kind: "update", replaces: false, input: true } },
    ],
    ["is not known yet", inputs, { ...inputs, name: unknown }, { name: { kind: "update", replaces: true, input: true } }],
    [
      "is not known yet in part",
      { ...inputs, options: ["x"] },
      { ...inputs, options: [unknown] },
      { options: { kind: "update", replaces: false, input: true } },
    ],
  ])("%s", async (_, before, after, changes) => {
    expect((await thing.diff(before, state, after, context)).changes).toEqual(changes);
  });

  it("is made by an output that is out of date", async () => {
    const { changes } = await thing.diff(inputs, { ...state, address: "old" }, inputs, context);
    expect(changes).toEqual({ address: { kind: "update", replaces: true, input: false } });
  });

  it("deletes before it replaces where both can't be there at once", async () => {
    expect((await thing.diff(inputs, state, { ...inputs, color: "red" }, context)).deleteBeforeReplace).toBe(true);
    expect((await thing.diff(inputs, state, { name: "b" }, context)).deleteBeforeReplace).toBe(false);
  });
});

describe("state", () => {
  it("has inputs, defaults and outputs, secrets marked, and what the official provider reads it by", async () => {
    expect(await thing.create({ name: "a", key: "k" }, context)).toEqual({
      id: "a",
      outputs: { name: "a", size: 1, key: secret("k"), address: "a:1", token: secret("t"), __meta: '{"schema_version":"1"}' },
    });
  });

  it("in a preview has what is known, and no more", () => {
    const outputs = { name: "a", size: 1, address: unknown, token: secret(unknown), __meta: '{"schema_version":"1"}' };
    expect(thing.previewCreate({ name: "a" })).toEqual(outputs);
    expect(thing.previewUpdate({ ...state, fast: true }, { name: "a", size: 3 })).toEqual({
      ...outputs,
      ...{ size: 3, address: "a:1", token: secret("t") },
    });
  });

  it("after an update has the new inputs, also where the function hands back the old state", async () => {
    expect(await thing.update("a", { ...state, fast: true }, { name: "a", size: 3 }, context)).toEqual({
      ...{ name: "a", size: 3, address: "a:3", token: secret("t"), __meta: '{"schema_version":"1"}' },
    });
  });

  it("when read shows what has changed outside in the inputs too, and tells what is gone", async () => {
    const read = await thing.read("a", { name: "a" }, state, context);
    expect(read?.inputs).toEqual({ name: "a", size: 2 });
    expect(read?.outputs).toMatchObject({ size: 2, token: secret("t") });
    expect(await thing.read("a", { name: "a" }, { ...state, address: "gone" }, context)).toBeUndefined();
  });

  it("when read leaves out of the inputs what the engine came to fill in, and not what the program gave", async () => {
    const made = { name: "a", driver: "overlay", ipamDriver: "default", scope: "swarm", options: {} };
    const found = { Name: "a", Driver: "overlay", Scope: "swarm", IPAM: { Driver: "" }, Options: { number: "4097" } };
    const engine = { ...context, configuration: { find: () => Promise.resolve(found) } as unknown as Engine };
    const read = async (inputs: Values): Promise<Values | undefined> =>
      (await network.read("id", inputs, { ...made, ...inputs }, engine))?.inputs;
    expect(await read({ name: "a", driver: "overlay" })).toEqual({ name: "a", driver: "overlay" });
    expect(await read({ name: "a", options: { number: "1" } })).toEqual({ name: "a", options: { number: "4097" } });
  });

  it("is kept of what exists but does not work", async () => {
    const failed = await thing.create({ name: "a", size: 10 }, context).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(InitializationError);
    expect(failed).toMatchObject({ id: "a", state: { name: "a", key: secret("k") } });
  });
});
