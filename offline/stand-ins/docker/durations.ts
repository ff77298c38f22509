/* Durations as Go writes them, `1m30s`, and as the Engine API counts them: in nanoseconds. */

const units: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** The nanoseconds in a duration; undefined if it is none. */
export function nanoseconds(text: string): number | undefined {
  if (text === "0") {
    return 0;
  }
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    return undefined;
  }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  return Math.round(parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0), 0));
}

/** The shortest way to write a duration. */
export function duration(total: number): string {
  for (const unit of ["ns", "us", "ms"]) {
    const next = (units[unit] ?? 1) * 1000;
    if (total !== 0 && total < next) {
      return `${total / (units[unit] ?? 1)}${unit === "us" ? "µs" : unit}`;
    }
  }
  const hours = Math.floor(total / 3600e9);
  const minutes = Math.floor((total % 3600e9) / 60e9);
  const seconds = (total % 60e9) / 1e9;
  const words = [hours && `${hours}h`, minutes && `${minutes}m`, (seconds || total === 0) && `${seconds}s`];
  return words.filter(Boolean).join("");
}
