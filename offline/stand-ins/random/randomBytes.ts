import * as crypto from "crypto";
import { resource } from "../provider/resource";
import { integer, map, string } from "../provider/types";

export const randomBytes = resource({
  type: "random:index/randomBytes:RandomBytes",
  inputs: {
    length: { type: integer, required: true, replaces: true },
    keepers: { type: map(string), replaces: true },
  },
  outputs: {
    base64: { type: string, secret: true },
    hex: { type: string, secret: true },
  },
  problems: ({ length }) => (length < 1 ? ["length must be at least 1"] : []),
  create: ({ length }) => {
    const bytes = crypto.randomBytes(length);
    const base64 = bytes.toString("base64");
    return Promise.resolve({ id: base64, outputs: { base64, hex: bytes.toString("hex") } });
  },
});
