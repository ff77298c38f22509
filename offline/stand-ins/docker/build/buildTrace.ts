import { parse } from "protobufjs";
import { Progress } from "../engine";

/** What is read of BuildKit's `moby.buildkit.v1.StatusResponse`. */
const status = parse(`
  syntax = "proto3";
  message Status { repeated Log logs = 3; }
  message Log { bytes msg = 4; }
`).root.lookupType("Status");

/** What the steps of a build print, as the engine passes it on. */
export function printedIn({ id, aux }: Progress): string {
  if (id !== "moby.buildkit.trace" || typeof aux !== "string") {
    return "";
  }
  const { logs } = status.decode(Buffer.from(aux, "base64")) as unknown as { logs: { msg: Uint8Array }[] };
  return logs.map(({ msg }) => Buffer.from(msg).toString()).join("");
}
