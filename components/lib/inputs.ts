import * as pulumi from "@pulumi/pulumi";
import { Problem, problemReport } from "./problems";

/** Stops a component before it makes anything, with one error that lists every problem. */
export function throwProblems(problems: readonly Problem[]): void {
  if (problems.length > 0) {
    throw new pulumi.InputPropertiesError({
      message: problemReport(problems),
      errors: problems.map(({ key, message }) => ({ propertyPath: key, reason: message })),
    });
  }
}

/** Values that are known only later pass if `check` finds nothing wrong with them; what is built from them waits. */
export function gated<T>(
  values: pulumi.Input<T>,
  check: (resolved: pulumi.Unwrap<T>) => Problem[],
): pulumi.Output<pulumi.Unwrap<T>> {
  return pulumi.output(values).apply((resolved) => {
    throwProblems(check(resolved));
    return resolved;
  });
}

/** The value if it is there to be looked at now; a promise or an Output is checked later, by `gated`. */
export function plain<T>(input: pulumi.Input<T> | undefined): T | undefined {
  return pulumi.Output.isInstance(input) || input instanceof Promise ? undefined : input;
}
