/*
 * What the parts of a registry or cache are called on an engine, by its own name, which is that of its container or service. Some are
 * looked for by others: an `up` that calls a part otherwise loses what is in it.
 */

/** The volume for images. */
export function dataName(name: string): string {
  return `${name}-data`;
}

/** The container that gives others' folder to the server. */
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

/** The service that has a Swarm's registry answer on every node. */
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
