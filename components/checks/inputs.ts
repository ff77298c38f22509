import * as pulumi from "@pulumi/pulumi";
import { argumentsOf } from "../args/schema";
import { asItIs } from "./failure";
import { readObject } from "./inputs/shape";
import { Problem, problemReport } from "./problems";

/**
 * The arguments of a component, by the name of its class, as the package's schema describes them; `null` is no value. No compiler
 * checks arguments from another language, from JavaScript or from a configuration. Throws one error that lists every problem.
 */
export function readArguments<Args extends object>(component: string, args: Args | null | undefined): Args {
  const problems: Problem[] = [];
  const read = readObject(args ?? {}, argumentsOf(component), "", { fromConfig: false, refusals: {}, problems });
  throwProblems(problems);
  return read as Args;
}

/**
 * Stops a component before it makes anything, with one error that works wherever the component is used: a program ends without a
 * stack trace on a RunError, and the host of a package passes an InputPropertiesError on to the program it serves. The properties
 * are named only in the error's text: if they were listed in it, the engine would print each with its value, secret or not.
 */
export function throwProblems(problems: readonly Problem[]): void {
  if (problems.length > 0) {
    const message = problemReport(problems);
    throw asItIs(Object.assign(new pulumi.InputPropertiesError({ message, errors: [] }), new pulumi.RunError(message)));
  }
}

/** Values that are known only later pass if `check` finds nothing wrong with them; what is built from them waits. */
export function checkWhenKnown<T>(
  values: pulumi.Input<T>,
  check: (resolved: pulumi.Unwrap<T>) => Problem[],
): pulumi.Output<pulumi.Unwrap<T>> {
  return pulumi.output(values).apply((resolved) => {
    throwProblems(check(resolved));
    return resolved;
  });
}

/** The value of an Output, without its resources; undefined if it is not known: in a preview, or if one of its resources failed. */
export async function valueIfKnown<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  // For an unknown value an `apply` alone would never be called, and whatever waits for it would be left out of the program.
  const { isKnown } = output as unknown as { isKnown: Promise<boolean> };
  return (await isKnown) ? new Promise<T>((resolve) => output.apply(resolve)) : undefined;
}

/** The value if it is available now; a promise or an Output is checked later, by `checkWhenKnown`. */
export function knownNow<T>(input: pulumi.Input<T> | undefined): T | undefined {
  return pulumi.Output.isInstance(input) || input instanceof Promise ? undefined : input;
}
