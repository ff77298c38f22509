import * as pulumi from "@pulumi/pulumi";
import { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";

/** A resource that a program asked the engine for. */
export interface MadeResource {
  type: string;
  name: string;
  /** As the program gave them; a secret is `{ secret: value }`. */
  inputs: Record<string, unknown>;
  /** If it is not given, the SDK takes the parent's. */
  protect?: boolean;
  /** If it is not given, the engine takes the parent's. */
  retainOnDelete?: boolean;
  /** It is deleted before its replacement is made. */
  deleteBeforeReplace: boolean;
  /** Name of the resource whose deletion also deletes this one. */
  deletedWith: string;
  /** `urn::id` of the provider that was chosen; empty for the default one. */
  provider: string;
  parent: string;
  dependencies: string[];
  /** The same by input. */
  propertyDependencies: Record<string, string[]>;
  /** Outputs that are secret whatever they are made of. */
  secretOutputs: string[];
  /** A value that replaces the resource when it changes. */
  replacementTrigger: unknown;
  /** Inputs that replace the resource when they change, besides the provider's own. */
  replaceOnChanges: string[];
  /** Resources together with which it is replaced. */
  replaceWith: string[];
  /** Inputs that keep their first values. */
  ignoreChanges: string[];
  /** Types and names that it may have in an older state. */
  aliases: { type: string; name: string }[];
}

/** A call of a provider's function. */
export interface MadeCall {
  token: string;
  inputs: Record<string, unknown>;
  provider: string;
}

type Answer<T> = Record<string, (name: string, inputs: Record<string, unknown>) => T>;

/** What providers would answer. */
export interface Answers {
  /** Outputs beyond the inputs, by type token. */
  resources?: Answer<Record<string, unknown>>;
  /** IDs, by type token. */
  ids?: Answer<string>;
  /** Results of functions, by token. */
  functions?: Record<string, Record<string, unknown>>;
}

const secretSignature = "4dabf18193072939515e22adb298388d";

/** Secrets come as the envelopes that go over the wire; this makes them readable. */
export function readable(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(readable);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const object = value as Record<string, unknown>;
  return secretSignature in object
    ? { secret: readable(object.value) }
    : Object.fromEntries(Object.entries(object).map(([key, each]) => [key, readable(each)]));
}

/** A text from the wire, where a missing one is empty. */
const given = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

/** A run of some program code against mocks. */
export interface MockedRun<T> {
  result: T;
  /** Custom resources, by name. */
  resources: MadeResource[];
  components: MadeResource[];
  calls: MadeCall[];
}

/** Runs code that makes resources, waits until all of them are made, and returns what it asked for. */
export async function mocked<T>(code: () => T | Promise<T>, answers: Answers = {}, preview = false): Promise<MockedRun<T>> {
  const resources: MadeResource[] = [];
  const components: MadeResource[] = [];
  const calls: MadeCall[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const given = inputs as Record<string, unknown>;
        return {
          id: answers.ids?.[type]?.(name, given) ?? `${name}-id`,
          state: { ...given, ...answers.resources?.[type]?.(name, given) },
        };
      },
      call: ({ token, inputs, provider }) => {
        calls.push({ token, inputs: readable(inputs) as Record<string, unknown>, provider: provider ?? "" });
        return answers.functions?.[token] ?? {};
      },
    },
    "project",
    "stack",
    preview,
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as MockMonitor;
  const register = monitor.registerResource.bind(monitor);
  // The SDK's mocks do not see everything that the engine is asked for.
  monitor.registerResource = (request: RegisterResourceRequest, callback: Parameters<typeof register>[1]) => {
    (request.getCustom() ? resources : components).push({
      type: request.getType(),
      name: request.getName(),
      inputs: readable(request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>,
      protect: request.hasProtect() ? request.getProtect() : undefined,
      retainOnDelete: request.hasRetainondelete() ? request.getRetainondelete() : undefined,
      deleteBeforeReplace: request.getDeletebeforereplace(),
      deletedWith: request.getDeletedwith().split("::").at(-1) ?? "",
      provider: request.getProvider(),
      parent: request.getParent(),
      dependencies: request.getDependenciesList(),
      propertyDependencies: Object.fromEntries(
        Array.from(request.getPropertydependenciesMap().entries(), ([input, on]) => [input, on.getUrnsList()]),
      ),
      secretOutputs: request.getAdditionalsecretoutputsList(),
      replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
      replaceOnChanges: request.getReplaceonchangesList(),
      replaceWith: request.getReplaceWithList(),
      ignoreChanges: request.getIgnorechangesList(),
      aliases: request.getAliasesList().map((alias) => ({
        type: given(alias.getSpec()?.getType()) ?? request.getType(),
        name: given(alias.getSpec()?.getName()) ?? request.getName(),
      })),
    });
    return register(request, callback);
  };
  const result = await code();
  await pulumi.runtime.disconnect();
  for (const made of [resources, components]) {
    made.sort((a, b) => a.name.localeCompare(b.name) || a.type.localeCompare(b.type));
  }
  return { result, resources, components, calls };
}

/** The value of an Output, and whether it is secret. */
export async function valueOf<T>(output: pulumi.Output<T>): Promise<{ value: T; secret: boolean }> {
  const value = await new Promise<T>((resolve) => {
    pulumi.unsecret(output).apply(resolve);
  });
  return { value, secret: await pulumi.isSecret(output) };
}
