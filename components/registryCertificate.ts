import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { Tls, TlsMode } from "./args";
import { expiry, providedCertificateProblems, serverPem, trustAnchor } from "./lib/certificates";
import { tlsProblems } from "./lib/checks";
import { isIpAddress } from "./lib/hosts";
import { checkArguments, gated } from "./lib/inputs";

/** Ten years: clients trust the CA, so it outlives many server certificates. */
const caValidityDays = 3650;
const hoursPerDay = 24;

/** What a certificate is made for. */
export interface RegistryCertificateArgs {
  /** Name or IP address that clients connect to. */
  hostname: string;
  /** Further names and IP addresses the certificate covers. */
  alternativeNames?: string[];
  /** Where the certificate comes from. @default self-signed */
  tls?: Tls;
}

/** A server certificate: made here and signed by a CA of its own, the user's own, or none. */
export class RegistryCertificate extends pulumi.ComponentResource {
  /** Certificate, intermediates and key in one PEM text; empty without TLS. Secret. */
  public readonly serverPem: pulumi.Output<string>;
  /** What clients have to trust, PEM; empty without TLS and for a public CA. */
  public readonly caCertificate: pulumi.Output<string>;
  /** End of the server certificate, ISO 8601 in UTC; empty without TLS. */
  public readonly expiresAt: pulumi.Output<string>;

  constructor(name: string, args: RegistryCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, the private key among them.
    super("container-registry:index:RegistryCertificate", name, {}, opts);
    const settings = args.tls ?? {};
    checkArguments(args, () => tlsProblems(settings, args.hostname));

    switch (settings.mode ?? TlsMode.SelfSigned) {
      case TlsMode.SelfSigned: {
        const made = this.selfSigned(name, args, settings);
        this.serverPem = made.serverPem;
        this.caCertificate = made.caCertificate;
        break;
      }
      case TlsMode.Provided: {
        const provided = gated(
          {
            certificate: settings.certificate ?? "",
            privateKey: pulumi.secret(settings.privateKey ?? ""),
            chain: settings.chain ?? "",
          },
          (values) => providedCertificateProblems(values, args.hostname, new Date()),
        );
        this.serverPem = provided.apply(serverPem);
        this.caCertificate = pulumi.unsecret(provided.apply(trustAnchor));
        break;
      }
      case TlsMode.Off:
        this.serverPem = pulumi.secret("");
        this.caCertificate = pulumi.output("");
    }
    this.expiresAt = pulumi.unsecret(this.serverPem.apply((pem) => (pem === "" ? "" : expiry(pem))));
    this.registerOutputs({ serverPem: this.serverPem, caCertificate: this.caCertificate, expiresAt: this.expiresAt });
  }

  private selfSigned(
    name: string,
    args: RegistryCertificateArgs,
    settings: Tls,
  ): { serverPem: pulumi.Output<string>; caCertificate: pulumi.Output<string> } {
    const key = { algorithm: "ECDSA", ecdsaCurve: "P256" };
    const caKey = new tls.PrivateKey(`${name}-ca-key`, key, { parent: this });
    const ca = new tls.SelfSignedCert(
      `${name}-ca`,
      {
        privateKeyPem: caKey.privateKeyPem,
        isCaCertificate: true,
        subject: { commonName: `${name} CA`, organization: "container-registry" },
        allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
        validityPeriodHours: caValidityDays * hoursPerDay,
        setSubjectKeyId: true,
      },
      { parent: this },
    );

    const names = [...new Set([args.hostname, ...(args.alternativeNames ?? [])])];
    const serverKey = new tls.PrivateKey(`${name}-key`, key, {
      parent: this,
      replacementTrigger: settings.generation ?? 1,
    });
    const request = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: serverKey.privateKeyPem,
        // 64 characters is all that X.509 gives a common name (RFC 5280); clients read the alternative names.
        subject: { commonName: args.hostname.slice(0, 64), organization: "container-registry" },
        dnsNames: names.filter((each) => !isIpAddress(each)),
        ipAddresses: names.filter(isIpAddress),
      },
      { parent: this },
    );
    const certificate = new tls.LocallySignedCert(
      `${name}-certificate`,
      {
        caPrivateKeyPem: caKey.privateKeyPem,
        caCertPem: ca.certPem,
        certRequestPem: request.certRequestPem,
        allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
        validityPeriodHours: (settings.validityDays ?? 365) * hoursPerDay,
        earlyRenewalHours: (settings.renewBeforeDays ?? 30) * hoursPerDay,
        setSubjectKeyId: true,
      },
      { parent: this },
    );
    return {
      serverPem: pulumi.secret(pulumi.interpolate`${certificate.certPem}${serverKey.privateKeyPem}`),
      caCertificate: ca.certPem,
    };
  }
}
