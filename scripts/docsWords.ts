/* What the package's schema says of components and keys, in the words of the tables that docs.ts writes. */
import * as fs from "fs";
import * as path from "path";
import { Properties, Property } from "../components/args/schema";

interface Type {
  properties?: Properties;
  enum?: { value: string; description?: string }[];
}
interface Resource {
  description: string;
  inputProperties: Properties;
  properties: Properties;
}

const schema = JSON.parse(fs.readFileSync(path.join(__dirname, "..", "components", "schema.json"), "utf8")) as {
  types: Record<string, Type>;
  resources: Record<string, Resource>;
};
const nameOf = (token: string): string => token.split(":").pop() ?? token;
const byName = <T>(entries: Record<string, T>): [string, T][] =>
  Object.entries(entries)
    .map(([token, each]): [string, T] => [nameOf(token), each])
    .sort(([a], [b]) => a.localeCompare(b));
export const types = new Map(byName(schema.types));
export const components = new Map(byName(schema.resources));
export const typeNameOf = (property: Property): string | undefined =>
  property.$ref === undefined ? undefined : nameOf(property.$ref);
export const typeOf = (property: Property): Type | undefined => types.get(typeNameOf(property) ?? "");

// A comment's last sentence has the default.
const lastSentence = /(?:^| )Default: (.*)\.$/s;
export const line = (text = ""): string => text.replace(/\s+/g, " ").trim();
export const meaningOf = ({ description }: Property): string => line(description).replace(lastSentence, "");
export const defaultOf = ({ description, optional }: Property): string =>
  optional === true ? (lastSentence.exec(line(description))?.[1] ?? "") : "(required)";
/** A key's default: of `5002`; in `mirror.metrics` `5003` the one that is for it. */
export function defaultAt(key: string, property: Property): string {
  const [general = "", ...elsewhere] = defaultOf(property).split("; in ");
  const own = elsewhere.map((each) => /^`(.*?)` (.*)/.exec(each)).find((each) => key.startsWith(`${each?.[1]}.`));
  return own?.[2] ?? general;
}

/** A key's meaning, with that of each of the values that it may have. */
export const meaningWithValues = (property: Property): string =>
  [
    meaningOf(property),
    ...(typeOf(property.items ?? property)?.enum ?? []).map((each) => `\`${each.value}\`: ${line(each.description)}`),
  ].join(" ");

// Outside of `code` a < would begin an HTML tag.
const cell = (text: string): string =>
  text.replace(/`[^`]*`|</g, (each) => (each === "<" ? "&lt;" : each)).replaceAll("|", "\\|");
export const table = (head: string[], rows: string[][]): string[] =>
  [head, head.map(() => "---"), ...rows.map((row) => row.map(cell))].map((cells) => `| ${cells.join(" | ")} |`);
