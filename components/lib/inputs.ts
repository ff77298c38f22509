import * as pulumi from "@pulumi/pulumi";
import { asItIs } from "./failure";
import { Problem, problemReport } from "./problems";

/** Arguments, with list indexes left out, that may be secret or known only later. */
const inputs = new Set([
  ...["tls.certificate", "tls.privateKey", "tls.chain"],
  ...["users[].password", "users[].previousPassword"],
  ...["storage.s3.accessKey", "storage.s3.secretKey"],
  ...["storage.azure.accountKey", "storage.azure.credentials.secret"],
  "storage.gcs.credentials",
  ...["storage.swift.password", "storage.swift.applicationCredentialSecret", "storage.swift.secretKey"],
  ...["storage.oss.accessKeyId", "storage.oss.accessKeySecret"],
  ...["external.password", "mirror.password", "serverPem"],
  ...["repositoryPrefix", "username", "password"],
  ...["swarm.imageDistribution.password", "swarm.redis.password"],
  // Of the stores that are made: a secret is refused for what it says, not for being one.
  ...["options.accessKey", "options.secretKey", "options.accountKey", "options.credentials", "options.credentials.secret"],
]);

/** Finds arguments that come as Outputs though they decide what is made, and so have to be plain. */
function outputProblems(value: unknown, key = ""): Problem[] {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) {
    return inputs.has(key.replace(/\[\d+\]/g, "[]"))
      ? []
      : [{ key, message: "is secret or known only during the deployment; it decides what is made, so give a plain value" }];
  }
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => outputProblems(each, `${key}[${index}]`));
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([name, each]) => outputProblems(each, key === "" ? name : `${key}.${name}`));
  }
  return [];
}

/** Stops a component before it makes anything, with one error that lists every problem. */
export function checkArguments(args: object, check: () => Problem[]): void {
  throwProblems(outputProblems(args));
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
