import * as pulumi from "@pulumi/pulumi";
import { ImageBuild } from "../components";
import { failure } from "../components/checks/failure";
import { Problem, problemReport, shown } from "../components/checks/problems";
import { ParsedTarget, Target } from "./target";
import { acr } from "./targets/acr";
import { artifactRegistry } from "./targets/artifactRegistry";
import { ecr } from "./targets/ecr";
import { external } from "./targets/external";
import { singleNode } from "./targets/singleNode";
import { swarm } from "./targets/swarm";

/** Where a stack's registry may run. */
export const targets: Record<string, Target> = {
  "single-node": singleNode,
  swarm,
  ecr,
  acr,
  "artifact-registry": artifactRegistry,
  external,
};

/** The stack's configuration, checked. */
export interface StackConfig {
  target: string;
  /** The arguments of the target's component. */
  registry: object;
  /** The images to build and push. */
  images: ImageBuild[];
  /** Makes the registry. */
  deploy: ParsedTarget["deploy"];
}

/** Checks a whole configuration; the error lists every problem. Values are as `pulumi config` holds them. */
export function checkStackConfig({ target: given, ...values }: Record<string, unknown>): StackConfig {
  const problems: Problem[] = [];
  const name = given ?? "single-node";
  const known = typeof name === "string" && Object.hasOwn(targets, name);
  if (!known) {
    problems.push({ key: "target", message: `${shown(name)} is not allowed; choose ${Object.keys(targets).join(", ")}` });
  }
  const target = targets[known ? name : "single-node"] ?? singleNode;
  const own = known ? withoutForeign(values, name, target, problems) : values;
  const { args, images, deploy } = target.parse(own, problems);
  if (problems.length > 0) {
    throw failure(problemReport(problems, "; nothing was changed"));
  }
  return { target: name as string, registry: args, images, deploy };
}

/** The values without those of keys that only other targets know; each is noted, with why. */
function withoutForeign(
  values: Record<string, unknown>,
  name: string,
  target: Target,
  problems: Problem[],
): Record<string, unknown> {
  const owners = (key: string): string[] => Object.keys(targets).filter((each) => targets[each]?.keys.includes(key));
  const foreign = Object.keys(values).filter((key) => !target.keys.includes(key) && owners(key).length > 0);
  problems.push(
    ...foreign.map((key) => ({
      key,
      message: `has no meaning for target ${name}: ${target.foreign[key] ?? `it belongs to ${owners(key).join(", ")}`}`,
    })),
  );
  return Object.fromEntries(Object.entries(values).filter(([key]) => !foreign.includes(key)));
}

/** Reads this stack's configuration. Secrets come as plain texts here, to be checked; the components keep them secret. */
export function readStackConfig(): StackConfig {
  const prefix = `${pulumi.getProject()}:`;
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(pulumi.runtime.allConfig())) {
    const name = key.slice(prefix.length);
    if (key.startsWith(prefix)) {
      values[name] = parsed(value);
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
