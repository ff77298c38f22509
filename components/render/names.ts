/*
 * The names of a registry's or cache's parts on an engine, derived from its own name, which is that of its container or service. Other
 * code looks for some of them: an `up` that names a part differently loses what is in it.
 */

/** The volume for images. */
export function dataName(name: string): string {
  return `${name}-data`;
}

/** The container that gives a folder which others made to the server. */
export function ownerName(name: string): string {
  return `${dataName(name)}-owner`;
}

/** The volume with the files that the server reads. */
export function filesName(name: string): string {
  return `${name}-files`;
}

/** The container that writes them. */
export function writerName(name: string): string {
  return `${filesName(name)}-writer`;
}

/** The volume for the audit. */
export function auditName(name: string): string {
  return `${name}-audit`;
}

/** The pull-through cache beside a registry. */
export function mirrorName(name: string): string {
  return `${name}-mirror`;
}

/** The service through which a Swarm's registry answers on every node. */
export function forwarderName(name: string): string {
  return `${name}-forwarder`;
}

/** All volumes of a registry on one host, and of the mirror beside it. */
export function volumeNames(name: string): string[] {
  const mirror = mirrorName(name);
  return [dataName(name), filesName(name), auditName(name), dataName(mirror), filesName(mirror)];
}

/** Number of the user, and of the group, that the bundled server runs as. */
export const serverUser = "65532";
