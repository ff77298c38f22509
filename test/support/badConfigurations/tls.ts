import { execFileSync } from "child_process";
import { X509Certificate } from "crypto";
import { KeyPair, makePki } from "../pki";
import { BadConfiguration } from "./badConfiguration";

const pki = makePki(["registry.example.com"]);
const start = ({ certificate }: KeyPair): string => new Date(new X509Certificate(certificate).validFrom).toISOString();
const end = ({ certificate }: KeyPair): string => new Date(new X509Certificate(certificate).validTo).toISOString();

/** The server's key with its curve's parameters written out. */
const withoutName = execFileSync("openssl", ["ec", "-param_enc", "explicit"], { input: pki.server.privateKey, stdio: "pipe" });

const far = { hostname: "registry.example.com" };
const provided = { mode: "provided", certificate: pki.server.certificate, privateKey: pki.server.privateKey };

export const badTls: BadConfiguration[] = [
  {
    title: "a text for tls",
    config: { tls: "off" },
    problems: [
      "tls: a text is not allowed; give its parts mode, certificate, privateKey, chain, validityDays, renewBeforeDays, generation, caGeneration, keepPreviousCa with pulumi config set --path 'tls.<part>'",
    ],
  },
  {
    title: "an unknown mode",
    config: { tls: { mode: "letsencrypt" } },
    problems: ['tls.mode: "letsencrypt" is not allowed; choose self-signed, provided, off'],
  },
  {
    title: "a mistyped key of tls",
    config: { tls: { validitydays: 90 } },
    problems: ["tls.validitydays: unknown key; did you mean validityDays?"],
  },
  {
    title: "no day of validity",
    config: { tls: { validityDays: 0 } },
    problems: ["tls.validityDays: 0 is not allowed; give a whole number from 1 to 3649"],
  },
  {
    title: "more validity than the CA",
    config: { tls: { validityDays: 3650 } },
    problems: ["tls.validityDays: 3650 is not allowed; give a whole number from 1 to 3649"],
  },
  {
    title: "validity in words",
    config: { tls: { validityDays: "a year" } },
    problems: ['tls.validityDays: "a year" is not allowed; give a number in plain digits'],
  },
  {
    title: "renewal before the beginning",
    config: { tls: { validityDays: 10, renewBeforeDays: 10 } },
    problems: ["tls.renewBeforeDays: 10 is not allowed; give a whole number from 0 to one less than tls.validityDays (10)"],
  },
  {
    title: "generation 0",
    config: { tls: { generation: 0 } },
    problems: ["tls.generation: 0 is not allowed; give a whole number of 1 or more"],
  },
  {
    title: "half a generation",
    config: { tls: { caGeneration: 1.5 } },
    problems: ["tls.caGeneration: 1.5 is not allowed; give a whole number of 1 or more"],
  },
  {
    title: "a previous CA before there was one",
    config: { tls: { keepPreviousCa: true } },
    problems: ["tls.keepPreviousCa: needs tls.caGeneration 2 or more; there is no CA before the first"],
  },
  {
    title: "a certificate for mode self-signed",
    config: { tls: { certificate: pki.server.certificate } },
    problems: ['tls.certificate: belongs to tls.mode "provided", and tls.mode is "self-signed"; remove it or change the mode'],
  },
  {
    title: "validity for mode off",
    config: { tls: { mode: "off", validityDays: 90 } },
    problems: ['tls.validityDays: belongs to tls.mode "self-signed", and tls.mode is "off"; remove it or change the mode'],
  },
  {
    title: "a provided certificate without anything",
    config: { tls: { mode: "provided" } },
    problems: [
      'tls.certificate: is missing; tls.mode "provided" needs it as PEM text',
      'tls.privateKey: is missing; tls.mode "provided" needs it as PEM text',
    ],
  },
  {
    title: "file names for a certificate",
    config: { tls: { mode: "provided", certificate: "server.crt", privateKey: "server.key" } },
    problems: ["tls.certificate: not a PEM certificate; give the server's certificate, `-----BEGIN CERTIFICATE-----` first"],
  },
  {
    title: "a certificate for another host",
    config: { ...far, tls: { mode: "provided", certificate: pki.other.certificate, privateKey: pki.other.privateKey } },
    problems: ['tls.certificate: does not cover hostname "registry.example.com"; it is for DNS:other.example.com'],
  },
  {
    title: "an expired certificate",
    config: { ...far, tls: { mode: "provided", certificate: pki.expired.certificate, privateKey: pki.expired.privateKey } },
    problems: [`tls.certificate: "CN=expired" expired on ${end(pki.expired)}; give one that is valid`],
  },
  {
    title: "a certificate from the future",
    config: { ...far, tls: { mode: "provided", certificate: pki.early.certificate, privateKey: pki.early.privateKey } },
    problems: [`tls.certificate: "CN=early" is not valid before ${start(pki.early)}; give one that is valid now`],
  },
  {
    title: "another's key",
    config: { ...far, tls: { ...provided, privateKey: pki.other.privateKey } },
    problems: ["tls.privateKey: does not belong to tls.certificate; give the key the certificate was made for"],
  },
  {
    title: "a key whose curve has no name",
    config: { ...far, tls: { ...provided, privateKey: withoutName.toString() } },
    problems: [
      "tls.privateKey: has the parameters of its curve in place of a name; write it anew, e.g. with `openssl ec -param_enc named_curve`",
    ],
  },
  {
    title: "a key under a passphrase",
    config: { ...far, tls: { ...provided, privateKey: pki.encryptedKey } },
    problems: ["tls.privateKey: not a PEM private key without a passphrase; decrypt it first, e.g. with `openssl pkey`"],
  },
  {
    title: "a chain in the wrong order",
    config: { ...far, tls: { ...provided, chain: pki.root.certificate + pki.intermediate.certificate } },
    problems: [
      'tls.chain: has "CN=Test Root", which did not sign it, after "CN=server"; its issuer "CN=Test Intermediate" must come next',
    ],
  },
  {
    title: "a chain that is none",
    config: { ...far, tls: { ...provided, chain: "chain.pem" } },
    problems: ["tls.chain: not PEM; give the intermediate certificates, nearest to the server's first, or leave it out"],
  },
  {
    title: "plain HTTP beyond loopback",
    config: { ...far, tls: { mode: "off" } },
    problems: [
      'tls.mode: "off" is accepted on loopback addresses only, and registry.example.com:5000 is not one; choose another mode, use 127.0.0.1 and localhost, or set allowInsecure to true if you accept the risk',
    ],
  },
  {
    title: "plain HTTP on every interface",
    config: { bindAddress: "0.0.0.0", tls: { mode: "off" } },
    problems: [
      'tls.mode: "off" is accepted on loopback addresses only, and 0.0.0.0:5000 is not one; choose another mode, use 127.0.0.1 and localhost, or set allowInsecure to true if you accept the risk',
    ],
  },
];
