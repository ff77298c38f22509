import { createPrivateKey, createPublicKey, X509Certificate } from "crypto";
import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import { standIn } from "../../offline/stand-ins/tls";
import { Values } from "../../offline/stand-ins/provider/types";
import { run } from "../support/run";

const context = { configuration: null, urn: "urn", signal: new AbortController().signal };
const day = 24 * 3600 * 1000;

/** A resource of the stand-in, its outputs in clear. */
async function created(type: string, inputs: Values): Promise<Record<string, string>> {
  const { id, outputs } = await find(type).create(inputs, context);
  const clear = Object.entries(outputs).map(([name, value]) => [name, (value as { value?: string }).value ?? value]);
  return { ...(Object.fromEntries(clear) as Record<string, string>), resourceId: id };
}

function find(type: string): (typeof standIn.resources)[number] {
  const found = standIn.resources.find((each) => each.type.endsWith(`:${type}`));
  if (found === undefined) {
    throw new Error(`no ${type}`);
  }
  return found;
}

const makeKey = (): Promise<Record<string, string>> => created("PrivateKey", { algorithm: "ECDSA", ecdsaCurve: "P256" });
const organization = "container-registry";

describe("certificates of the tls stand-in", () => {
  let folder: string;
  let caKey: Record<string, string>;
  let key: Record<string, string>;
  let ca: Record<string, string>;
  let request: Record<string, string>;
  let certificate: Record<string, string>;

  const file = (name: string, content = ""): string => {
    const full = path.join(folder, name);
    fs.writeFileSync(full, content, { mode: 0o600 });
    return full;
  };

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-tls-"));
    [caKey, key] = [await makeKey(), await makeKey()];
    ca = await created("SelfSignedCert", {
      privateKeyPem: caKey.privateKeyPem,
      subject: { commonName: "a CA 1", organization },
      isCaCertificate: true,
      allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
      validityPeriodHours: 3650 * 24,
      setSubjectKeyId: true,
    });
    request = await created("CertRequest", {
      privateKeyPem: key.privateKeyPem,
      subject: { commonName: "registry.example.com", organization },
      dnsNames: ["registry.example.com", "localhost"],
      ipAddresses: ["127.0.0.1", "::1"],
    });
    certificate = await created("LocallySignedCert", {
      caPrivateKeyPem: caKey.privateKeyPem,
      caCertPem: ca.certPem,
      certRequestPem: request.certRequestPem,
      allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
      validityPeriodHours: 365 * 24,
      earlyRenewalHours: 30 * 24,
      setSubjectKeyId: true,
    });
  });

  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  it("are what openssl accepts", async () => {
    const verify = ["verify", "-x509_strict", "-CAfile", file("ca.pem", ca.certPem)];
    const server = file("server.pem", certificate.certPem);
    expect(await run("openssl", [...verify, "-purpose", "sslserver", "-verify_hostname", "localhost", server])).toContain("OK");
    expect(await run("openssl", [...verify, "-verify_ip", "::1", server])).toContain("OK");
    await run("openssl", ["req", "-verify", "-noout", "-in", file("request.pem", request.certRequestPem)]);
  });

  it("say what was asked for", () => {
    const [server, authority] = [new X509Certificate(certificate.certPem ?? ""), new X509Certificate(ca.certPem ?? "")];
    expect(server.subject).toBe("O=container-registry\nCN=registry.example.com");
    expect(server.subjectAltName).toBe(
      "DNS:registry.example.com, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
    );
    expect([server.ca, authority.ca]).toEqual([false, true]);
    expect(server.checkIssued(authority)).toBe(true);
    expect(server.checkPrivateKey(createPrivateKey(key.privateKeyPem ?? ""))).toBe(true);
    expect(server.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect((Date.parse(server.validTo) - Date.parse(server.validFrom)) / day).toBe(365);
    expect(Math.abs(Date.parse(certificate.validityEndTime ?? "") - Date.parse(server.validTo))).toBeLessThan(1000);
    expect(BigInt(`0x${server.serialNumber}`).toString()).toBe(certificate.resourceId);
  });

  it("have the extensions of the official provider's, in its order and critical where its are", async () => {
    const text = (pem = ""): Promise<string> => run("openssl", ["x509", "-noout", "-text", "-in", file("one.pem", pem)]);
    const extensions = async (pem?: string): Promise<string[]> =>
      [...(await text(pem)).matchAll(/(X509v3 [^:\n]+): *(critical)?/g)]
        .slice(1)
        .map(([, name, critical]) => `${name} ${critical ?? ""}`.trim());
    expect(await extensions(certificate.certPem)).toEqual([
      "X509v3 Key Usage critical",
      "X509v3 Extended Key Usage",
      "X509v3 Basic Constraints critical",
      "X509v3 Subject Key Identifier",
      "X509v3 Authority Key Identifier",
      "X509v3 Subject Alternative Name",
    ]);
    expect(await extensions(ca.certPem)).toEqual([
      "X509v3 Key Usage critical",
      "X509v3 Basic Constraints critical",
      "X509v3 Subject Key Identifier",
    ]);
    expect(await text(ca.certPem)).toContain("Digital Signature, Certificate Sign, CRL Sign");
  });

  it("come with their key in every form, as OpenSSH reads them", async () => {
    const privateKey = file("id", key.privateKeyOpenssh);
    expect((await run("ssh-keygen", ["-y", "-f", privateKey])).trim()).toBe(key.publicKeyOpenssh?.trim());
    expect(await run("ssh-keygen", ["-l", "-f", privateKey])).toContain(key.publicKeyFingerprintSha256);
    expect(await run("ssh-keygen", ["-l", "-E", "md5", "-f", privateKey])).toContain(`MD5:${key.publicKeyFingerprintMd5}`);
    const publicKey = createPublicKey(key.publicKeyPem ?? "");
    expect(createPublicKey(key.privateKeyPem ?? "").equals(publicKey)).toBe(true);
    expect(createPublicKey(key.privateKeyPemPkcs8 ?? "").equals(publicKey)).toBe(true);
  });

  it("are not made of a request that somebody has changed", async () => {
    const der = Buffer.from((request.certRequestPem ?? "").replace(/-----.*-----/g, ""), "base64");
    const name = der.indexOf("registry.example.com");
    der.write("x", name);
    const changed = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
    await expect(
      created("LocallySignedCert", {
        ...{ caPrivateKeyPem: caKey.privateKeyPem, caCertPem: ca.certPem, certRequestPem: changed },
        ...{ allowedUses: ["server_auth"], validityPeriodHours: 1 },
      }),
    ).rejects.toThrow("not signed by its own key");
  });

  it("are renewed by age, and changed by what they say", async () => {
    const inputs = { caCertPem: "c", caPrivateKeyPem: "k", certRequestPem: "r", allowedUses: [], validityPeriodHours: 1 };
    const left = (days: number): Values => ({ ...inputs, validityEndTime: new Date(Date.now() + days * day).toISOString() });
    const changes = async (state: Values, wanted: Values): Promise<string[]> =>
      Object.entries((await find("LocallySignedCert").diff(inputs, state, { ...inputs, ...wanted }, context)).changes).map(
        ([name, { replaces }]) => `${name}${replaces ? " replaces" : ""}`,
      );
    expect(await changes(left(31), {})).toEqual([]);
    expect(await changes(left(31), { earlyRenewalHours: 30 * 24 })).toEqual(["earlyRenewalHours"]);
    expect(await changes(left(29), { earlyRenewalHours: 30 * 24 })).toEqual(["earlyRenewalHours", "readyForRenewal replaces"]);
    expect(await changes(left(-1), {})).toEqual(["readyForRenewal replaces"]);
    expect(await changes(left(31), { validityPeriodHours: 2 })).toEqual(["validityPeriodHours replaces"]);
  });
});
