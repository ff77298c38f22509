import * as pulumi from "@pulumi/pulumi";
import { recover } from "@pulumi/pulumi/output";
import { EngineAddress } from "../../components/docker/engine";
import { withName } from "../../components/docker/takenNames";
import { mocked, valueOf } from "../support/mocks";

class Registry extends pulumi.ComponentResource {
  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("test:index:Registry", name, {}, opts);
  }
}

class Cache extends pulumi.ComponentResource {
  constructor(name: string) {
    super("test:index:Cache", name);
  }
}

/** The engines of a registry and another component of one name, or what is wrong with the name. */
async function engines(
  registry: EngineAddress,
  other: EngineAddress,
  make: (registry: Registry) => pulumi.ComponentResource = () => new Cache("one"),
): Promise<(string | undefined)[]> {
  const { result } = await mocked(
    () => {
      const first = new Registry("one");
      return [withName(pulumi.output(registry), first, "one"), withName(pulumi.output(other), make(first), "one")].map((engine) =>
        recover(engine, (error: unknown) => ({ host: (error as Error).message })),
      );
    },
    {},
    true,
  );
  return Promise.all(result.map(async (engine) => (await valueOf(engine)).value.host));
}

describe("a name on an engine", () => {
  it("is for one component of a program", async () => {
    const [registry, cache] = await engines({}, { host: "unix:///var/run/docker.sock" });
    expect(registry).toBeUndefined();
    expect(cache).toBe(
      'name: Registry and Cache are both called "one", by which their containers and volumes on one Docker engine are named; ' +
        "give one of them another name (a registry's mirror is a PullThroughCache by the registry's name with -mirror)",
    );
  });

  it("is for one of two of a class under different parents", async () => {
    const [, second] = await engines({}, {}, () => new Registry("one", { parent: new Cache("two") }));
    expect(second).toMatch(/^name: Registry and Registry are both called "one"/);
  });

  it("may be taken again by the component that has it", async () => {
    expect(await engines({}, {}, (registry) => registry)).toEqual([undefined, undefined]);
  });

  it("may be there on another engine", async () => {
    expect(await engines({}, { host: "ssh://other" })).toEqual([undefined, "ssh://other"]);
  });

  it("is free for any component in another run", async () => {
    await mocked(() => withName(pulumi.output({ host: "ssh://one" }), new Registry("one"), "one"));
    const { result } = await mocked(() => withName(pulumi.output({ host: "ssh://one" }), new Cache("one"), "one"));
    expect((await valueOf(result)).value).toEqual({ host: "ssh://one" });
  });
});
