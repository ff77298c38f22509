import { execFileSync } from "child_process";
import { createPublicKey, X509Certificate } from "crypto";
import * as fs from "fs";
import * as os from "os";
import * as path from "path";
import * as pulumi from "@pulumi/pulumi";
import {
  certificatesIn,
  earlyProblems,
  expiry,
  forGo,
  ProvidedCertificate,
  providedCertificateProblems,
  serverPem,
  serverPemProblems,
  trustAnchor,
} from "../../components/checks/certificates";
import * as inputs from "../../components/checks/inputs";
import { Problem } from "../../components/checks/problems";
import { RegistryCertificate } from "../../components/selfHosted/registryCertificate";
import { mocked, valueOf } from "../support/mocks";
import { makeCertificate, makePki } from "../support/pki";

const pki = makePki(["registry.example.com", "*.wild.example.com", "192.0.2.7", "2001:db8::7"]);
const good: ProvidedCertificate = {
  certificate: pki.server.certificate,
  privateKey: pki.server.privateKey,
  chain: pki.intermediate.certificate + pki.root.certificate,
};

/** A certificate of openssl with a key of any kind, as `-newkey` says it. */
function selfSigned(newKey: readonly string[]): ProvidedCertificate {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "container-registry-key-"));
  try {
    const [key, certificate] = [path.join(folder, "key.pem"), path.join(folder, "certificate.pem")];
    const names = ["-subj", "/CN=s", "-addext", "subjectAltName=DNS:registry.example.com", "-days", "2"];
    const words = ["req", "-x509", "-nodes", ...names, "-keyout", key, "-out", certificate, "-newkey", ...newKey];
    execFileSync("openssl", words, { stdio: "ignore" });
    return { certificate: fs.readFileSync(certificate, "utf8"), privateKey: fs.readFileSync(key, "utf8"), chain: "" };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function problemsOf(changes: Partial<ProvidedCertificate>, hostname = "registry.example.com", now = new Date()): string[] {
  return providedCertificateProblems({ ...good, ...changes }, hostname, now).map(({ key, message }) => `${key}: ${message}`);
}

describe("a provided certificate", () => {
  it.each(["registry.example.com", "REGISTRY.example.com", "one.wild.example.com", "192.0.2.7", "2001:db8::7", "2001:db8:0::7"])(
    "covers %s",
    (hostname) => {
      expect(problemsOf({}, hostname)).toEqual([]);
    },
  );

  it.each([
    "example.com",
    "a.registry.example.com",
    "two.levels.wild.example.com",
    "192.0.2.8",
    "2001:db8::8",
    "server",
    "localhost",
  ])("does not cover %s", (hostname) => {
    expect(problemsOf({}, hostname)).toEqual([
      `tls.certificate: does not cover hostname "${hostname}"; it is for DNS:registry.example.com, DNS:*.wild.example.com, ` +
        "IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7",
    ]);
  });

  it("may come alone, with its chain in either text, and with texts around the PEM", () => {
    const { certificate, chain } = good;
    expect(problemsOf({ chain: "" })).toEqual([]);
    expect(problemsOf({ chain: " \n" })).toEqual([]);
    expect(problemsOf({ certificate: certificate + chain, chain: "" })).toEqual([]);
    expect(problemsOf({ certificate: certificate + pki.intermediate.certificate, chain: pki.root.certificate })).toEqual([]);
    expect(problemsOf({ certificate: `Bag Attributes\r\n${certificate.replace(/\n/g, "\r\n")}more` })).toEqual([]);
  });

  it("may have its chain, or a part of it, in both texts, of which the server gets one", () => {
    const { server, intermediate, root } = pki;
    const full = server.certificate + intermediate.certificate;
    for (const [certificate, chain] of [
      [full, intermediate.certificate],
      [full, intermediate.certificate.replaceAll("\n", "\r\n")],
      [full, full],
    ] as const) {
      expect(problemsOf({ certificate, chain })).toEqual([]);
      expect(serverPem({ ...good, certificate, chain })).toBe(full + good.privateKey);
    }
    const withRoot = { certificate: full + root.certificate, chain: good.chain + intermediate.certificate };
    expect(problemsOf(withRoot)).toEqual([]);
    expect(trustAnchor(withRoot)).toBe(root.certificate);
  });

  it("may have a key in any form without a passphrase", () => {
    const sec1 = pki.server.key.export({ type: "sec1", format: "pem" }).toString();
    expect(problemsOf({ privateKey: sec1 })).toEqual([]);
    expect(problemsOf({ privateKey: good.certificate + sec1 })).toEqual([]);
  });

  it("is good from its first second to its last", () => {
    const from = new Date("2030-01-01T00:00:00Z");
    const to = new Date("2030-02-01T00:00:00Z");
    const alone = { ...makeCertificate({ subject: "s", names: ["registry.example.com"], from, to }), chain: "" };
    const at = (time: string): string[] => problemsOf(alone, undefined, new Date(time));
    expect(at("2030-01-01T00:00:00Z")).toEqual([]);
    expect(at("2030-02-01T00:00:00Z")).toEqual([]);
    expect(at("2029-12-31T23:59:59Z")).toEqual([
      'tls.certificate: "CN=s" is not valid before 2030-01-01T00:00:00.000Z; give one that is valid now',
    ]);
    expect(at("2030-02-01T00:00:01Z")).toEqual([
      'tls.certificate: "CN=s" expired on 2030-02-01T00:00:00.000Z; give one that is valid',
    ]);
  });

  const keyProblem = "tls.privateKey: not a PEM private key without a passphrase; decrypt it first, e.g. with `openssl pkey`";
  it.each<[string, Partial<ProvidedCertificate>, string]>([
    ["a key under a passphrase", { privateKey: pki.encryptedKey }, keyProblem],
    ["a certificate for a key", { privateKey: pki.server.certificate }, keyProblem],
    ["an empty key", { privateKey: "" }, keyProblem],
    [
      "another's key",
      { privateKey: pki.other.privateKey },
      "tls.privateKey: does not belong to tls.certificate; give the key the certificate was made for",
    ],
    [
      "no PEM",
      { certificate: "MIIB" },
      "tls.certificate: not a PEM certificate; give the server's certificate, `-----BEGIN CERTIFICATE-----` first",
    ],
    [
      "a cut certificate",
      { certificate: pki.server.certificate.replace(/\n.*\n.*\n/, "\n") },
      "tls.certificate: not a PEM certificate; give the server's certificate, `-----BEGIN CERTIFICATE-----` first",
    ],
    [
      "no PEM for a chain",
      { chain: "chain.pem" },
      "tls.chain: not PEM; give the intermediate certificates, nearest to the server's first, or leave it out",
    ],
    [
      "a chain upside down",
      { chain: pki.root.certificate + pki.intermediate.certificate },
      'tls.chain: has "CN=Test Root", which did not sign it, after "CN=server"; its issuer "CN=Test Intermediate" must come next',
    ],
    [
      "an issuer of the right name and another key",
      { chain: pki.impostor.certificate },
      'tls.chain: has "CN=Test Intermediate", which did not sign it, after "CN=server"; its issuer "CN=Test Intermediate" must come next',
    ],
    [
      "a certificate bundle without the intermediate",
      { certificate: pki.server.certificate + pki.root.certificate },
      'tls.certificate: has "CN=Test Root", which did not sign it, after "CN=server"; its issuer "CN=Test Intermediate" must come next',
    ],
    [
      "a cut certificate in the chain",
      { chain: pki.intermediate.certificate.replace(/\n.*\n.*\n/, "\n") },
      'tls.chain: has a certificate that can\'t be read after "CN=server"; its issuer "CN=Test Intermediate" must come next',
    ],
  ])("is refused with %s", (_, changes, problem) => {
    expect(problemsOf(changes)).toEqual([problem]);
  });

  it("is refused when its intermediate has expired", () => {
    const from = new Date("2020-01-01T00:00:00Z");
    const issuer = makeCertificate({ subject: "Old", authority: true, from, to: new Date("2020-02-01T00:00:00Z") });
    const server = makeCertificate({ subject: "server", names: ["registry.example.com"], issuer });
    expect(problemsOf({ ...server, chain: issuer.certificate })).toEqual([
      'tls.chain: "CN=Old" expired on 2020-02-01T00:00:00.000Z; give one that is valid',
    ]);
  });

  describe("that Go's clients refuse", () => {
    const names = ["registry.example.com"];
    const { root } = pki;

    it("is one for clients only, or below such an authority", () => {
      const forClients = makeCertificate({ subject: "client", names, issuer: root, usage: 2 });
      const message = "is not for servers by its extended key usage; give one with serverAuth";
      expect(problemsOf({ ...forClients, chain: root.certificate })).toEqual([`tls.certificate: "CN=client" ${message}`]);
      const issuer = makeCertificate({ subject: "Client CA", authority: true, issuer: root, usage: 2 });
      const server = makeCertificate({ subject: "server", names, issuer, usage: 1 });
      expect(problemsOf({ ...server, chain: issuer.certificate })).toEqual([`tls.chain: "CN=Client CA" ${message}`]);
    });

    it("is one whose wildcard is a part of a label", () => {
      const partly = makeCertificate({ subject: "s", names: ["reg*.example.com"], issuer: root });
      expect(problemsOf({ ...partly, chain: root.certificate })).toEqual([
        'tls.certificate: does not cover hostname "registry.example.com"; it is for DNS:reg*.example.com',
      ]);
    });

    it("is one signed with SHA-1, but for a root", () => {
      const message = "is signed with SHA-1 or MD5, which clients refuse; give one signed with SHA-256 or better";
      const server = makeCertificate({ subject: "server", names, issuer: root, digest: "sha1" });
      expect(problemsOf({ ...server, chain: root.certificate })).toEqual([`tls.certificate: "CN=server" ${message}`]);
      const oldRoot = makeCertificate({ subject: "Old Root", authority: true, digest: "sha1" });
      const below = makeCertificate({ subject: "server", names, issuer: oldRoot });
      expect(problemsOf({ ...below, chain: oldRoot.certificate })).toEqual([]);
    });

    it("is one signed by what is no authority", () => {
      const issuer = makeCertificate({ subject: "No CA", issuer: root });
      const server = makeCertificate({ subject: "server", names, issuer });
      expect(problemsOf({ ...server, chain: issuer.certificate + root.certificate })).toEqual([
        'tls.chain: "CN=No CA" is not a CA (basicConstraints CA:TRUE) and can\'t sign "CN=server"',
      ]);
    });

    it("is one with more intermediates than an authority allows", () => {
      const upper = makeCertificate({ subject: "Upper", authority: true, issuer: root, pathLength: 0 });
      const lower = makeCertificate({ subject: "Lower", authority: true, issuer: upper, pathLength: 0 });
      const server = makeCertificate({ subject: "server", names, issuer: lower });
      expect(problemsOf({ ...server, chain: lower.certificate + upper.certificate + root.certificate })).toEqual([
        'tls.chain: "CN=Upper" allows 0 intermediates below it (pathlen), and there are 1; have the lowest signed by a CA that may',
      ]);
      const direct = makeCertificate({ subject: "server", names, issuer: upper });
      expect(problemsOf({ ...direct, chain: upper.certificate + root.certificate })).toEqual([]);
    });

    it("is one signed by what may not sign certificates by its key usage", () => {
      const issuer = makeCertificate({ subject: "Usage", authority: true, issuer: root, keyUsage: 0x80 });
      const server = makeCertificate({ subject: "server", names, issuer });
      expect(problemsOf({ ...server, chain: issuer.certificate + root.certificate })).toEqual([
        'tls.chain: "CN=Usage" may not sign certificates by its key usage, and signed "CN=server"; give one with keyCertSign',
      ]);
      const may = makeCertificate({ subject: "May", authority: true, issuer: root, keyUsage: 0x84 });
      const below = makeCertificate({ subject: "server", names, issuer: may, keyUsage: 0x80 });
      expect(problemsOf({ ...below, chain: may.certificate + root.certificate })).toEqual([]);
    });

    it("is one of an issuer whose name is another", () => {
      const renamed = makeCertificate({
        subject: "New Name",
        authority: true,
        issuer: root,
        publicKey: createPublicKey(pki.intermediate.key),
      });
      expect(problemsOf({ chain: renamed.certificate })).toEqual([
        'tls.chain: has "CN=New Name", which has the key but another name or key identifier, after "CN=server"; its issuer "CN=Test Intermediate" must come next',
      ]);
    });

    const refused = (subject: string, ids: string): string =>
      `"CN=${subject}" has critical extensions that clients refuse (${ids}); give one without them, or where they are not critical`;
    it.each([
      ["no client knows", "2a030405", "1.2.3.4.5"],
      ["has large numbers", "2b06010401823714", "1.3.6.1.4.1.311.20"],
      ["may not be critical", "2b06010505070101", "1.3.6.1.5.5.7.1.1"],
    ])("is one with a critical extension that %s, of its own or of an authority", (_, critical, id) => {
      const server = makeCertificate({ subject: "server", names, issuer: root, critical });
      expect(problemsOf({ ...server, chain: root.certificate })).toEqual([`tls.certificate: ${refused("server", id)}`]);
      const oddRoot = makeCertificate({ subject: "Odd", authority: true, critical });
      const below = makeCertificate({ subject: "server", names, issuer: oddRoot });
      expect(problemsOf({ ...below, chain: oddRoot.certificate })).toEqual([`tls.chain: ${refused("Odd", id)}`]);
    });

    describe("below an authority for other names", () => {
      it.each<[string, string[], { permitted?: string[]; excluded?: string[] }, string | undefined]>([
        ["what it is for", ["a.example.com"], { permitted: ["example.com"] }, undefined],
        ["its very name", ["Registry.example.com"], { permitted: ["registry.EXAMPLE.com"] }, undefined],
        ["another name", ["registry.example.com"], { permitted: ["other.org"] }, "registry.example.com"],
        ["an end alike", ["registry.example.com"], { permitted: ["try.example.com"] }, "registry.example.com"],
        ["one besides", ["registry.example.com", "a.other.org"], { permitted: ["example.com"] }, "a.other.org"],
        ["a part taken out", ["registry.example.com"], { permitted: ["com"], excluded: ["example.com"] }, "registry.example.com"],
        ["another part taken out", ["registry.example.com"], { excluded: ["other.org"] }, undefined],
        ["only what is below", ["registry.example.com"], { permitted: [".registry.example.com"] }, "registry.example.com"],
        ["what is below", ["registry.example.com"], { permitted: [".example.com"] }, undefined],
        ["all DNS names taken out", ["registry.example.com"], { excluded: [""] }, "registry.example.com"],
        ["a wildcard", ["*.example.com"], { permitted: ["example.com"] }, undefined],
        ["a wildcard beside", ["*.example.com"], { permitted: ["registry.example.com"] }, "*.example.com"],
        ["a wildcard for what is taken out", ["*.example.com"], { excluded: ["a.example.com"] }, "*.example.com"],
        ["a wildcard for none of it", ["*.example.com"], { excluded: ["b.a.example.com"] }, undefined],
        ["an address of its network", ["192.0.2.7"], { permitted: ["192.0.2.0/255.255.255.0"] }, undefined],
        ["another address", ["192.0.3.7"], { permitted: ["192.0.2.0/255.255.255.0"] }, "192.0.3.7"],
        ["an address taken out", ["192.0.2.7"], { excluded: ["192.0.2.0/255.255.255.0"] }, "192.0.2.7"],
        ["an IPv6 address", ["2001:db8::7"], { permitted: ["192.0.2.0/255.255.255.0"] }, "2001:db8:0:0:0:0:0:7"],
        ["an IPv6 address of its network", ["2001:db8::7"], { permitted: ["2001:db8::/ffff:ffff::"] }, undefined],
        ["an address, by DNS names", ["192.0.2.7"], { permitted: ["example.com"] }, undefined],
      ])("is one for %s", (_, own, constraints, forbidden) => {
        const hostname = own[0]?.replace("*", "registry");
        const message =
          `"CN=Constrained" may not vouch for ${forbidden}, a name of tls.certificate, by its name constraints; ` +
          "give one for other names, or signed by a CA that may";
        const expected = forbidden === undefined ? [] : [`tls.chain: ${message}`];
        const top = makeCertificate({ subject: "Constrained", authority: true, ...constraints });
        const middle = makeCertificate({ subject: "Middle", authority: true, issuer: top });
        const server = makeCertificate({ subject: "server", names: own, issuer: middle });
        expect(problemsOf({ ...server, chain: middle.certificate + top.certificate }, hostname)).toEqual(expected);
        const constrained = makeCertificate({ subject: "Constrained", authority: true, issuer: root, ...constraints });
        const direct = makeCertificate({ subject: "server", names: own, issuer: constrained });
        expect(problemsOf({ ...direct, chain: constrained.certificate + root.certificate }, hostname)).toEqual(expected);
      });

      it("is one below constraints that Go knows nothing of", () => {
        const issuer = makeCertificate({ subject: "Directory", authority: true, permitted: ["CN=x"] });
        const server = makeCertificate({ subject: "server", names, issuer });
        expect(problemsOf({ ...server, chain: issuer.certificate })).toEqual([`tls.chain: ${refused("Directory", "2.5.29.30")}`]);
      });
    });

    it("is none with an extension for others, which need not be as those of the standard are", () => {
      const bytes = ["-addext", "1.2.3.4=DER:ff:ff:ff"];
      expect(problemsOf(selfSigned(["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", ...bytes]))).toEqual([]);
    });

    it("is one with a negative serial number", () => {
      const pair = selfSigned(["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-set_serial", "-5"]);
      expect(problemsOf(pair)).toEqual([
        'tls.certificate: "CN=s" has a negative serial number, which clients refuse; give one with another',
      ]);
    });

    const kinds = "clients can use RSA, P-256, P-384, P-521 and Ed25519";
    it.each([
      ["a short RSA key", ["rsa:768"], "an RSA key of 768 bits, which clients refuse; give one of 2048 to 8192"],
      ["a key of Bitcoin's curve", ["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], `a key of the kind secp256k1; ${kinds}`],
      [
        "a key of Brainpool's",
        ["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"],
        `a key of the kind brainpoolP256r1; ${kinds}`,
      ],
      ["a key of P-224", ["ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"], `a key of the kind secp224r1; ${kinds}`],
      ["a key of Ed448", ["ed448"], `a key of the kind ed448; ${kinds}`],
      ["an RSA key for PSS alone", ["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], `a key of the kind rsa-pss; ${kinds}`],
      [
        "a key whose curve has no name",
        ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-pkeyopt", "ec_param_enc:explicit"],
        "a key with the parameters of its curve in place of a name, which clients refuse; give one with a named curve",
      ],
      ["a key of P-521", ["ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"], undefined],
      ["a key of Ed25519", ["ed25519"], undefined],
    ])("is one with %s", (_, newKey, problem) => {
      expect(problemsOf(selfSigned(newKey))).toEqual(problem === undefined ? [] : [`tls.certificate: "CN=s" has ${problem}`]);
    });

    it("is one whose curve has a name in the certificate and none in the key", () => {
      const pair = selfSigned(["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
      const privateKey = execFileSync("openssl", ["ec", "-param_enc", "explicit"], {
        input: pair.privateKey,
        stdio: "pipe",
      }).toString();
      expect(problemsOf({ ...pair, privateKey })).toEqual([
        "tls.privateKey: has the parameters of its curve in place of a name; write it anew, e.g. with `openssl ec -param_enc named_curve`",
      ]);
    });

    it("is one with an RSA key that clients take for an attack", () => {
      // No need for a key that is one: only its length is looked at.
      const n = Buffer.alloc(1025, 0xff).toString("base64url");
      const publicKey = createPublicKey({ key: { kty: "RSA", n, e: "AQAB" }, format: "jwk" });
      const { certificate } = makeCertificate({ subject: "s", names, issuer: pki.intermediate, publicKey });
      expect(problemsOf({ certificate })).toContain(
        'tls.certificate: "CN=s" has an RSA key of 8200 bits, which clients refuse; give one of 2048 to 8192',
      );
    });
  });

  it("has all its problems listed at once", () => {
    const { certificate } = makeCertificate({ subject: "s", names: [], to: new Date(Date.now() - 1000) });
    expect(problemsOf({ certificate, chain: "?", privateKey: "?" }).map((problem) => problem.slice(0, 30))).toEqual([
      "tls.privateKey: not a PEM priv",
      "tls.certificate: does not cove",
      'tls.certificate: "CN=s" expire',
      "tls.chain: not PEM; give the i",
    ]);
  });
});

it("reaches the server without the texts that tools write around it", () => {
  const { certificate, privateKey, chain } = good;
  const sec1 = pki.server.key.export({ type: "sec1", format: "pem" }).toString();
  expect(serverPem(good)).toBe(certificate + chain + privateKey);
  expect(serverPem({ certificate: certificate.trim(), chain: "", privateKey: `\n${privateKey.trim()}` })).toBe(
    certificate + privateKey,
  );
  expect(
    serverPem({
      certificate: `Bag Attributes\n${certificate}more`,
      chain: ` ${chain}\n\n`,
      privateKey: `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${sec1}${certificate}`,
    }),
  ).toBe(certificate + chain + sec1);
});

it("reaches server and clients as Go takes it, and else as it is", () => {
  const { certificate, privateKey, chain } = good;
  const key = pki.server.key.export({ type: "pkcs8", format: "pem" }).toString();
  const withLineEnds = (end: string): ProvidedCertificate => ({
    certificate: certificate.replaceAll("\n", end),
    privateKey: privateKey.replaceAll("\n", end),
    chain: chain.replaceAll("\n", end),
  });
  for (const odd of ["\r\r\n", "\v\n", "\u00a0\n"]) {
    expect(problemsOf(withLineEnds(odd))).toEqual([]);
    expect(serverPem(withLineEnds(odd))).toBe(certificate + chain + key);
    expect(trustAnchor(withLineEnds(odd))).toBe(pki.root.certificate);
  }
  for (const fine of ["\r\n", " \n", "\t\r\n"]) {
    const [first = ""] = serverPem(withLineEnds(fine)).split(/(?<=END CERTIFICATE-----)/);
    expect(first).toBe(certificate.trim().replaceAll("\n", fine));
  }
});

it("reaches the server as a CA to trust as Go takes it, and else to the letter, as its file is named by it", () => {
  const [one, other] = [pki.root.certificate, pki.other.certificate];
  for (const fine of ["", one, one + other, `a\n${one}b\r\n${other.trim()}`, (one + other).replaceAll("\n", "\r\n")]) {
    expect(forGo(fine)).toBe(fine);
  }
  for (const odd of [(one + other).replaceAll("\n", "\r\r\n"), one.trim() + other, ` ${one}${other}`, `${one}${other.trim()};`]) {
    expect(forGo(odd)).toBe(one + other);
  }
});

describe("what the server is to read", () => {
  const { certificate, privateKey } = pki.server;

  it("is a certificate and a key, whatever is between", () => {
    expect(serverPemProblems(certificate + pki.intermediate.certificate + privateKey)).toEqual([]);
  });

  it.each([
    ["nothing", ""],
    ["no PEM", "garbage"],
    ["no key", certificate],
    ["no certificate", privateKey],
    ["a certificate that can't be read", `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${privateKey}`],
  ])("is not %s", (_, pem) => {
    expect(serverPemProblems(pem).map(({ key }) => key)).toEqual(["serverPem"]);
  });
});

describe("the names of a certificate", () => {
  const error = (hostname: string, alternativeNames: string[] = []): string => {
    try {
      new RegistryCertificate("tls", { hostname, alternativeNames, tls: { mode: "off" } });
      return "";
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };

  it.each([["registry.example.com"], ["*.example.com"], ["192.0.2.1"], ["::1"]])("may be %s", async (hostname) => {
    const { result } = await mocked(() => error(hostname, [hostname, "*.example.com"]));
    expect(result).toBe("");
  });

  it.each([[""], ["https://foo:5000"], ["a b"], ["-x"], ["0.0.0.0"], ["*."], ["*.0.0.0.0"]])(
    "may not be %j",
    async (hostname) => {
      const { result } = await mocked(() => error(hostname));
      expect(result).toContain(`  - hostname: ${JSON.stringify(hostname)} is not allowed`);
    },
  );

  it.each([["a b"], ["-x"], [""], ["*"], ["a.*.example.com"]])("may not be %j besides", async (name) => {
    const { result } = await mocked(() => error("localhost", ["fine", name]));
    expect(result).toContain(`  - alternativeNames[1]: ${JSON.stringify(name)} is not allowed`);
  });
});

describe("the trust anchor", () => {
  const pem = (...parts: { certificate: string }[]): string => parts.map(({ certificate }) => certificate).join("");

  it("is the root at the end, wherever it stands", () => {
    const root = new X509Certificate(pki.root.certificate).fingerprint256;
    for (const [certificate, chain] of [
      [pem(pki.server), pem(pki.intermediate, pki.root)],
      [pem(pki.server, pki.intermediate, pki.root), ""],
      [pem(pki.root), ""],
    ] as const) {
      expect(new X509Certificate(trustAnchor({ certificate, chain })).fingerprint256).toBe(root);
    }
  });

  it("is none when the root is left out: clients know it", () => {
    expect(trustAnchor({ certificate: pem(pki.server), chain: pem(pki.intermediate) })).toBe("");
    expect(trustAnchor({ certificate: pem(pki.server), chain: "" })).toBe("");
    expect(trustAnchor({ certificate: "", chain: "" })).toBe("");
  });
});

it("finds every certificate of a text", () => {
  expect(certificatesIn(good.certificate + good.privateKey + good.chain)).toHaveLength(3);
  expect(certificatesIn(good.privateKey)).toEqual([]);
});

it("tells when the first of the certificates ends, wherever it stands", () => {
  const ending = (to: string): string => makeCertificate({ subject: "s", to: new Date(to) }).certificate;
  const [first, later] = [ending("2031-05-06T07:08:09Z"), ending("2032-05-06T07:08:09Z")];
  for (const pem of [first, first + later, later + good.privateKey + first]) {
    expect(expiry(pem)).toBe("2031-05-06T07:08:09.000Z");
  }
  expect(expiry("")).toBe("");
});

it("tells when the CA ends where its certificate would outlive it, and not when the CA before does", async () => {
  const ending = (day: string) => () => ({ certPem: makeCertificate({ subject: "s", to: new Date(day) }).certificate });
  const end = async (authority: string): Promise<string> => {
    const { result } = await mocked(
      () => new RegistryCertificate("tls", { hostname: "a.example.com", tls: { caGeneration: 2, keepPreviousCa: true } }),
      {
        resources: {
          "tls:index/selfSignedCert:SelfSignedCert": (name) => ending(name.endsWith("-2") ? authority : "2030-01-01")(),
          "tls:index/locallySignedCert:LocallySignedCert": ending("2032-01-01"),
        },
      },
    );
    return (await valueOf(result.expiresAt)).value;
  };
  expect(await end("2031-01-01")).toBe("2031-01-01T00:00:00.000Z");
  expect(await end("2033-01-01")).toBe("2032-01-01T00:00:00.000Z");
});

it("tells of a generated certificate that has not begun, and not of one that begins within a minute", () => {
  const { certificate } = makeCertificate({ subject: "s", from: new Date("2028-01-04"), to: new Date("2028-02-04") });
  const early = (now: string): Problem[] =>
    earlyProblems("tls.generation", "the server certificate", certificate, "set it to 2", new Date(now));
  expect(early("2028-01-04T00:00:00Z")).toEqual([]);
  // The clock of the machine that made it may be some seconds ahead.
  expect(early("2028-01-03T23:59:00Z")).toEqual([]);
  expect(early("2028-01-03T23:58:59Z")).toHaveLength(1);
  expect(early("2026-11-30T00:00:00Z")).toEqual([
    {
      key: "tls.generation",
      message:
        "the server certificate in the stack's state is not valid before 2028-01-04T00:00:00.000Z, and by this machine's clock it is " +
        "2026-11-30T00:00:00.000Z; if the clock is right, an up on a machine whose clock was ahead has made it: set it to 2",
    },
  ]);
});

it.each([
  ["tls-certificate", "tls.generation: the server certificate", "set it to 2"],
  ["tls-ca-2", "tls.caGeneration: CA 2", "set it to 3, and have every client trust the new CA"],
  ["tls-ca-1", "tls.keepPreviousCa: CA 1", "take it away, as no client takes that CA"],
  [
    "tls-ca-bridge",
    "tls.keepPreviousCa: the new CA, as the CA before has signed it,",
    "take it away, and after an up set it again",
  ],
])("looks whether %s of a state has begun, and names the key that mends it", async (early, what, repair) => {
  const inAnHour = new Date(Date.now() + 3_600_000);
  const made = (name: string): Record<string, string> => {
    const { certificate } = makeCertificate({ subject: name, ...(name === early ? { from: inAnHour } : {}) });
    return { certPem: certificate };
  };
  // Noted and not thrown: here nothing waits for the error.
  const found: Problem[] = [];
  const noted = <T>(values: pulumi.Input<T>, check: (resolved: pulumi.Unwrap<T>) => Problem[]): pulumi.Output<pulumi.Unwrap<T>> =>
    pulumi.output(values).apply((resolved) => {
      found.push(...check(resolved));
      return resolved;
    });
  const checked = jest.spyOn(inputs, "checkWhenKnown").mockImplementation(noted);
  await mocked(
    () => new RegistryCertificate("tls", { hostname: "a.example.com", tls: { caGeneration: 2, keepPreviousCa: true } }),
    {
      resources: { "tls:index/selfSignedCert:SelfSignedCert": made, "tls:index/locallySignedCert:LocallySignedCert": made },
    },
  );
  checked.mockRestore();
  expect(found.map(({ key, message }) => `${key}: ${message}`)).toEqual([
    expect.stringMatching(new RegExp(`^${what} in the stack's state is not valid before .*: ${repair}$`)),
  ]);
});
