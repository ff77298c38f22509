import * as fs from "fs";
import * as path from "path";

/**
 * The description of a value in the package's schema
 * (https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/).
 */
export interface Property {
  /** The kind of the value; missing if `$ref` names a type of the package. */
  type?: "string" | "number" | "boolean" | "array" | "object";
  $ref?: string;
  /** The description of the items of a list. */
  items?: Property;
  /** The description of the values of a map. */
  additionalProperties?: Property;
  /** The value may be neither secret nor known only during the deployment. */
  plain?: boolean;
  optional?: boolean;
  description?: string;
}

export type Properties = Readonly<Record<string, Property>>;

/** The parts of an object, and which of them must be given. */
export interface ObjectType {
  properties: Properties;
  required: readonly string[];
}

interface Schema {
  types: Record<string, { properties?: Properties; required?: string[] } | undefined>;
  resources: Record<string, { inputProperties: Properties; requiredInputs: string[] } | undefined>;
}

let schema: Schema | undefined;

/** components/schema.json, which Pulumi infers from the components (`npm run schema`): the only other place that knows all keys. */
function packageSchema(): Schema {
  schema ??= JSON.parse(fs.readFileSync(path.join(__dirname, "..", "schema.json"), "utf8")) as Schema;
  return schema;
}

/** The arguments of a component, by the name of its class. */
export function argumentsOf(component: string): ObjectType {
  const resource = packageSchema().resources[`container-registry:index:${component}`];
  if (resource === undefined) {
    throw new Error(`components/schema.json has no component ${component}; write it anew with: npm run schema`);
  }
  return { properties: resource.inputProperties, required: resource.requiredInputs };
}

/** The parts of an object that the package describes; undefined for any other value. */
export function partsOf({ $ref }: Property): ObjectType | undefined {
  const type = $ref === undefined ? undefined : packageSchema().types[$ref.replace("#/types/", "")];
  return type?.properties === undefined ? undefined : { properties: type.properties, required: type.required ?? [] };
}
