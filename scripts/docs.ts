/*
 * npm run docs: writes what the package's schema says, and so the doc comments in components/, into docs/reference.md,
 * docs/configuration.md and the README's table of keys. --check writes nothing, and fails when one of them is stale.
 */
import * as fs from "fs";
import * as path from "path";
import { Properties, Property } from "../components/args/schema";
import { targets } from "../program/stackConfig";
import {
  components,
  defaultAt,
  defaultOf,
  line,
  meaningOf,
  meaningWithValues,
  table,
  typeNameOf,
  typeOf,
  types,
} from "./docsWords";

const root = path.dirname(__dirname);

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
    return `list of ${valuesOf(property.items)}${typeOf(property.items)?.enum === undefined ? "s" : ""}`;
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

const partsOf = (property: Property): [string, Property][] =>
  Object.entries(typeOf(property.items ?? property)?.properties ?? {});

/** The keys within one, each followed by those within it: `tls.mode`, `users[].name`. */
function keysUnder(key: string, property: Property): [string, Property][] {
  const prefix = property.items === undefined ? key : `${key}[]`;
  return partsOf(property).flatMap(([name, each]) => [[`${prefix}.${name}`, each], ...keysUnder(`${prefix}.${name}`, each)]);
}

interface TopLevelKey {
  key: string;
  /** What the key is, by the targets that know it. */
  of: Map<string, Property>;
}

/** The keys of a stack's configuration. Where the types of two targets' arguments differ, the key is there once for each. */
function topLevelKeys(): TopLevelKey[] {
  const names = Object.keys(targets);
  const ofAll = (key: string, property: Property): TopLevelKey => ({ key, of: new Map(names.map((name) => [name, property])) });
  const target: Property = {
    type: "string",
    plain: true,
    optional: true,
    description:
      "Where the registry runs. Choose it when the stack is made. Later a change is refused, as the images are protected; with `lab: true` it deletes the registry with its images. (With `--skip-preview` it is refused only after everything but the images was deleted.) Default: `single-node`.",
  };
  const builds = components.get("BuiltImages")?.inputProperties.builds ?? {};
  const found = [ofAll("target", target), ofAll("builds", { ...builds, optional: true })];
  for (const [name, { component }] of Object.entries(targets)) {
    for (const [key, property] of Object.entries(components.get(component)?.inputProperties ?? {})) {
      const same = found.find((each) => each.key === key && typeNameOf(propertyOf(each)) === typeNameOf(property));
      if (same === undefined) {
        found.push({ key, of: new Map([[name, property]]) });
      } else {
        same.of.set(name, property);
      }
    }
  }
  return found;
}

/** That of its first target: the others' have the same type, and may have another description. */
const propertyOf = ({ of }: TopLevelKey): Property => [...of.values()][0] ?? {};
const namesOf = (names: string[]): string => names.map((each) => `\`${each}\``).join(", ");
const targetsOf = (names: string[]): string => (names.length === Object.keys(targets).length ? "all" : namesOf(names));

/** What is said of a key; where that differs by target, with the targets' names. */
function byTarget(of: Iterable<[string, Property]>, textOf: (property: Property) => string, between = " "): string {
  const said = new Map<string, string[]>();
  for (const [name, property] of of) {
    said.set(textOf(property), [...(said.get(textOf(property)) ?? []), name]);
  }
  const [[first = ""] = []] = said;
  // What one says and the others go on from is said once.
  const shared = first.endsWith(".") && [...said.keys()].every((text) => text.startsWith(first)) ? first : "";
  const own = [...said].map(([text, names]): [string, string[]] => [text.slice(shared.length).trim(), names]);
  const differing = own.filter(([text]) => text !== "").map(([text, names]) => `${namesOf(names)}: ${text}`);
  return said.size === 1 ? first : [...(shared === "" ? [] : [shared]), ...differing].join(between);
}

/** The page that explains a key. */
const guides: Record<string, string> = {
  ...{ tls: "tls.md", users: "users.md", authentication: "users.md", anonymousPull: "users.md", storage: "storage.md" },
  ...{ garbageCollection: "cleaning-up.md", mirror: "mirror.md", builds: "building-images.md", swarm: "swarm.md" },
  ...{ metrics: "monitoring.md", notifications: "notifications.md", logs: "audit.md", cors: "cors.md" },
  ...{ ecr: "managed-registries.md", acr: "managed-registries.md", artifactRegistry: "managed-registries.md" },
  ...{ external: "managed-registries.md", target: "managed-registries.md" },
  ...{ hostname: "everyday.md#another-port-another-name", port: "everyday.md#another-port-another-name" },
  ...{
    bindAddress: "everyday.md#another-port-another-name",
    allowInsecure: "tls.md",
    hosts: "storage.md",
    lab: "troubleshooting.md#destroy-is-refused-because-data-is-protected",
  },
  ...{ externalUrl: "reverse-proxy.md", trustedProxies: "reverse-proxy.md", ui: "page.md", image: "security.md#the-container" },
  ...{ readOnly: "storage.md#moving-to-another-store", foreignLayerHosts: "security.md#what-an-attacker-can-do" },
};
const guideTo = (key: string): string => {
  const guide = guides[key];
  return guide === undefined ? "" : ` Guide: [${guide.replace(/#.*/, "")}](${guide}).`;
};
/** The keys that the README has: those by which stacks differ most. */
const mainKeys = [
  ...["target", "hostname", "port", "bindAddress", "tls", "users", "storage", "garbageCollection", "builds", "mirror"],
  ...["metrics", "lab", "swarm", "ecr", "acr", "artifactRegistry", "external"],
];
const titleOf = ({ key, of }: TopLevelKey, all: TopLevelKey[]): string =>
  all.filter((each) => each.key === key).length > 1 ? `${key} (${[...of.keys()].join(", ")})` : key;
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
const isPlainKey = (each: TopLevelKey): boolean => partsOf(propertyOf(each)).length === 0;

function configuration(): string {
  const keys = topLevelKeys();
  const head = ["Key", "Values", "Default", "Meaning"];
  const rows = (entries: [string, Property][]): string[][] =>
    entries.map(([key, each]) => [`\`${key}\``, valuesOf(each), defaultAt(key, each), meaningWithValues(each)]);
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
          targetsOf([...each.of.keys()]),
          each.key === "target" ? namesOf([...each.of.keys()]) : valuesOf(propertyOf(each)),
          byTarget(each.of, defaultOf, "; "),
          `${byTarget(each.of, meaningOf)}${guideTo(each.key)}`,
        ]),
    ),
    "",
    ...keys
      .filter((each) => !isPlainKey(each))
      .flatMap((each) => [
        `## ${titleOf(each, keys)}`,
        "",
        `${byTarget(each.of, meaningOf)}${guideTo(each.key)} Targets: ${targetsOf([...each.of.keys()])}.`,
        "",
        ...table(head, rows(keysUnder(each.key, propertyOf(each)))),
        "",
      ]),
  ].join("\n");
}

/** A row of the README's table, for the first target that has the key; the page of all keys says what others differ in. */
function mainRow(key: string, all: TopLevelKey[]): string[] {
  const found = all.filter((each) => each.key === key);
  const [first] = found;
  if (first === undefined) {
    throw new Error(`no component has the key ${key} of the README's table`);
  }
  const link = isPlainKey(first) ? "" : `#${anchorOf(titleOf(first, all))}`;
  const guide = guides[key] === undefined ? "" : ` [Guide](docs/${guides[key]})`;
  const of = found.flatMap((each) => [...each.of]);
  return [
    `[\`${key}\`](docs/configuration.md${link})`,
    targetsOf(of.map(([name]) => name)),
    byTarget(of.slice(0, 1), defaultOf),
    `${byTarget(of.slice(0, 1), meaningOf)}${guide}`,
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
