import * as pulumi from "@pulumi/pulumi";
import { ExternalOptions } from "../args/managed";
import { certificatesIn } from "../checks/certificates";
import { loginCommand } from "../render/clientCommands";
import { externalAddress, externalProblems } from "./externalAddress";
import { isLoopback } from "../checks/hosts";
import { readArguments, throwProblems } from "../checks/inputs";
import { managedOutputs } from "./outputs";

/** A registry that exists already. */
export interface ExternalRegistryArgs {
  /** Where it is and who logs in; `hostname` is required. */
  external?: ExternalOptions;
  /** Accepts plain HTTP beyond loopback. Default: `false`. */
  allowInsecure?: boolean;
}

/** A registry that exists already, with the same outputs as one of this package. Nothing is created. */
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
  /** `external`: the registry is not asked for its version. */
  public readonly version: pulumi.Output<string>;

  constructor(name: string, args: ExternalRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, the password among them.
    super("container-registry:index:ExternalRegistry", name, {}, opts);
    args = readArguments("ExternalRegistry", args);
    const external = args.external ?? {};
    throwProblems(externalProblems({ external, allowInsecure: args.allowInsecure ?? false }));
    const { registry, endpoint, repositoryPrefix } = externalAddress(external);
    const { username = "" } = external;
    // Without the text around the certificates: they become part of a shell command.
    const caCertificate = certificatesIn(external.caCertificate ?? "").join("\n");

    const outputs = managedOutputs({
      host: registry,
      endpoint,
      repositoryPrefix,
      username,
      password: external.password ?? "",
      loginCommand: loginCommand(registry, username),
      version: "external",
      caCertificate,
      plainHttp: external.insecure === true && !isLoopback(external.hostname ?? ""),
    });
    this.endpoint = outputs.endpoint;
    this.repositoryPrefix = outputs.repositoryPrefix;
    this.username = outputs.username;
    this.password = outputs.password;
    this.credentials = outputs.credentials;
    this.caCertificate = outputs.caCertificate;
    this.loginCommand = outputs.loginCommand;
    this.trustCommand = outputs.trustCommand;
    this.daemonConfig = outputs.daemonConfig;
    this.version = outputs.version;
    this.registerOutputs(outputs);
  }
}
