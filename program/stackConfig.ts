import * as pulumi from "@pulumi/pulumi";
import { ImageBuild } from "../components";
import { Problem, problemReport, shown } from "../components/lib/problems";
import { Deploy, Target } from "./target";
import { singleNode } from "./targets/singleNode";

/** Where a stack's registry may run. */
const targets: Record<string, Target> = { "single-node": singleNode };

/** The stack's configuration, checked. */
export interface StackConfig {
  target: string;
  /** The arguments of the target's component. */
  registry: object;
  /** The images to build and push. */
  images: ImageBuild[];
  /** Makes the registry. */
  deploy: Deploy;
}

/** Checks a whole configuration; the error lists every problem. Values are as `pulumi config` holds them. */
export function checkStackConfig(values: Record<string, unknown>): StackConfig {
  const problems: Problem[] = [];
  const name = values.target ?? "single-node";
  const known = typeof name === "string" && Object.hasOwn(targets, name);
  if (!known) {
    problems.push({ key: "target", message: `${shown(name)} is not allowed; choose ${Object.keys(targets).join(", ")}` });
  }
  const { args, images, deploy } = (targets[known ? name : "single-node"] ?? singleNode)(values, problems);
  if (problems.length > 0) {
    throw new pulumi.RunError(problemReport(problems, "; nothing was changed"));
  }
  return { target: name as string, registry: args, images, deploy };
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
