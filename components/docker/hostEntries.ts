/** A name that a server resolves without DNS, and its address. */
export interface HostEntry {
  host: string;
  ip: string;
}

export function hostEntries(hosts: Record<string, string>): HostEntry[] {
  return Object.entries(hosts).map(([host, ip]) => ({ host, ip }));
}

/** Repeats an option of the docker command for each entry, in the command's format. */
export function hostOptions(option: string, hosts: readonly HostEntry[]): string[] {
  return hosts.flatMap(({ host, ip }) => [option, `${host}:${ip}`]);
}
