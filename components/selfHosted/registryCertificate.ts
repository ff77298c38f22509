import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { Tls, TlsMode } from "../args/registry";
import { earlyProblems, expiry, providedCertificateProblems, serverPem, trustAnchor, validity } from "../checks/certificates";
import { tlsProblems } from "../checks/tls";
import { alternativeNamesProblems, hostnameProblems, isWildcard } from "../checks/address";
import { isIpAddress } from "../checks/hosts";
import { checkWhenKnown, readArguments, throwProblems } from "../checks/inputs";

/** Ten years: clients trust the CA, so it outlives many server certificates. */
const caValidityDays = 3650;
const hoursPerDay = 24;
const keyArgs = { algorithm: "ECDSA", ecdsaCurve: "P256" };
const caUses = ["cert_signing", "crl_signing", "digital_signature"];
const organization = "container-registry";

/** A certificate authority. */
interface Authority {
  key: tls.PrivateKey;
  subject: { commonName: string; organization: string };
  certPem: pulumi.Output<string>;
}

/** What a certificate is made for. */
export interface RegistryCertificateArgs {
  /** Name or IP address that clients connect to. */
  hostname: string;
  /** Further names and IP addresses the certificate covers. */
  alternativeNames?: string[];
  /** Where the certificate comes from. Default: self-signed. */
  tls?: Tls;
}

/** A server certificate: made here and signed by a CA of its own, the user's own, or none. */
export class RegistryCertificate extends pulumi.ComponentResource {
  /** Certificate, intermediates and key in one PEM text; empty without TLS. Secret. */
  public readonly serverPem: pulumi.Output<string>;
  /** What clients have to trust, PEM; empty without TLS and for a public CA. */
  public readonly caCertificate: pulumi.Output<string>;
  /** End of the server certificate or, if earlier, of its CA, ISO 8601 in UTC; empty without TLS. */
  public readonly expiresAt: pulumi.Output<string>;

  constructor(name: string, args: RegistryCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    // No inputs: they would stand in state, the private key among them.
    super("container-registry:index:RegistryCertificate", name, {}, opts);
    args = readArguments("RegistryCertificate", args);
    const settings = args.tls ?? {};
    throwProblems([
      ...(isWildcard(args.hostname) ? [] : hostnameProblems("hostname", args.hostname)),
      ...alternativeNamesProblems(args.alternativeNames ?? []),
      ...tlsProblems(settings, args.hostname),
    ]);
    /** The CA that the certificate is signed by and that the server does not send. */
    let authority = pulumi.output("");

    switch (settings.mode ?? TlsMode.SelfSigned) {
      case TlsMode.SelfSigned: {
        const made = this.createSelfSigned(name, args, settings);
        this.serverPem = made.serverPem;
        this.caCertificate = made.caCertificate;
        authority = made.authority;
        break;
      }
      case TlsMode.Provided: {
        const provided = checkWhenKnown(
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
    this.expiresAt = pulumi.unsecret(pulumi.interpolate`${this.serverPem}${authority}`.apply(expiry));
    this.registerOutputs({ serverPem: this.serverPem, caCertificate: this.caCertificate, expiresAt: this.expiresAt });
  }

  private createSelfSigned(
    name: string,
    args: RegistryCertificateArgs,
    settings: Tls,
  ): Record<"serverPem" | "caCertificate" | "authority", pulumi.Output<string>> {
    const generation = settings.caGeneration ?? 1;
    const ca = this.createAuthority(name, generation, {
      key: "tls.caGeneration",
      repair: `set it to ${generation + 1}, and have every client trust the new CA`,
    });
    const previous = settings.keepPreviousCa
      ? this.createAuthority(name, generation - 1, {
          key: "tls.keepPreviousCa",
          repair: "take it away, as no client takes that CA",
        })
      : undefined;
    const bridge = previous === undefined ? "" : this.createBridge(name, ca, previous);

    const names = [...new Set([args.hostname, ...(args.alternativeNames ?? [])])];
    const serverKey = new tls.PrivateKey(`${name}-key`, keyArgs, {
      parent: this,
      replacementTrigger: settings.generation ?? 1,
    });
    const request = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: serverKey.privateKeyPem,
        // 64 characters is all that X.509 gives a common name (RFC 5280); clients read the alternative names.
        subject: { commonName: args.hostname.slice(0, 64), organization },
        dnsNames: names.filter((each) => !isIpAddress(each)),
        ipAddresses: names.filter(isIpAddress),
      },
      { parent: this },
    );
    const { validityDays, renewBeforeDays } = validity(settings);
    const certificate = new tls.LocallySignedCert(
      `${name}-certificate`,
      {
        caPrivateKeyPem: ca.key.privateKeyPem,
        caCertPem: ca.certPem,
        certRequestPem: request.certRequestPem,
        allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
        validityPeriodHours: validityDays * hoursPerDay,
        earlyRenewalHours: renewBeforeDays * hoursPerDay,
        setSubjectKeyId: true,
      },
      { parent: this },
    );
    const certPem = whenBegun(
      certificate,
      "tls.generation",
      "the server certificate",
      `set it to ${(settings.generation ?? 1) + 1}`,
    );
    return {
      serverPem: pulumi.secret(pulumi.interpolate`${certPem}${bridge}${serverKey.privateKeyPem}`),
      caCertificate: pulumi.interpolate`${ca.certPem}${previous?.certPem ?? ""}`,
      authority: ca.certPem,
    };
  }

  /** The generation is part of the names: the previous CA stays in state as long as it is asked for. */
  private createAuthority(name: string, generation: number, { key: early, repair }: Record<"key" | "repair", string>): Authority {
    const key = new tls.PrivateKey(`${name}-ca-key-${generation}`, keyArgs, { parent: this });
    const subject = { commonName: `${name} CA ${generation}`, organization };
    const certificate = new tls.SelfSignedCert(
      `${name}-ca-${generation}`,
      {
        privateKeyPem: key.privateKeyPem,
        isCaCertificate: true,
        subject,
        allowedUses: caUses,
        validityPeriodHours: caValidityDays * hoursPerDay,
        setSubjectKeyId: true,
      },
      { parent: this },
    );
    return { key, subject, certPem: whenBegun(certificate, early, `CA ${generation}`, repair) };
  }

  /** The new CA's key, certified by the previous CA: clients that know only that one find a way from the server certificate to it. */
  private createBridge(name: string, ca: Authority, previous: Authority): pulumi.Output<string> {
    const request = new tls.CertRequest(
      `${name}-ca-bridge-request`,
      { privateKeyPem: ca.key.privateKeyPem, subject: ca.subject },
      { parent: this },
    );
    const bridge = new tls.LocallySignedCert(
      `${name}-ca-bridge`,
      {
        caPrivateKeyPem: previous.key.privateKeyPem,
        caCertPem: previous.certPem,
        certRequestPem: request.certRequestPem,
        isCaCertificate: true,
        allowedUses: caUses,
        validityPeriodHours: caValidityDays * hoursPerDay,
        setSubjectKeyId: true,
      },
      { parent: this },
    );
    return whenBegun(
      bridge,
      "tls.keepPreviousCa",
      "the new CA, as the CA before has signed it,",
      "take it away, and after an up set it again",
    );
  }
}

/** A certificate, once it is known to be valid already by this machine's clock: one from the state need not be. */
function whenBegun(
  { certPem }: tls.SelfSignedCert | tls.LocallySignedCert,
  key: string,
  what: string,
  repair: string,
): pulumi.Output<string> {
  return checkWhenKnown(certPem, (pem) => earlyProblems(key, what, pem, repair, new Date()));
}
