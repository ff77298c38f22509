import * as pulumi from "@pulumi/pulumi";

/** The outputs of every registry, wherever it runs. */
export interface RegistryOutputs {
  endpoint: pulumi.Output<string>;
  repositoryPrefix: pulumi.Output<string>;
  username: pulumi.Output<string>;
  password: pulumi.Output<string>;
  credentials: pulumi.Output<Record<string, string>>;
  caCertificate: pulumi.Output<string>;
  loginCommand: pulumi.Output<string>;
  trustCommand: pulumi.Output<string>;
  daemonConfig: pulumi.Output<string>;
  /** For registries that may have a pull-through cache beside them. */
  mirrorEndpoint?: pulumi.Output<string>;
  /** For registries that have a page. */
  page?: pulumi.Output<string>;
  version: pulumi.Output<string>;
  /** For registries that have a certificate of their own. */
  certificateExpiresAt?: pulumi.Output<string>;
  /** For registries with metrics for Prometheus. */
  metricsEndpoint?: pulumi.Output<string>;
  scrapeConfig?: pulumi.Output<string>;
  /** For registries with a mirror: what goes before the full name of an image of its upstream. */
  mirrorRepositoryPrefix?: pulumi.Output<string>;
  /** For registries on one Docker host. */
  containerName?: pulumi.Output<string>;
  /** For registries on a Swarm. */
  serviceName?: pulumi.Output<string>;
}

/** A registry that was made, by whatever component. */
export type Registry = RegistryOutputs & pulumi.ComponentResource;
