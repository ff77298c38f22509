import * as pulumi from "@pulumi/pulumi";
import { ExternalOptions } from "../args/managed";
import { certificatesIn } from "../checks/certificates";
import { daemonConfig, loginCommand, trustCommand } from "../render/clientCommands";
import { externalAddress, externalProblems } from "./externalAddress";
import { isLoopback } from "../checks/hosts";
import { checkArguments } from "../checks/inputs";

/** A registry that exists already. */
export interface ExternalRegistryArgs {
  /** Where it is and who logs in; `hostname` must be given. */
  external?: ExternalOptions;
  /** Accepts plain HTTP beyond loopback. Default: `false`. */
  allowInsecure?: boolean;
}

/** A registry that exists already, with the outputs that one of this package has. Nothing is made. */
export class ExternalRegistry extends pulumi.ComponentResource {
  /** URL of the registry. */
  public readonly endpoint: pulumi.Output<string>;
  /** What goes before an image name: `docker.io/my-team`. */
  public readonly repositoryPrefix: pulumi.Output<string>;
  /** Login name; empty without a login. */
  public readonly username: pulumi.Output<string>;
  /** Password or access token; empty without a login. Secret. */
  public readonly password: pulumi.Output<string>;
  /** The password by the user's name. Secret. */
  public readonly credentials: pulumi.Output<Record<string, string>>;
  /** Certificate to trust, PEM; empty when clients need none. */
  public readonly caCertificate: pulumi.Output<string>;
  /** Shell command that logs Docker in. It reads the password from the stack's output `password`. */
  public readonly loginCommand: pulumi.Output<string>;
  /** Shell command that makes a Docker engine trust the registry. */
  public readonly trustCommand: pulumi.Output<string>;
  /** JSON to merge into a client engine's daemon.json. */
  public readonly daemonConfig: pulumi.Output<string>;
  /** `external`: nobody asks the registry. */
  public readonly version: pulumi.Output<string>;

  constructor(name: string, args: ExternalRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, the password among them.
    super("container-registry:index:ExternalRegistry", name, {}, opts);
    const external = args.external ?? {};
    checkArguments("ExternalRegistry", args, () => externalProblems({ external, allowInsecure: args.allowInsecure ?? false }));
    const { registry, endpoint, repositoryPrefix } = externalAddress(external);
    const { username = "" } = external;
    // No text around the certificates: they stand in a shell command.
    const caCertificate = certificatesIn(external.caCertificate ?? "").join("\n");

    this.endpoint = pulumi.output(endpoint);
    this.repositoryPrefix = pulumi.output(repositoryPrefix);
    this.username = pulumi.output(username);
    this.password = pulumi.secret(external.password ?? "");
    this.credentials = this.password.apply((password): Record<string, string> =>
      username === "" ? {} : { [username]: password },
    );
    this.caCertificate = pulumi.output(caCertificate);
    this.loginCommand = pulumi.output(loginCommand(registry, username));
    this.trustCommand = pulumi.output(trustCommand(registry, caCertificate));
    const plainHttp = external.insecure === true && !isLoopback(external.hostname ?? "");
    this.daemonConfig = pulumi.output(daemonConfig({ insecureRegistry: plainHttp ? registry : undefined }));
    this.version = pulumi.output("external");
    this.registerOutputs({
      endpoint: this.endpoint,
      repositoryPrefix: this.repositoryPrefix,
      username: this.username,
      password: this.password,
      credentials: this.credentials,
      caCertificate: this.caCertificate,
      loginCommand: this.loginCommand,
      trustCommand: this.trustCommand,
      daemonConfig: this.daemonConfig,
      version: this.version,
    });
  }
}
