import * as pulumi from "@pulumi/pulumi";
import * as yaml from "js-yaml";
import { makeCertificate } from "./pki";

/** A resource as it was registered. */
export interface Registered {
  type: string;
  name: string;
  /** Name of the resource it belongs to. */
  parent: string;
  /** A secret is `{ secret: value }`; texts that were made by other resources say by which. */
  inputs: Record<string, unknown>;
  /** The options that are set, of those that tests ask for. */
  options: Record<string, unknown>;
}

/** The engine's request to register a resource, as far as it is recorded. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDependenciesList(): string[];
  getAdditionalsecretoutputsList(): string[];
  getReplacementTrigger(): { toJavaScript(): unknown } | undefined;
}

interface Monitor {
  registerResource(request: Request, callback: unknown): Promise<void>;
}

const secretSignature = "4dabf18193072939515e22adb298388d";

/** What a provider would answer. */
type Answer = Record<string, string | number>;

const answers: Record<string, (name: string, inputs: Record<string, unknown>) => Answer> = {
  "tls:index/privateKey:PrivateKey": (name) => ({ privateKeyPem: `<key ${name}>\n` }),
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

/** A run of a program against recorded resources instead of providers. */
export class MockedDeployment<T> {
  public readonly resources: Registered[] = [];

  private constructor(
    private readonly program: () => T,
    /** Names for texts that are another in each run. */
    private readonly labels: Map<string, string>,
  ) {}

  /** Runs a program to its end, as an `up`, or as a preview. */
  static async run<T>(
    program: () => T,
    run: { preview?: boolean; labels?: Map<string, string> } = {},
  ): Promise<{ made: T; deployment: MockedDeployment<T> }> {
    const deployment = new MockedDeployment(program, new Map(run.labels));
    await pulumi.runtime.setMocks(deployment.mocks(), "project", "stack", run.preview ?? false);
    deployment.recordRequests();
    const made = deployment.program();
    await pulumi.runtime.disconnect();
    deployment.resources.sort((a, b) => (`${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1));
    return { made, deployment };
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

  /** Inputs and options of every resource that a provider makes, by type and name. */
  summary(): Record<string, Record<string, unknown>> {
    const made = this.resources.filter(({ type }) => !type.startsWith("container-registry:"));
    return Object.fromEntries(
      made.map(({ type, name, inputs, options }) => [`${shortType(type)} ${name}`, { ...withFiles(inputs), ...options }]),
    );
  }

  /** The summary as text; or where it differs from another's, with `-` and `+`. */
  text(from?: MockedDeployment<unknown>): string {
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

  private mocks(): pulumi.runtime.Mocks {
    return {
      call: ({ token }) => {
        throw new Error(`nothing may be asked of a provider: ${token}`);
      },
      newResource: (args: pulumi.runtime.MockResourceArgs) => {
        const inputs = args.inputs as Record<string, unknown>;
        const answer = answers[args.type]?.(args.name, inputs) ?? {};
        if (typeof answer.certPem === "string") {
          this.labels.set(answer.certPem, `<certificate ${args.name}>\n`);
        }
        const readable = this.readable(inputs) as Record<string, unknown>;
        this.resources.push({ type: args.type, name: args.name, parent: "", inputs: readable, options: {} });
        return { id: `${args.name}-id`, state: { ...inputs, ...answer } };
      },
    };
  }

  /** The mocks do not get to see the options; the request has them. */
  private recordRequests(): void {
    const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = async (request, callback) => {
      await register(request, callback);
      const registered = this.resources.find(({ type, name }) => type === request.getType() && name === request.getName());
      if (registered !== undefined) {
        registered.parent = nameOf(request.getParent());
        Object.assign(registered.options, {
          ...(request.getProtect() ? { protect: true } : {}),
          ...(request.getRetainondelete() ? { retainOnDelete: true } : {}),
          ...(request.getDependenciesList().length > 0 ? { dependsOn: request.getDependenciesList().map(nameOf).sort() } : {}),
          ...(request.getAdditionalsecretoutputsList().length > 0
            ? { secretOutputs: request.getAdditionalsecretoutputsList() }
            : {}),
          ...(request.getReplacementTrigger() === undefined
            ? {}
            : { replacementTrigger: request.getReplacementTrigger()?.toJavaScript() }),
        });
      }
    };
  }

  private readable(value: unknown): unknown {
    if (typeof value === "string") {
      return [...this.labels]
        .reduce((text, [made, label]) => text.replaceAll(made, label), value)
        .replace(/(config-|store-ca-|#!sha256 )[0-9a-f]{16,64}/g, "$1<hash>");
    }
    if (Array.isArray(value)) {
      return value.map((each) => this.readable(each));
    }
    if (typeof value === "object" && value !== null) {
      return secretSignature in value
        ? { secret: this.readable((value as { value?: unknown }).value) }
        : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.readable(each)]));
    }
    return value;
  }
}

/** Has each file that is uploaded to a container as an input of its own. */
function withFiles({ uploads, ...inputs }: Record<string, unknown>): Record<string, unknown> {
  const secret = typeof uploads === "object" && uploads !== null && "secret" in uploads;
  const files = (secret ? uploads.secret : (uploads ?? [])) as { file: string; permissions: string; content: string }[];
  return {
    ...inputs,
    ...Object.fromEntries(
      files.map(({ file, permissions, content }) => [`${secret ? "secret " : ""}file ${file} ${permissions}`, content]),
    ),
  };
}

/** A line for every input; a text of several lines keeps them. */
function linesOf(inputs: Record<string, unknown>): string[] {
  return Object.keys(inputs)
    .sort()
    .flatMap((key) => {
      const value = inputs[key];
      return typeof value === "string" && value.includes("\n")
        ? [
            `${key}:`,
            ...value
              .trimEnd()
              .split("\n")
              .map((line) => `  ${line}`),
          ]
        : [`${key}: ${yaml.dump(value, { flowLevel: 0, lineWidth: -1, sortKeys: true }).trimEnd()}`];
    });
}

/** What went and what came. */
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

/** An Output's value and whether it is secret. */
export async function resolved<T>(output: pulumi.Output<T>): Promise<{ value: T; secret: boolean }> {
  const value = await new Promise<T>((resolve) => output.apply((known) => resolve(known)));
  return { value, secret: await pulumi.isSecret(output) };
}
