import { Problem } from "../components/lib/problems";
import { RegistryOutputs } from "../components/registryOutputs";
import { Fields, object, ShapedObject, string } from "./shape";

/** Makes a registry under a name. */
export type Deploy = (name: string) => RegistryOutputs;

/** Reads the configuration of one target, notes what is wrong with it, and returns the arguments with what to do with them. */
export type Target<Args extends object = object> = (
  values: Record<string, unknown>,
  problems: Problem[],
) => { args: Args; deploy: Deploy };

/**
 * A target from the keys its stacks have beside `target`, from what is wrong with arguments of the right make, and from what makes
 * the registry.
 */
export function target<F extends Fields>(
  fields: F,
  check: (args: ShapedObject<F>) => Problem[],
  deploy: (name: string, args: ShapedObject<F>) => RegistryOutputs,
): Target<ShapedObject<F>> {
  const shape = object({ target: string, ...fields });
  return (values, problems) => {
    const args = { ...shape(values, "", problems) } as ShapedObject<F> & { target?: string };
    delete args.target;
    // What is wrong in its make, and what is in it, would be called wrong twice.
    const mistyped = problems.map(({ key }) => key);
    const within = (key: string, outer: string): boolean =>
      key === outer || (key.startsWith(outer) && /^[.[]/.test(key.slice(outer.length)));
    problems.push(...check(args).filter(({ key }) => !mistyped.some((outer) => within(key, outer))));
    return { args, deploy: (name) => deploy(name, args) };
  };
}
