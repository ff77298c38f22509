import { AuditLevel, LogFormat, Logs } from "../../args/logs";
import { Problem } from "../problems";
import { oneOf, when } from "../rules";

/** Whether there is a record of who did what. */
export function isAudited({ audit = AuditLevel.Off }: Logs): boolean {
  return audit !== AuditLevel.Off;
}

/** All that is wrong with the settings of the log and the audit. */
export function logsProblems(logs: Logs, image: string): Problem[] {
  return [
    ...oneOf("logs.", { format: logs.format }, Object.values(LogFormat)),
    ...oneOf("logs.", { audit: logs.audit }, Object.values(AuditLevel)),
    ...when(
      image !== "bundled" && isAudited(logs),
      "logs.audit",
      "is a feature of the bundled server; the stock registry's log does not say which tag was moved. Use image bundled",
    ),
  ];
}
