import * as fs from "fs";

/** What a process has used so far. */
export function used(pid: number | undefined): { cpuSeconds: number; peakMiB: number } {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const peak = /VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  // Fields 14 and 15 of proc(5), user and system time, in ticks of 10 ms.
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, peakMiB: Number(peak) / 1024 };
}
