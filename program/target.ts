import * as pulumi from "@pulumi/pulumi";
import { ImageBuild } from "../components";
import { imageBuildProblems } from "../components/builds/checks";
import { readObject, Refusals } from "../components/checks/inputs/shape";
import { noLogins } from "../components/checks/mirror";
import { Problem } from "../components/checks/problems";
import { argumentsOf, Properties } from "../components/args/schema";
import { Registry } from "../components/args/outputs";

/** What a target reads from a configuration. */
export interface ParsedTarget {
  /** The arguments of the target's component. */
  args: object;
  images: ImageBuild[];
  /** Makes the registry under a name. */
  deploy: (name: string) => Registry;
}

/** Where a registry may run. */
export interface Target {
  /** Reads a configuration, and notes what is wrong with it. */
  parse: (values: Record<string, unknown>, problems: Problem[]) => ParsedTarget;
  /** The class of its component. */
  component: string;
  /** The keys that it knows besides the common ones. */
  keys: readonly string[];
  /** Why keys of other targets have no meaning for this one, if there is more to say than which target they belong to. */
  foreign: Refusals;
}

/** A component that makes a registry. */
type RegistryClass<Args> = new (name: string, args: Args, opts?: pulumi.ComponentResourceOptions) => Registry;

/** Keys that no target has, and why. */
const refusals: Refusals = {
  images: "is now called builds; the output is still images",
  "mirror.users": noLogins,
  "mirror.anonymousPull": noLogins,
  "mirror.authentication": noLogins,
};

/** The keys of every target. */
function commonKeys(): Properties {
  const { builds = {} } = argumentsOf("BuiltImages").properties;
  return { target: { type: "string", plain: true }, builds };
}

/**
 * Builds a target from its component, whose arguments are the keys, from the check of arguments that have the right types and of
 * the images to build, and from the reasons to refuse other targets' keys.
 */
export function target<Args extends object>(
  component: RegistryClass<Args>,
  check: (args: Args, images: readonly ImageBuild[]) => Problem[],
  foreign: Refusals = {},
): Target {
  const own = argumentsOf(component.name);
  const shape = { properties: { ...commonKeys(), ...own.properties }, required: own.required };
  const parse = (values: Record<string, unknown>, problems: Problem[]): ParsedTarget => {
    const read = readObject(values, shape, "", { fromConfig: true, refusals, problems });
    const images = (read.builds ?? []) as ImageBuild[];
    delete read.builds;
    const args = read as Args;
    // A key of the wrong type was reported already; neither it nor its parts are reported again.
    const mistyped = problems.map(({ key }) => key);
    const within = (key: string, outer: string): boolean =>
      key === outer || (key.startsWith(outer) && /^[.[]/.test(key.slice(outer.length)));
    const found = [...check(args, images), ...imageBuildProblems(images)];
    problems.push(...found.filter(({ key }) => !mistyped.some((outer) => within(key, outer))));
    return { args, images, deploy: (name) => new component(name, args) };
  };
  return { component: component.name, parse, keys: Object.keys(own.properties), foreign };
}
