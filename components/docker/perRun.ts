import * as pulumi from "@pulumi/pulumi";

/** A value of which each run of a program has one. A process may see several runs, as that of a package or of tests does. */
export class PerRun<Value> {
  private readonly values = new Map<unknown, Value>();

  constructor(private readonly make: () => Value) {}

  get(): Value {
    // A package's plugin has a separate client for each component, all with the same address.
    const monitor = pulumi.runtime.getMonitor() as { getChannel?: () => { getTarget: () => string } } | undefined;
    const run = monitor?.getChannel?.().getTarget() ?? monitor;
    const value = this.values.get(run) ?? this.make();
    this.values.set(run, value);
    return value;
  }
}
