import * as fs from "fs";
import { Workspace } from "./clients";
import { run } from "./run";

/** A certificate with its key, PEM. */
export interface KeyPair {
  certificate: string;
  privateKey: string;
}

/** Makes certificates with openssl, as a user with a company CA would. */
export class CertificateMaker {
  private readonly workspace = new Workspace();

  /** A key and its certificate, signed by `issuer`, or self-signed without one. */
  async make(commonName: string, extensions: readonly string[], issuer?: KeyPair): Promise<KeyPair> {
    const { folder } = this.workspace;
    const signer = issuer && [
      "-CA",
      this.workspace.write("issuer.crt", issuer.certificate),
      "-CAkey",
      this.workspace.write("issuer.key", issuer.privateKey),
    ];
    const config = this.workspace.write("empty.cnf", "[req]\ndistinguished_name = name\n[name]\n");
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", `${folder}/made.key`];
    const words = ["req", "-x509", "-config", config, "-subj", `/CN=${commonName}`, "-days", "30", ...key, ...(signer ?? [])];
    await run("openssl", [...words, ...extensions.flatMap((each) => ["-addext", each]), "-out", `${folder}/made.crt`]);
    const made = (kind: string): string => fs.readFileSync(`${folder}/made.${kind}`, "utf8");
    return { certificate: made("crt"), privateKey: made("key") };
  }

  authority(commonName: string, issuer?: KeyPair): Promise<KeyPair> {
    return this.make(commonName, ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"], issuer);
  }

  server(names: string, issuer?: KeyPair): Promise<KeyPair> {
    return this.make("server", [`subjectAltName=${names}`, "extendedKeyUsage=serverAuth"], issuer);
  }

  dispose(): void {
    this.workspace.dispose();
  }
}
