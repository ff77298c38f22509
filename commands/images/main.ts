import { execFileSync } from "child_process";
import * as readline from "readline/promises";
import { RegistryAccess } from "../registryClient";
import { parseArguments, usage, UsageError } from "./arguments";
import { deleteImages } from "./delete";
import { list } from "./list";
import { Registry } from "./registry";

/** The outputs of a stack, read with the user's own Pulumi command. */
function accessOf(stack: string | undefined): RegistryAccess {
  const words = ["stack", "output", "--json", "--show-secrets", ...(stack === undefined ? [] : ["--stack", stack])];
  const outputs = JSON.parse(pulumi(words)) as Partial<RegistryAccess>;
  if (outputs.endpoint === undefined) {
    throw new Error(
      "The stack tells of no registry: no up of it has succeeded yet. If a build is what fails: pulumi up --continue-on-error",
    );
  }
  return { ...outputs, endpoint: outputs.endpoint };
}

function pulumi(words: readonly string[]): string {
  try {
    return execFileSync("pulumi", words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new Error("There is no command pulumi; npm start brings one, and a registry.", { cause: error });
    }
    throw error;
  }
}

async function ask(text: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new Error(`${text}\nThere is nobody to ask, so this was not done.`);
  }
  console.log(text);
  const prompt = readline.createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question("Go on? [y/N] ");
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  if (words.some((word) => word === "--help" || word === "-h")) {
    console.log(usage);
    return;
  }
  const { command, references, stack, yes } = parseArguments(words);
  const registry = new Registry(accessOf(stack));
  const confirm = async (text: string, unexpected = false): Promise<boolean> => {
    if (!yes || unexpected) {
      return ask(text);
    }
    console.log(text);
    return Promise.resolve(true);
  };
  try {
    console.log(
      command === "list"
        ? await list(
            registry,
            references.map(({ repository }) => repository),
          )
        : await deleteImages(registry, references, confirm),
    );
  } finally {
    registry.close();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : (error as Error).message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
