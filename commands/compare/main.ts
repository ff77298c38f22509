/**
 * Compares registries: npm run compare -- STACK… [--rounds n] [--storage GB] [--egress GB] [--output folder]
 * A STACK that ends with .json is a file with a stack's outputs.
 */
import { execFile } from "child_process";
import * as fs from "fs";
import * as path from "path";
import { parseArgs, promisify } from "util";
import { Candidate, compare, ImageKind } from "./comparison";
import { markdown, summary } from "./report";

const usage = `usage: npm run compare -- STACK... [options]

Pushes and pulls the same images to the registries of these stacks, and compares. STACK is a stack of this
project, or a .json file with the outputs of one (pulumi stack output --json --show-secrets).

  --rounds N        rounds, one registry after the other in each (3)
  --storage GB      images kept, for the cost (50)
  --egress GB       images fetched from the internet a month, for the cost (100)
  --small N         layers of the image with many small layers, 100 KiB each (40)
  --large MiB       size of the image with one large layer (64)
  --output FOLDER   where comparison.md and .json are written (comparison)`;

interface Arguments {
  names: string[];
  rounds: number;
  storage: number;
  egress: number;
  images: ImageKind[];
  output: string;
}

/** A larger layer does not fit into one buffer of random bytes. */
const mostMiB = 2047;

function readArguments(): Arguments {
  const text = { type: "string" } as const;
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { rounds: text, storage: text, egress: text, small: text, large: text, output: text },
  });
  const number = (
    name: "rounds" | "storage" | "egress" | "small" | "large",
    otherwise: number,
    least: number,
    most = Infinity,
  ): number => {
    const value = Number(values[name] ?? otherwise);
    if (!(value >= least && value <= most) || (least === 1 && !Number.isInteger(value))) {
      const allowed = `${least === 1 ? "whole number" : "number"} from ${least} ${most === Infinity ? "on" : `to ${most}`}`;
      throw new Error(`--${name} ${values[name]} is not allowed; give a ${allowed}`);
    }
    return value;
  };
  if (positionals.length === 0) {
    throw new Error("name a stack");
  }
  return {
    names: positionals,
    rounds: number("rounds", 3, 1),
    storage: number("storage", 50, 0),
    egress: number("egress", 100, 0),
    images: [
      { name: "small", layers: number("small", 40, 1), layerBytes: 100 * 1024 },
      { name: "large", layers: 1, layerBytes: number("large", 64, 1, mostMiB) * 2 ** 20 },
    ],
    output: values.output ?? "comparison",
  };
}

const outputNames = ["endpoint", "repositoryPrefix", "username", "password", "caCertificate"] as const;

/** The outputs that are needed here; a stack without a password is used anonymously. */
type Outputs = Partial<Record<(typeof outputNames)[number], string>>;

/** What is wrong with outputs, which may have been written by hand. */
function problemOf(outputs: Outputs): string | undefined {
  const { endpoint } = outputs;
  const wrong = outputNames.find((name) => !["string", "undefined"].includes(typeof outputs[name]));
  if (wrong !== undefined) {
    return `its ${wrong} is no text`;
  }
  return endpoint === undefined || (/^https?:/.test(endpoint) && URL.canParse(endpoint))
    ? undefined
    : `its endpoint ${JSON.stringify(endpoint)} is no URL such as https://registry.example.com`;
}

/** How to reach a stack's registry. A stack that can't be read becomes a candidate with an error. */
async function candidate(name: string): Promise<Candidate> {
  const short = path.basename(name, ".json");
  try {
    const outputs = await outputsOf(name);
    const { endpoint, repositoryPrefix, username, password, caCertificate } = outputs;
    const error = problemOf(outputs);
    if (endpoint === undefined || error !== undefined) {
      return { name: short, error: error ?? "has no output endpoint; deploy it first" };
    }
    return { name: short, repositoryPrefix, access: { endpoint, username, password, caCertificate } };
  } catch (error) {
    // Not the whole error: it may contain what was printed or read, and outputs are secret.
    const { stderr, message } = error as { stderr?: string; message: string };
    return {
      name: short,
      error: `its outputs could not be read: ${error instanceof SyntaxError ? "no JSON" : (stderr?.trim() ?? message)}`,
    };
  }
}

async function outputsOf(name: string): Promise<Outputs> {
  if (name.endsWith(".json")) {
    return JSON.parse(fs.readFileSync(name, "utf8")) as Outputs;
  }
  const words = ["stack", "output", "--json", "--show-secrets", "--stack", name];
  return JSON.parse((await promisify(execFile)("pulumi", words)).stdout) as Outputs;
}

async function main({ names, rounds, images, storage, egress, output }: Arguments): Promise<void> {
  // Before the measurements: they take minutes, which would be wasted if the folder can't be made.
  fs.mkdirSync(output, { recursive: true });
  const candidates = await Promise.all(names.map(candidate));
  const progress = (line: string): void => console.error(line);
  const comparison = await compare(candidates, { rounds, images, usage: { storage, egress }, progress });
  console.log(summary(comparison));
  const write = (ending: string, content: string): void => fs.writeFileSync(path.join(output, `comparison.${ending}`), content);
  write("json", `${JSON.stringify(comparison, undefined, 2)}\n`);
  write("md", markdown(comparison));
  console.error(`\nwritten: ${output}/comparison.md, .json`);
  if (comparison.rows.every(({ samples }) => Object.keys(samples).length === 0)) {
    process.exitCode = 1;
  }
}

try {
  if (process.argv.includes("--help")) {
    console.log(usage);
  } else {
    main(readArguments()).catch((error: unknown) => {
      console.error((error as Error).message);
      process.exitCode = 1;
    });
  }
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exitCode = 2;
}
