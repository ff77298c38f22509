import * as yaml from "js-yaml";
import { MadeResource, mocked } from "./mocks";
import { makeCertificate } from "./pki";

/** A resource as it was registered. */
export interface Registered {
  type: string;
  name: string;
  /** Name of the resource it belongs to. */
  parent: string;
  /** A secret is `{ secret: value }`; texts that other resources made name those. */
  inputs: Record<string, unknown>;
  /** The options that are set, of those that tests ask for. */
  options: Record<string, unknown>;
  /** The names of the resources that each input is made from. */
  madeOf: Record<string, string[]>;
}

/** What a provider would answer. */
type Answer = Record<string, string | number>;

const answers: Record<string, (name: string, inputs: Record<string, unknown>) => Answer> = {
  "tls:index/privateKey:PrivateKey": (name) => ({
    privateKeyPem: `-----BEGIN PRIVATE KEY-----\n<key ${name}>\n-----END PRIVATE KEY-----\n`,
  }),
  "tls:index/certRequest:CertRequest": (name) => ({ certRequestPem: `<request ${name}>\n` }),
  "tls:index/selfSignedCert:SelfSignedCert": (name) => ({ certPem: makeCertificate({ subject: name }).certificate }),
  "tls:index/locallySignedCert:LocallySignedCert": (name) => ({ certPem: makeCertificate({ subject: name }).certificate }),
  "random:index/randomPassword:RandomPassword": (name) => ({ result: `<password ${name}>`, bcryptHash: `<hash ${name}>` }),
  "random:index/randomBytes:RandomBytes": (name) => ({ hex: `<hex ${name}>`, base64: Buffer.alloc(16, name).toString("base64") }),
  "docker:index/remoteImage:RemoteImage": (name) => ({ imageId: `<image ${name}>` }),
  "docker:index/image:Image": (_, { imageName }) => ({
    repoDigest: `${String(imageName).replace(/:[^:]*$/, "")}@sha256:<digest>`,
  }),
  "docker:index/secret:Secret": (name) => ({ name: `<secret ${name}>` }),
  "docker:index/container:Container": () => ({ exitCode: 0 }),
};

function nameOf(urn: string): string {
  return urn.split("::").pop() ?? "";
}

/** What a program made, as readable text. */
export class MockedDeployment {
  private constructor(public readonly resources: Registered[]) {}

  /** Runs a program to its end, as an `up`, or as a preview. */
  static async run<T>(
    program: () => T,
    run: { preview?: boolean; labels?: Map<string, string>; answers?: typeof answers } = {},
  ): Promise<{ made: T; deployment: MockedDeployment }> {
    /** Names for texts that differ in each run. */
    const labels = new Map(run.labels);
    const answering = Object.entries({ ...answers, ...run.answers }).map(([type, answer]): [string, typeof answer] => [
      type,
      (name, inputs) => {
        const outputs = answer(name, inputs);
        if (typeof outputs.certPem === "string") {
          labels.set(outputs.certPem, `<certificate ${name}>\n`);
        }
        return outputs;
      },
    ]);
    const { result, resources, components, calls } = await mocked(
      program,
      { resources: Object.fromEntries(answering) },
      run.preview,
    );
    if (calls.length > 0) {
      throw new Error(`nothing may be asked of a provider: ${calls.map(({ token }) => token).join(", ")}`);
    }
    const all = [...resources, ...components].map((resource) => registered(resource, labels));
    return {
      made: result,
      deployment: new MockedDeployment(all.sort((a, b) => (`${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1))),
    };
  }

  /** Every resource in a line: type, name, parent. */
  list(): string[] {
    return this.resources.map(({ type, name, parent }) => `${shortType(type)} ${name} in ${parent}`);
  }

  /** The one resource of a type and a name. */
  find(type: string, name: string): Registered {
    const found = this.resources.filter((each) => shortType(each.type) === type && each.name === name);
    if (found.length !== 1 || found[0] === undefined) {
      throw new Error(`there are ${found.length} resources ${type} ${name} among:\n${this.list().join("\n")}`);
    }
    return found[0];
  }

  /** The part of the deployment with some types of resources. */
  only(types: RegExp): MockedDeployment {
    return new MockedDeployment(this.resources.filter(({ type }) => types.test(shortType(type))));
  }

  /** Inputs and options of every resource that a provider makes, by type and name. */
  summary(): Record<string, Record<string, unknown>> {
    const made = this.resources.filter(({ type }) => !type.startsWith("container-registry:"));
    return Object.fromEntries(
      made.map(({ type, name, inputs, options }) => [`${shortType(type)} ${name}`, { ...withFiles(inputs), ...options }]),
    );
  }

  /** What every resource and each of its inputs depends on: an `up` keeps to an update plan only if these stay the same. */
  dependencies(): Record<string, unknown> {
    return Object.fromEntries(
      this.resources.map(({ type, name, options: { dependsOn }, madeOf }) => [
        `${shortType(type)} ${name}`,
        { dependsOn, madeOf },
      ]),
    );
  }

  /** The summary as text; with `from`, only the differences from that one's, with `-` and `+`. */
  text(from?: MockedDeployment): string {
    const now = this.summary();
    const before = from?.summary() ?? {};
    const sections = Object.keys({ ...before, ...now })
      .sort()
      .map((key) => {
        const sign = from === undefined ? "" : now[key] === undefined ? "- " : before[key] === undefined ? "+ " : "";
        const lines = now[key] === undefined ? [] : differences(linesOf(before[key] ?? {}), linesOf(now[key]));
        return { sign, key, lines: before[key] === undefined ? linesOf(now[key] ?? {}) : lines };
      })
      .filter(({ sign, lines }) => sign !== "" || lines.length > 0);
    return ["", ...sections.flatMap(({ sign, key, lines }) => [`${sign}${key}`, ...lines.map((line) => `    ${line}`)]), ""].join(
      "\n",
    );
  }
}

function registered({ type, name, inputs, ...resource }: MadeResource, labels: Map<string, string>): Registered {
  const { parent, protect, retainOnDelete, dependencies, secretOutputs } = resource;
  const { replacementTrigger, replaceOnChanges, replaceWith, ignoreChanges } = resource;
  return {
    type,
    name,
    parent: nameOf(parent),
    inputs: labelled(inputs, labels) as Record<string, unknown>,
    options: {
      ...(protect === undefined ? {} : { protect }),
      ...(retainOnDelete === undefined ? {} : { retainOnDelete }),
      ...(dependencies.length > 0 ? { dependsOn: dependencies.map(nameOf).sort() } : {}),
      ...(secretOutputs.length > 0 ? { secretOutputs } : {}),
      ...(replacementTrigger === undefined ? {} : { replacementTrigger }),
      ...(replaceOnChanges.length > 0 ? { replaceOnChanges } : {}),
      ...(ignoreChanges.length > 0 ? { ignoreChanges } : {}),
      ...(replaceWith.length > 0 ? { replaceWith: replaceWith.map(nameOf) } : {}),
    },
    madeOf: Object.fromEntries(
      Object.entries(resource.propertyDependencies).map(([input, on]) => [input, on.map(nameOf).sort()]),
    ),
  };
}

function labelled(value: unknown, labels: Map<string, string>): unknown {
  if (typeof value === "string") {
    return [...labels]
      .reduce((text, [made, label]) => text.replaceAll(made, label), value)
      .replace(/(config-|store-ca-|#!sha256 )[0-9a-f]{16,64}/g, "$1<hash>");
  }
  if (Array.isArray(value)) {
    return value.map((each) => labelled(each, labels));
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, labelled(each, labels)]))
    : value;
}

/** Makes each file that is uploaded to a container an input of its own. */
function withFiles({ uploads = [], ...inputs }: Record<string, unknown>): Record<string, unknown> {
  const files = uploads as { file: string; permissions: string; content: string | { secret: string } }[];
  return {
    ...inputs,
    ...Object.fromEntries(
      files.map(({ file, permissions, content }) =>
        typeof content === "string"
          ? [`file ${file} ${permissions}`, content]
          : [`secret file ${file} ${permissions}`, content.secret],
      ),
    ),
  };
}

/** A line for every input, nested ones too: `taskSpec.mode: x`; a text of several lines keeps its lines. */
function linesOf(inputs: Record<string, unknown>): string[] {
  return flat(inputs)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, value]) =>
      typeof value === "string" && value.includes("\n")
        ? [
            `${key}:`,
            ...value
              .trimEnd()
              .split("\n")
              .map((line) => `  ${line}`),
          ]
        : [`${key}: ${yaml.dump(value, { flowLevel: 0, lineWidth: -1, sortKeys: true }).trimEnd()}`],
    );
}

function flat(inputs: Record<string, unknown>): [string, unknown][] {
  return Object.entries(inputs).flatMap(([key, value]): [string, unknown][] =>
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
      ? flat(value as Record<string, unknown>).map(([inner, each]) => [`${key}.${inner}`, each])
      : [[key, value]],
  );
}

/** The lines that were removed and added. */
function differences(before: string[], now: string[]): string[] {
  return [
    ...before.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
}

/** `docker.Container` for docker:index/container:Container. */
function shortType(type: string): string {
  const [pkg, , name] = type.split(":");
  return `${pkg}.${name}`;
}
