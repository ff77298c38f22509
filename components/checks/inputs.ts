import * as pulumi from "@pulumi/pulumi";
import { asItIs } from "./failure";
import { Problem, problemReport } from "./problems";
import { argumentsOf, partsOf, Properties, Property } from "../args/schema";
import { when } from "./rules";

/** Finds arguments that come as Outputs though they decide what is made, and so have to be plain. */
function outputProblems(value: unknown, property: Property, key: string): Problem[] {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) {
    return when(
      property.plain === true,
      key,
      "is secret or known only during the deployment; it decides what is made, so give a plain value",
    );
  }
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => outputProblems(each, property.items ?? property, `${key}[${index}]`));
  }
  if (typeof value === "object" && value !== null) {
    return memberProblems(value, partsOf(property)?.properties ?? {}, property.additionalProperties ?? property, `${key}.`);
  }
  return [];
}

/** The problems of an object's members; `others` describes those that have no property of their own. */
function memberProblems(value: object, properties: Properties, others: Property, prefix: string): Problem[] {
  return Object.entries(value).flatMap(([name, each]) =>
    outputProblems(each, Object.hasOwn(properties, name) ? (properties[name] ?? others) : others, `${prefix}${name}`),
  );
}

/** Stops a component, by the name of its class, before it makes anything, with one error that lists every problem. */
export function checkArguments(component: string, args: object, check: () => Problem[]): void {
  throwProblems(memberProblems(args, argumentsOf(component).properties, { plain: true }, ""));
  throwProblems(check());
}

/**
 * Throws an error that is right wherever a component is used: a program ends without a stack trace on a RunError, and the host
 * of a package passes an InputPropertiesError on to the program it serves. The properties are not listed in the error but in
 * its text: the engine would print each with its value, secret or not.
 */
function throwProblems(problems: readonly Problem[]): void {
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

/** The value if it is there to be looked at now; a promise or an Output is checked later, by `checkWhenKnown`. */
export function knownNow<T>(input: pulumi.Input<T> | undefined): T | undefined {
  return pulumi.Output.isInstance(input) || input instanceof Promise ? undefined : input;
}
