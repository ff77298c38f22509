import * as pulumi from "@pulumi/pulumi";
import { ImageBuild } from "../components";
import { imageBuildProblems } from "../components/lib/imageBuilds";
import { Problem } from "../components/lib/problems";
import { RegistryOutputs } from "../components/registryOutputs";
import { imagesShape } from "./images";
import { Fields, object, ShapedObject, string } from "./shape";

/** A registry that was made. */
export type Registry = RegistryOutputs & pulumi.ComponentResource;

/** Makes a registry under a name. */
export type Deploy = (name: string) => Registry;

/** What a target makes of a configuration: the arguments with what to do with them, and the images to build. */
export interface Read<Args extends object = object> {
  args: Args;
  images: ImageBuild[];
  deploy: Deploy;
}

/** Reads the configuration of one target, and notes what is wrong with it. */
export interface Target<Args extends object = object> {
  (values: Record<string, unknown>, problems: Problem[]): Read<Args>;
  /** The keys it knows beside the common ones. */
  keys: readonly string[];
  /** Why keys of other targets have no meaning for this one, as far as there is more to say than whose they are. */
  foreign: Record<string, string>;
}

/** The keys of every target. */
const commonFields = { target: string, images: imagesShape };

/**
 * A target from the keys its stacks have beside the common ones, from what is wrong with arguments of the right make and with images
 * that it shall get, from what makes the registry, and from why keys of other targets have no meaning for it.
 */
export function target<F extends Fields>(
  fields: F,
  check: (args: ShapedObject<F>, images: readonly ImageBuild[]) => Problem[],
  deploy: (name: string, args: ShapedObject<F>) => Registry,
  foreign: Record<string, string> = {},
): Target<ShapedObject<F>> {
  const shape = object({ ...commonFields, ...fields });
  const read = (values: Record<string, unknown>, problems: Problem[]): Read<ShapedObject<F>> => {
    const args = { ...shape(values, "", problems) } as ShapedObject<F> & ShapedObject<typeof commonFields>;
    const images = args.images ?? [];
    delete args.target;
    delete args.images;
    // What is wrong in its make, and what is in it, would be called wrong twice.
    const mistyped = problems.map(({ key }) => key);
    const within = (key: string, outer: string): boolean =>
      key === outer || (key.startsWith(outer) && /^[.[]/.test(key.slice(outer.length)));
    const found = [...check(args, images), ...imageBuildProblems(images)];
    problems.push(...found.filter(({ key }) => !mistyped.some((outer) => within(key, outer))));
    return { args, images, deploy: (name) => deploy(name, args) };
  };
  return Object.assign(read, { keys: Object.keys(fields), foreign });
}
