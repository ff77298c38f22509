import { LogFormat, Logs } from "../../args/logs";
import { Problem } from "../problems";
import { oneOf } from "../rules";

/** All that is wrong with what the server is to write down. */
export function logsProblems({ format }: Logs): Problem[] {
  return oneOf("logs.", { format }, Object.values(LogFormat));
}
