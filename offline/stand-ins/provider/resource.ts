import {
  changesOf,
  comparableOf,
  filledIn,
  InputsOf,
  isInternal,
  OutputsOf,
  problemsOf,
  Properties,
  PropertyChange,
  Values,
} from "./types";
import { secret, unknown } from "./wire";

/** What the functions of a resource get beside its properties. */
export interface Context<Configuration> {
  /** What the provider's `configure` made. */
  configuration: Configuration;
  urn: string;
  /** Aborted when the engine wants the provider to stop. */
  signal: AbortSignal;
}

/** A kind of resource: its properties as tables, and what makes, reads, changes and deletes one. */
export interface Definition<I extends Properties, O extends Properties, Configuration> {
  /** The type token, e.g. `random:index/randomBytes:RandomBytes`. */
  type: string;
  inputs: I;
  /** What only the provider knows. Inputs with their defaults are outputs too and don't stand here, unless they are worked out when not given. */
  outputs: O;
  /** What the official provider writes into `__meta`, which it needs to read the state, e.g. `{ schema_version: "1" }`. */
  meta?: Values;
  /** The old resource goes before a new one comes. Default: where they would have a `unique` property in common. */
  deleteBeforeReplace?: boolean;
  /** The state has the inputs once more, as `__inputs`: the official provider compares with those. */
  inputsInState?: boolean;
  /** Inputs that are worked out, and `__defaults` with the names of those that the official provider would make up anew. The given ones are not checked yet. */
  completed?(given: Values, resource: Named): Values;
  /** More that is wrong with the inputs than the table can say; they may hold values that are not known yet. */
  problems?(inputs: InputsOf<I>): string[];
  create(inputs: InputsOf<I>, context: Context<Configuration>): Promise<{ id: string; outputs: OutputsOf<O> }>;
  /** What is there now; undefined if nothing is. Default: the state. */
  read?(id: string, state: State<I, O>, context: Context<Configuration>): Promise<State<I, O> | undefined>;
  /** Needed where an input does not replace. */
  update?(id: string, state: State<I, O>, inputs: InputsOf<I>, context: Context<Configuration>): Promise<OutputsOf<O>>;
  delete?(id: string, state: State<I, O>, context: Context<Configuration>): Promise<void>;
  /** Outputs that ask for a new resource by themselves, as a certificate does that is about to end. */
  outdated?(state: State<I, O>, inputs: InputsOf<I>, context: Context<Configuration>): Promise<string[]>;
  /** Outputs that are known before a change is made; of an update those that stay need no mention. Default: none. */
  preview?(inputs: InputsOf<I>, state?: State<I, O>): Partial<OutputsOf<O>>;
}

/** A resource by the name that the program gave it, and its inputs of the last deployment. */
export interface Named {
  name: string;
  before: Values;
  /** What the engine has things made up by: another in each run, but that of the preview in an `up` by its plan. */
  seed: string;
}

export type State<I extends Properties, O extends Properties> = InputsOf<I> & OutputsOf<O>;

/** One property that a deployment changes. */
export interface Change extends PropertyChange {
  /** The change is in what the program gives. */
  input: boolean;
}

export interface Difference {
  changes: Record<string, Change>;
  deleteBeforeReplace: boolean;
}

/** What the server asks of a resource; properties as they are on the wire. */
export interface Resource<Configuration> {
  type: string;
  check(given: Values, resource: Named): { inputs: Values; problems: string[] };
  diff(oldInputs: Values, state: Values, inputs: Values, context: Context<Configuration>): Promise<Difference>;
  create(inputs: Values, context: Context<Configuration>): Promise<{ id: string; outputs: Values }>;
  previewCreate(inputs: Values): Values;
  read(id: string, oldInputs: Values, state: Values, context: Context<Configuration>): Promise<Read | undefined>;
  update(id: string, state: Values, inputs: Values, context: Context<Configuration>): Promise<Values>;
  previewUpdate(state: Values, inputs: Values): Values;
  delete(id: string, state: Values, context: Context<Configuration>): Promise<void>;
}

export interface Read {
  inputs: Values;
  outputs: Values;
}

/** Thrown by `create` and `update` when the resource exists but does not work: it is in state then, and the next deployment tries again. */
export class InitializationError extends Error {
  constructor(
    message: string,
    public readonly id: string,
    /** Inputs and outputs. */
    public readonly state: Values,
  ) {
    super(message);
  }
}

/** A resource from its definition. */
export function resource<I extends Properties, O extends Properties, Configuration>(
  definition: Definition<I, O, Configuration>,
): Resource<Configuration> {
  const { inputs: inputTable, outputs: outputTable } = definition;
  // The table has been checked against the values before: from here on TypeScript can know them.
  const filled = (inputs: Values): InputsOf<I> => filledIn(inputTable, inputs) as InputsOf<I>;
  const typed = (state: Values): State<I, O> =>
    ({ ...Object.fromEntries(Object.entries(state).filter(([name]) => !isInternal(name))), ...filled(state) }) as State<I, O>;

  function written(state: Values): Values {
    const secrets: Properties = { ...inputTable, ...outputTable };
    const values = Object.entries(state)
      .filter(([name, value]) => value !== undefined && value !== null && !isInternal(name))
      .map(([name, value]): [string, unknown] => [name, secrets[name]?.secret ? secret(value) : value]);
    return {
      ...Object.fromEntries(values),
      ...(definition.meta && { __meta: JSON.stringify(definition.meta) }),
    };
  }

  /** What a function gave beside the inputs. */
  const only = (outputs: Values): Values => Object.fromEntries(Object.entries(outputs).filter(([name]) => name in outputTable));

  const kept = (inputs: Values): Values => (definition.inputsInState ? { __inputs: secret(inputs) } : {});

  const failed = (error: unknown): never => {
    throw error instanceof InitializationError ? new InitializationError(error.message, error.id, written(error.state)) : error;
  };

  return {
    type: definition.type,

    check(given, named) {
      const completed: Values = { ...given, ...definition.completed?.(given, named) };
      const problems = problemsOf(inputTable, completed);
      if (problems.length > 0) {
        return { inputs: given, problems };
      }
      const marked = Object.entries(completed)
        .filter(([name, value]) => value !== null && (!isInternal(name) || !(name in given)))
        .map(([name, value]) => [name, inputTable[name]?.secret ? secret(value) : value]);
      return {
        inputs: Object.fromEntries(marked) as Values,
        problems: definition.problems?.(filled(completed)) ?? [],
      };
    },

    async diff(oldInputs, state, inputs, context) {
      const changes: Record<string, Change> = {};
      for (const [name, change] of Object.entries(changesOf(inputTable, oldInputs, inputs))) {
        changes[name] = { ...change, input: true };
      }
      for (const name of (await definition.outdated?.(typed(state), filled(inputs), context)) ?? []) {
        changes[name] = { kind: "update", replaces: true, input: false };
      }
      // A name that was made up here is made up anew for the new resource.
      const madeUp = Array.isArray(inputs.__defaults) ? inputs.__defaults : [];
      const stays = ([name, { unique }]: [string, { unique?: boolean }]): boolean =>
        unique === true && !(name in changes) && !madeUp.includes(name);
      return { changes, deleteBeforeReplace: definition.deleteBeforeReplace ?? Object.entries(inputTable).some(stays) };
    },

    async create(inputs, context) {
      const values = filled(inputs);
      const { id, outputs } = await definition.create(values, context).catch(failed);
      return { id, outputs: { ...written({ ...values, ...only(outputs) }), ...kept(inputs) } };
    },

    previewCreate(inputs) {
      const values = filled(inputs);
      const later = Object.fromEntries(Object.keys(outputTable).map((name) => [name, unknown]));
      return written({ ...later, ...values, ...definition.preview?.(values) });
    },

    async read(id, oldInputs, state, context) {
      const found = definition.read === undefined ? state : await definition.read(id, typed(state), context);
      if (found === undefined) {
        return undefined;
      }
      const [before, after] = [comparableOf(inputTable, state), comparableOf(inputTable, found)];
      // What the program leaves to the engine may come later, as the number of a Swarm's network does.
      const isLeft = (name: string): boolean => name in outputTable && !(name in oldInputs);
      const changed = Object.keys(inputTable).filter((name) => before[name] !== after[name] && !isLeft(name));
      // As it was written: the official provider has more in it than is known here.
      const unchanged = Object.fromEntries(
        Object.entries(state).filter(([name]) => name in inputTable && !changed.includes(name)),
      );
      return {
        inputs: { ...oldInputs, ...Object.fromEntries(changed.map((name) => [name, found[name] ?? null])) },
        outputs: { ...written({ ...found, ...unchanged }), ...kept(oldInputs) },
      };
    },

    async update(id, state, inputs, context) {
      if (definition.update === undefined) {
        throw new Error(`${definition.type} can't be updated`);
      }
      const values = filled(inputs);
      const outputs = await definition.update(id, typed(state), values, context).catch(failed);
      return { ...written({ ...values, ...only(outputs) }), ...kept(inputs) };
    },

    previewUpdate(state, inputs) {
      const values = filled(inputs);
      return written({ ...only(state), ...values, ...definition.preview?.(values, typed(state)) });
    },

    async delete(id, state, context) {
      await definition.delete?.(id, typed(state), context);
    },
  };
}
