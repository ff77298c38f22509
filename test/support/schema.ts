import * as fs from "fs";
import * as path from "path";
import { projectRoot } from "./testStack";

/** The schema of a property. */
export interface SchemaProperty {
  type?: string;
  plain?: boolean;
  description?: string;
  $ref?: string;
  items?: SchemaProperty;
  additionalProperties?: SchemaProperty;
}

export interface SchemaType {
  type: string;
  description?: string;
  properties?: Record<string, SchemaProperty>;
  required?: string[];
  enum?: { name?: string; value: string; description?: string }[];
}

export interface SchemaResource extends SchemaType {
  inputProperties?: Record<string, SchemaProperty>;
  requiredInputs?: string[];
  isComponent?: boolean;
}

/** The part of a package's schema (https://www.pulumi.com/docs/iac/using-pulumi/pulumi-packages/schema/) that tests read. */
export interface PackageSchema {
  name: string;
  version: string;
  types: Record<string, SchemaType>;
  resources: Record<string, SchemaResource>;
}

/** The package's interface, as its plugin describes it. */
export const schemaFile = path.join(projectRoot, "components", "schema.json");

export function packageSchema(): PackageSchema {
  return JSON.parse(fs.readFileSync(schemaFile, "utf8")) as PackageSchema;
}

/** The classes of the package. */
export function componentNames(): string[] {
  return Object.keys(packageSchema().resources).map((token) => token.split(":").pop() ?? token);
}

/** Every argument of a component, nested ones too: `tls.mode`, `users[].name`. */
export function schemaKeys(component: string): Map<string, { type: string; plain: boolean; description: string }> {
  const schema = packageSchema();
  const keys: ReturnType<typeof schemaKeys> = new Map();
  const add = (key: string, property: SchemaProperty): void => {
    const named = property.$ref === undefined ? undefined : schema.types[property.$ref.replace("#/types/", "")];
    const { type = named?.type ?? "unknown", plain = false, description = "" } = property;
    keys.set(key, { type, plain, description });
    addAll(key, named?.properties);
    if (property.items !== undefined) {
      add(`${key}[]`, property.items);
    }
  };
  const addAll = (prefix: string, properties: Record<string, SchemaProperty> = {}): void => {
    for (const [name, property] of Object.entries(properties)) {
      add(prefix === "" ? name : `${prefix}.${name}`, property);
    }
  };
  addAll("", schema.resources[`container-registry:index:${component}`]?.inputProperties);
  return keys;
}
