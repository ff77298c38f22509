import { createPrivateKey } from "crypto";

/** A secret and every form in which it could be read somewhere. */
export interface Secret {
  name: string;
  forms: readonly { form: string; text: string }[];
}

/** Where a text came from, and the text. */
export interface Place {
  name: string;
  text: string;
}

/** Shorter texts would be found by chance. */
const shortest = 12;

/** The forms of a secret: as it is, in JSON, in a URL, in hexadecimal, and in base64, even as a part of something longer. */
export function secretOf(name: string, value: string): Secret {
  const bytes = Buffer.from(value);
  const forms: [form: string, text: string][] = [
    ["plain", value],
    ["JSON", JSON.stringify(value).slice(1, -1)],
    ["JSON in JSON", JSON.stringify(JSON.stringify(value).slice(1, -1)).slice(1, -1)],
    ["URL", encodeURIComponent(value)],
    ["hexadecimal", bytes.toString("hex")],
    ...[0, 1, 2].flatMap((offset): [string, string][] => [
      [`base64 at offset ${offset}`, base64Within(bytes, offset, "base64")],
      [`URL-safe base64 at offset ${offset}`, base64Within(bytes, offset, "base64url")],
    ]),
  ];
  if (value.trim().length < shortest) {
    throw new Error(`${name} is too short to be searched for`);
  }
  return { name, forms: forms.map(([form, text]) => ({ form, text })) };
}

/**
 * The lines of a PEM file that contain the key. Each is searched for: a place that shows half a key must not pass. The last line of an
 * elliptic curve's key is left out: it is the end of the public key (RFC 5915), which certificates show.
 */
export function secretsOfPem(name: string, pem: string): Secret[] {
  const lines = pem.split("\n").filter((line) => !line.startsWith("-----") && line.length >= shortest);
  const body = createPrivateKey(pem).asymmetricKeyType === "ec" ? lines.slice(0, -1) : lines;
  return [secretOf(name, pem.trim()), ...body.map((line, index) => secretOf(`${name}, line ${index + 1}`, line))];
}

/** The part of a base64 text that the bytes alone decide, when `offset` bytes (modulo 3) stand before them. */
function base64Within(bytes: Buffer, offset: number, encoding: "base64" | "base64url"): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString(encoding);
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

/** Every secret that can be read in one of the places; never its value, as this is printed when a test fails. */
export function readable(secrets: readonly Secret[], places: readonly Place[]): string[] {
  return places.flatMap((place) =>
    secrets.flatMap((secret) =>
      secret.forms
        .filter(({ text }) => place.text.includes(text))
        .map(({ form }) => `${secret.name} as ${form} in ${place.name}`),
    ),
  );
}
