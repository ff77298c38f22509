import * as pulumi from "@pulumi/pulumi";

/** Options of a component whose class had another name before: a stack from that time keeps its resources. */
export function formerly(className: string, opts: pulumi.ComponentResourceOptions | undefined): pulumi.ComponentResourceOptions {
  return pulumi.mergeOptions({ aliases: [{ type: `container-registry:index:${className}` }] }, opts ?? {});
}
