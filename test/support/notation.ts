import { GoTool } from "./clients";
import { RunOptions } from "./run";
import { RegistryOutputs } from "./testStack";

/** A signer that keeps a list of an image's signatures in a tag. */
export class Notation extends GoTool {
  private readonly registry: string;

  /** Notation uses no TLS with the name localhost. */
  constructor(outputs: RegistryOutputs) {
    const registry = outputs.repositoryPrefix.replace(/^localhost:/, "127.0.0.1:");
    super("notation", { ...outputs, repositoryPrefix: registry });
    this.registry = registry;
  }

  reference(name: string): string {
    return `${this.registry}/${name}`;
  }

  /** Makes a key to sign with, and trusts it. */
  async trustOwnKey(): Promise<void> {
    await this.run("cert", "generate-test", "--default", "test.example.com");
    const policy = {
      name: "own",
      registryScopes: ["*"],
      signatureVerification: { level: "strict" },
      trustStores: ["ca:test.example.com"],
      trustedIdentities: ["*"],
    };
    const file = this.workspace.write("policy.json", JSON.stringify({ version: "1.0", trustPolicies: [policy] }));
    await this.run("policy", "import", file);
  }

  protected override options(): RunOptions {
    return { env: { ...super.options().env, XDG_CONFIG_HOME: this.workspace.folder } };
  }
}
