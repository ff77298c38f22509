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

/**
 * Reads the configuration of one target, notes what is wrong with it, and returns the arguments with what to do with them, and the
 * images to build.
 */
export type Target<Args extends object = object> = (
  values: Record<string, unknown>,
  problems: Problem[],
) => { args: Args; images: ImageBuild[]; deploy: Deploy };

/** The keys of every target. */
const commonFields = { target: string, images: imagesShape };

/**
 * A target from the keys its stacks have beside the common ones, from what is wrong with arguments of the right make, and from what
 * makes the registry.
 */
export function target<F extends Fields>(
  fields: F,
  check: (args: ShapedObject<F>) => Problem[],
  deploy: (name: string, args: ShapedObject<F>) => Registry,
): Target<ShapedObject<F>> {
  const shape = object({ ...commonFields, ...fields });
  return (values, problems) => {
    const args = { ...shape(values, "", problems) } as ShapedObject<F> & ShapedObject<typeof commonFields>;
    const images = args.images ?? [];
    delete args.target;
    delete args.images;
    // What is wrong in its make, and what is in it, would be called wrong twice.
    const mistyped = problems.map(({ key }) => key);
    const within = (key: string, outer: string): boolean =>
      key === outer || (key.startsWith(outer) && /^[.[]/.test(key.slice(outer.length)));
    const found = [...check(args), ...imageBuildProblems(images)];
    problems.push(...found.filter(({ key }) => !mistyped.some((outer) => within(key, outer))));
    return { args, images, deploy: (name) => deploy(name, args) };
  };
}
