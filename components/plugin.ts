import * as fs from "fs";
import * as path from "path";
import * as pulumi from "@pulumi/pulumi";
import * as components from "./index";

/** The part of a package's schema that the plugin reads: the outputs of each component. */
interface PackageSchema {
  version: string;
  resources: Record<string, { properties: object } | undefined>;
}

type Constructor = new (name: string, args: pulumi.Inputs, options: pulumi.ComponentResourceOptions) => pulumi.ComponentResource;

/**
 * The package as programs in other languages use it. Pulumi's own host for components infers the schema again in every process, from
 * the types of all the clouds, which costs each command 11 s of CPU. This one reads it from schema.json.
 */
class Plugin implements pulumi.provider.Provider {
  readonly schema = fs.readFileSync(path.join(__dirname, "schema.json"), "utf8");
  private readonly described = JSON.parse(this.schema) as PackageSchema;
  readonly version = this.described.version;

  construct(
    name: string,
    type: string,
    args: pulumi.Inputs,
    options: pulumi.ComponentResourceOptions,
  ): Promise<pulumi.provider.ConstructResult> {
    const description = this.described.resources[type];
    const className = type.split(":").pop() ?? "";
    const component = (components as unknown as Record<string, Constructor | undefined>)[className];
    if (description === undefined || component === undefined) {
      throw new Error(`${type} is not a component of this package`);
    }
    const made = new component(name, args, options);
    const outputs = made as unknown as pulumi.Inputs;
    const state = Object.fromEntries(Object.keys(description.properties).map((output) => [output, outputs[output]]));
    return Promise.resolve({ urn: made.urn, state });
  }
}

/** Serves the package to the engine whose address is in the process's arguments. */
export function serve(): Promise<void> {
  return pulumi.provider.main(new Plugin(), process.argv.slice(2));
}
