import * as pulumi from "@pulumi/pulumi";
import { RegistryOutputs } from "../args/outputs";
import { daemonConfig, trustCommand } from "../render/clientCommands";

/** What the outputs of a registry that somebody else runs are made from. */
export interface ManagedRegistry {
  /** Host of the registry, with its port unless that is the standard one. */
  host: pulumi.Input<string>;
  /** URL of its API. Default: `https://` and `host`. */
  endpoint?: pulumi.Input<string>;
  /** What goes before an image's name. Default: `host`. */
  repositoryPrefix?: pulumi.Input<string>;
  /** Empty: the registry is used without a login. */
  username: pulumi.Input<string>;
  /** Kept secret. */
  password: pulumi.Input<string>;
  loginCommand: pulumi.Input<string>;
  /** Name of the service. */
  version: string;
  /** The CA of its certificate, PEM. Default: none, clients trust the certificate. */
  caCertificate?: string;
  /** The registry speaks plain HTTP, and is not on loopback. Default: `false`. */
  plainHttp?: boolean;
  /** What goes before the name of an image that comes through its mirror. Default: empty, there is no mirror. */
  mirrorRepositoryPrefix?: pulumi.Input<string>;
}

/** The outputs of a registry that somebody else runs. */
export function managedOutputs(
  registry: ManagedRegistry,
): RegistryOutputs & Required<Pick<RegistryOutputs, "mirrorRepositoryPrefix">> {
  const { caCertificate = "", plainHttp = false } = registry;
  const host = pulumi.output(registry.host);
  const username = pulumi.output(registry.username);
  const password = pulumi.secret(registry.password);
  return {
    endpoint: registry.endpoint === undefined ? pulumi.interpolate`https://${host}` : pulumi.output(registry.endpoint),
    repositoryPrefix: pulumi.output(registry.repositoryPrefix ?? host),
    username,
    password,
    credentials: pulumi
      .all([username, password])
      .apply(([user, word]): Record<string, string> => (user === "" ? {} : { [user]: word })),
    caCertificate: pulumi.output(caCertificate),
    loginCommand: pulumi.output(registry.loginCommand),
    trustCommand: host.apply((name) => trustCommand(name, caCertificate, { plainHttp })),
    daemonConfig: host.apply((name) => daemonConfig({ insecureRegistry: plainHttp ? name : undefined })),
    version: pulumi.output(registry.version),
    mirrorRepositoryPrefix: pulumi.output(registry.mirrorRepositoryPrefix ?? ""),
  };
}
