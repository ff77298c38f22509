import * as pulumi from "@pulumi/pulumi";

/**
 * Keeps an error's message as it is. When an Output fails, the SDK puts before the message which property of which resource needed
 * the value ("error serializing property …"), which tells a user nothing.
 *
 * The error loses its stack, which is never shown. The SDK colors it nevertheless, and Node.js 20.20 takes a minute to color a stack
 * with a path in node_modules.
 */
export function asItIs<T extends Error>(error: T): T {
  const { message } = error;
  error.stack = undefined;
  return Object.defineProperty(error, "message", { get: () => message, set: () => undefined });
}

/** An error that ends a deployment for a reason that a user can do something about: it is shown without a stack trace. */
export function failure(reason: string): pulumi.RunError {
  return asItIs(new pulumi.RunError(reason));
}
