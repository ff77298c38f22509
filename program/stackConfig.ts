import * as pulumi from "@pulumi/pulumi";
import { Access, SingleNodeRegistryArgs, TlsMode } from "../components";
import { registryProblems } from "../components/lib/checks";
import { Problem, problemReport, shown } from "../components/lib/problems";
import { settingsOf } from "../components/singleNodeRegistry";
import { boolean, dictionary, list, number, object, secret, Shape, string } from "./shape";
import { storageShape } from "./storageShape";

/** Where a stack's registry runs. */
export const targets = ["single-node"] as const;
export type Target = (typeof targets)[number];

/** The stack's configuration, checked. */
export interface StackConfig {
  target: Target;
  registry: SingleNodeRegistryArgs;
}

const shape = object({
  target: string,
  hostname: string,
  port: number,
  bindAddress: string,
  allowInsecure: boolean,
  tls: object({
    mode: string as Shape<TlsMode>,
    certificate: string,
    privateKey: secret,
    chain: string,
    validityDays: number,
    renewBeforeDays: number,
    generation: number,
    caGeneration: number,
    keepPreviousCa: boolean,
  }),
  users: list(
    object(
      {
        name: string,
        password: secret,
        generation: number,
        keepPrevious: boolean,
        previousPassword: secret,
        access: string as Shape<Access>,
        repositories: list(string),
      },
      ["name"],
    ),
  ),
  anonymousPull: boolean,
  authentication: object({ cacheSeconds: number, cacheSize: number, failedLogins: number, failedLoginsWindowSeconds: number }),
  storage: storageShape,
  image: string,
  readOnly: boolean,
  hosts: dictionary(string),
  resources: object({ memory: number, processes: number }),
  lab: boolean,
});

/** Checks a whole configuration; the error lists every problem. Values are as `pulumi config` holds them. */
export function checkStackConfig(values: Record<string, unknown>): StackConfig {
  const problems: Problem[] = [];
  const { target = "single-node", ...registry } = shape(values, "", problems) ?? {};
  if (!(targets as readonly string[]).includes(target)) {
    problems.push({ key: "target", message: `${shown(target)} is not allowed; choose ${targets.join(", ")}` });
  }
  // What is wrong in its make, and what is in it, would be called wrong twice.
  const mistyped = problems.map(({ key }) => key);
  const within = (key: string, outer: string): boolean =>
    key === outer || (key.startsWith(outer) && /^[.[]/.test(key.slice(outer.length)));
  problems.push(...registryProblems(settingsOf(registry)).filter(({ key }) => !mistyped.some((outer) => within(key, outer))));
  if (problems.length > 0) {
    throw new pulumi.RunError(problemReport(problems, "; nothing was changed"));
  }
  return { target: target as Target, registry };
}

/** Reads this stack's configuration. Secrets come as plain texts here, to be checked; the components keep them secret. */
export function readStackConfig(): StackConfig {
  const prefix = `${pulumi.getProject()}:`;
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(pulumi.runtime.allConfig())) {
    if (key.startsWith(prefix)) {
      values[key.slice(prefix.length)] = parsed(value);
    }
  }
  return checkStackConfig(values);
}

/** Objects and lists come as JSON; a text that only looks like JSON is left for the shape to judge. */
function parsed(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) {
    return value;
  }
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
