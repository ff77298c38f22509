/*
 * npm run docs: writes what the package's schema says, and so the doc comments in components/, into docs/reference.md,
 * docs/configuration.md and the README's table of keys. --check writes nothing, and fails when one of them is stale.
 */
import * as fs from "fs";
import * as path from "path";
import { Properties, Property } from "../components/args/schema";
import { targets } from "../program/stackConfig";

interface Type {
  properties?: Properties;
  enum?: { value: string; description?: string }[];
}
interface Resource {
  description: string;
  inputProperties: Properties;
  properties: Properties;
}

const root = path.dirname(__dirname);
const schema = JSON.parse(fs.readFileSync(path.join(root, "components", "schema.json"), "utf8")) as {
  types: Record<string, Type>;
  resources: Record<string, Resource>;
};
const nameOf = (token: string): string => token.split(":").pop() ?? token;
const byName = <T>(entries: Record<string, T>): [string, T][] =>
  Object.entries(entries)
    .map(([token, each]): [string, T] => [nameOf(token), each])
    .sort(([a], [b]) => a.localeCompare(b));
const types = new Map(byName(schema.types));
const components = new Map(byName(schema.resources));
const typeNameOf = (property: Property): string | undefined => (property.$ref === undefined ? undefined : nameOf(property.$ref));
const typeOf = (property: Property): Type | undefined => types.get(typeNameOf(property) ?? "");

// A comment's last sentence has the default.
const lastSentence = /(?:^| )Default: (.*)\.$/s;
const line = (text = ""): string => text.replace(/\s+/g, " ").trim();
const meaningOf = ({ description }: Property): string => line(description).replace(lastSentence, "");
const defaultOf = ({ description, optional }: Property): string =>
  optional === true ? (lastSentence.exec(line(description))?.[1] ?? "") : "(required)";

// Outside of `code` a < would begin an HTML tag.
const cell = (text: string): string =>
  text.replace(/`[^`]*`|</g, (each) => (each === "<" ? "&lt;" : each)).replaceAll("|", "\\|");
const table = (head: string[], rows: string[][]): string[] =>
  [head, head.map(() => "---"), ...rows.map((row) => row.map(cell))].map((cells) => `| ${cells.join(" | ")} |`);

/** A property's type as a program writes it, with a link to the types this file describes. */
function programType(property: Property, ofArgument: boolean): string {
  const suffix = property.items === undefined ? "" : "[]";
  const item = property.items ?? property;
  const named = typeNameOf(item);
  if (named !== undefined) {
    return `[${named}${suffix === "" ? "" : "\\[\\]"}](#${named.toLowerCase()})`;
  }
  const base = item.additionalProperties === undefined ? item.type : `Record<string, ${item.additionalProperties.type}>`;
  return ofArgument && property.plain !== true ? `\`Input<${base}${suffix}>\`` : `\`${base}${suffix}\``;
}

const inputs = (properties: Properties): string[] =>
  table(
    ["Name", "Type", "Default", "Meaning"],
    Object.entries(properties).map(([name, each]) => [`\`${name}\``, programType(each, true), defaultOf(each), meaningOf(each)]),
  );

/** The arguments that have a type, as links to their components. */
function usesOf(name: string): string[] {
  const within = (owner: string, properties: Properties): string[] =>
    Object.entries(properties)
      .filter(([, each]) => typeNameOf(each.items ?? each) === name)
      .map(([key]) => `[${owner}](#${owner.toLowerCase()}).${key}`);
  return [
    ...[...components].flatMap(([owner, { inputProperties }]) => within(owner, inputProperties)),
    ...[...types].flatMap(([owner, { properties = {} }]) => within(owner, properties)),
  ];
}

function reference(): string {
  return [
    "# Reference",
    "",
    "<!-- Written by `npm run docs` from the doc comments in components/. Change them, not this file. -->",
    "",
    "The components of the package `container-registry`, with their arguments and outputs. `Input<T>` is a value, or an Output of another",
    "resource. A stack's configuration has the arguments of its target's component as keys: [Configuration](configuration.md).",
    "",
    ...[...components].flatMap(([name, { description, inputProperties, properties }]) => [
      `## ${name}`,
      "",
      line(description),
      "",
      `Type token \`container-registry:index:${name}\`.`,
      "",
      "Arguments:",
      "",
      ...inputs(inputProperties),
      "",
      "Outputs:",
      "",
      ...table(
        ["Name", "Type", "Meaning"],
        Object.entries(properties).map(([output, each]) => [`\`${output}\``, programType(each, false), meaningOf(each)]),
      ),
      "",
    ]),
    ...[...types].flatMap(([name, type]) => [
      `## ${name}`,
      "",
      `Of ${usesOf(name).join(", ")}.`,
      "",
      ...(type.enum === undefined
        ? inputs(type.properties ?? {})
        : table(
            ["Value", "Meaning"],
            type.enum.map(({ value, description }) => [`\`${value}\``, line(description)]),
          )),
      "",
    ]),
  ].join("\n");
}

/** What a stack's key takes, in words. */
function valuesOf(property: Property): string {
  if (property.items !== undefined) {
    return `list of ${valuesOf(property.items)}s`;
  }
  if (property.additionalProperties !== undefined) {
    return "map";
  }
  const type = typeOf(property);
  if (type?.enum !== undefined) {
    return type.enum.map(({ value }) => `\`${value}\``).join(", ");
  }
  const words: Record<string, string> = { boolean: "`true`, `false`", number: "number", string: "text" };
  return `${words[property.type ?? ""] ?? "object"}${property.plain === true ? "" : ", secret"}`;
}

/** The keys under one, with those of the objects in it: `tls.mode`, `users[].name`. */
function keysUnder(key: string, property: Property): [string, Property][] {
  const parts = Object.entries(typeOf(property.items ?? property)?.properties ?? {});
  const prefix = property.items === undefined ? key : `${key}[]`;
  return parts.length === 0 ? [[key, property]] : parts.flatMap(([name, each]) => keysUnder(`${prefix}.${name}`, each));
}

interface TopLevelKey {
  key: string;
  property: Property;
  /** The targets that know the key. */
  of: string[];
}

/** The keys of a stack's configuration. Where two targets' arguments differ, the key is there once for each. */
function topLevelKeys(): TopLevelKey[] {
  const names = Object.keys(targets);
  const target: TopLevelKey = {
    key: "target",
    property: {
      type: "string",
      plain: true,
      optional: true,
      description:
        "Where the registry runs. Choose it for a new stack: on one with a registry a change is refused (with `--skip-preview` only once all but the images is gone), or with `lab` deletes it and its images. Default: `single-node`.",
    },
    of: names,
  };
  const builds = components.get("BuiltImages")?.inputProperties.builds ?? {};
  const found = [target, { key: "builds", property: { ...builds, optional: true }, of: names }];
  for (const [name, { component }] of Object.entries(targets)) {
    for (const [key, property] of Object.entries(components.get(component)?.inputProperties ?? {})) {
      const same = found.find((each) => each.key === key && typeNameOf(each.property) === typeNameOf(property));
      if (same === undefined) {
        found.push({ key, property, of: [name] });
      } else {
        same.of.push(name);
      }
    }
  }
  return found;
}

/** The page that explains a key. */
const guides: Record<string, string> = {
  ...{ tls: "tls.md", users: "users.md", authentication: "users.md", anonymousPull: "users.md", storage: "storage.md" },
  ...{ garbageCollection: "cleaning-up.md", mirror: "mirror.md", builds: "building-images.md", swarm: "swarm.md" },
  ...{ metrics: "monitoring.md", notifications: "notifications.md", logs: "audit.md", cors: "cors.md" },
  ...{ ecr: "managed-registries.md", acr: "managed-registries.md", artifactRegistry: "managed-registries.md" },
  ...{ external: "managed-registries.md", target: "managed-registries.md", hostname: "everyday.md" },
};
/** The keys that the README has: those by which stacks differ most. */
const mainKeys = [
  ...["target", "hostname", "port", "bindAddress", "tls", "users", "storage", "garbageCollection", "builds", "mirror"],
  ...["metrics", "lab", "swarm", "ecr", "acr", "artifactRegistry", "external"],
];
const titleOf = ({ key, of }: TopLevelKey, all: TopLevelKey[]): string =>
  all.filter((each) => each.key === key).length > 1 ? `${key} (${of.join(", ")})` : key;
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
const targetsOf = ({ of }: TopLevelKey): string =>
  of.length === Object.keys(targets).length ? "all" : of.map((each) => `\`${each}\``).join(", ");
const isPlainKey = ({ key, property }: TopLevelKey): boolean => keysUnder(key, property)[0]?.[0] === key;

function configuration(): string {
  const keys = topLevelKeys();
  const head = ["Key", "Values", "Default", "Meaning"];
  const rows = (entries: [string, Property][]): string[][] =>
    entries.map(([key, each]) => [`\`${key}\``, valuesOf(each), defaultOf(each), meaningOf(each)]);
  return [
    "# Configuration",
    "",
    "<!-- Written by `npm run docs` from the doc comments in components/. Change them, not this file. -->",
    "",
    "Set with `pulumi config set KEY VALUE`; keys with a dot or brackets need `--path`. They are stored in `stacks/Pulumi.<stack>.yaml`; secrets",
    "belong there encrypted only (`--secret`). A wrong configuration stops in preview with one error that lists every problem. `pulumi config`",
    "lists what is set; what isn't has its default.",
    "",
    "A key stands for the argument of the same name of the target's component: [Reference](reference.md).",
    "",
    ...table(
      ["Key", "Targets", "Values", "Default", "Meaning"],
      keys
        .filter(isPlainKey)
        .map((each) => [
          `\`${each.key}\``,
          targetsOf(each),
          each.key === "target" ? each.of.map((name) => `\`${name}\``).join(", ") : valuesOf(each.property),
          defaultOf(each.property),
          meaningOf(each.property),
        ]),
    ),
    "",
    ...keys
      .filter((each) => !isPlainKey(each))
      .flatMap((each) => [
        `## ${titleOf(each, keys)}`,
        "",
        `${meaningOf(each.property)}${guides[each.key] === undefined ? "" : ` Guide: [${guides[each.key]}](${guides[each.key]}).`} Targets: ${targetsOf(each)}.`,
        "",
        ...table(head, rows(keysUnder(each.key, each.property))),
        "",
      ]),
  ].join("\n");
}

/** A row of the README's table; a key that differs by target has one row, and two sections that it could link. */
function mainRow(key: string, all: TopLevelKey[]): string[] {
  const found = all.filter((each) => each.key === key);
  const [first] = found;
  if (first === undefined) {
    throw new Error(`no component has the key ${key} of the README's table`);
  }
  const link = isPlainKey(first) ? "" : `#${anchorOf(titleOf(first, all))}`;
  const guide = guides[key] === undefined ? "" : ` [Guide](docs/${guides[key]})`;
  return [
    `[\`${key}\`](docs/configuration.md${link})`,
    targetsOf({ ...first, of: found.flatMap(({ of }) => of) }),
    defaultOf(first.property),
    `${meaningOf(first.property)}${guide}`,
  ];
}

/** The README with its table of keys written anew, which stands between two comments. */
function readme(text: string): string {
  const keys = topLevelKeys();
  const rows = mainKeys.map((key) => mainRow(key, keys));
  const begin = "<!-- keys: written by `npm run docs` -->";
  const end = "<!-- end of keys -->";
  const [before, rest = ""] = text.split(begin);
  return [
    before,
    begin,
    "\n\n",
    table(["Key", "Targets", "Default", "Meaning"], rows).join("\n"),
    "\n\n",
    end,
    rest.split(end)[1],
  ].join("");
}

const readmeFile = path.join(root, "README.md");
const written: [string, string][] = [
  [path.join(root, "docs", "reference.md"), reference()],
  [path.join(root, "docs", "configuration.md"), configuration()],
  [readmeFile, readme(fs.readFileSync(readmeFile, "utf8"))],
];
for (const [file, text] of written) {
  if (!process.argv.includes("--check")) {
    fs.writeFileSync(file, text);
  } else if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text) {
    console.error(`${path.relative(root, file)} is stale; write it anew with: npm run docs`);
    process.exitCode = 1;
  }
}
