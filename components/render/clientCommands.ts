/** What a client types or installs, as texts. All values are checked before they come here; see checks/. */

import { posix as path } from "path";

/** Reads a secret from standard input, so that it never stands in a process list. */
export function loginCommand(registry: string, username: string): string {
  return username === ""
    ? `# ${registry} asks for no login`
    : `pulumi stack output password --show-secrets | docker login ${registry} --username ${shellWord(username)} --password-stdin`;
}

/** Robots of hosted registries have names such as `robot$ci`. */
function shellWord(text: string): string {
  return /^[\w.@%+=:,/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What an engine needs to know about a mirror to trust it. */
export interface TrustedMirror {
  /** Its `host:port`. */
  prefix: string;
  /** Whether it caches Docker Hub. */
  ofDockerHub: boolean;
}

/**
 * Finds the folder of the engine's CAs, and whether writing there takes root: a rootless engine has its own in the user's configuration
 * (https://docs.docker.com/engine/security/rootless/tips/).
 */
const findFolder = [
  "certs=/etc/docker/certs.d",
  'asRoot() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }',
  "if docker info --format '{{.SecurityOptions}}' 2> /dev/null | grep -q name=rootless",
  'then certs="${XDG_CONFIG_HOME:-$HOME/.config}/docker/certs.d"',
  'asRoot() { "$@"; }',
  "fi",
].join("; ");
/** Tells a file of ours from one that somebody else has written. */
const writtenByUs = "# Written by trustCommand of container-registry.";

/**
 * Installs the CA for a Docker engine, with sudo where that takes root and the user is not root. The text carries the certificate, so it can be
 * pasted on any machine. A folder's name is `host:port` as in the image names, and a mirror has one of its own
 * (https://docs.docker.com/engine/security/certificates/).
 */
export function trustCommand(
  repositoryPrefix: string,
  caCertificate: string,
  { mirror, plainHttp = false }: { mirror?: TrustedMirror; plainHttp?: boolean } = {},
): string {
  if (caCertificate === "") {
    return plainHttp
      ? `echo '${repositoryPrefix} speaks plain HTTP: merge the output daemonConfig into /etc/docker/daemon.json, and reload Docker' >&2`
      : "# nothing to install: Docker trusts this registry as it is";
  }
  const files = [repositoryPrefix, ...(mirror === undefined ? [] : [mirror.prefix])].map((each) => `$certs/${each}/ca.crt`);
  const hub = mirror?.ofDockerHub === true ? ` && ${dockerHubCommand(mirror.prefix, caCertificate)}` : "";
  return `${findFolder}; ${writeCommand(files, caCertificate)}${hub}`;
}

function writeCommand(files: readonly string[], content: string): string {
  const quoted = (paths: readonly string[]): string => paths.map((each) => `"${each}"`).join(" ");
  const folders = quoted(files.map((each) => path.dirname(each)));
  return `asRoot mkdir -p ${folders} && printf '%s\\n' '${content.trim()}' | asRoot tee ${quoted(files)} > /dev/null`;
}

/**
 * With the containerd image store an engine reads the CA of a mirror in `registry-mirrors` from no folder but Docker Hub's own,
 * where it would vouch for Docker Hub as well. Through a hosts.toml it vouches for the mirror alone; older engines read neither that nor
 * certificates with another ending than `.crt`. The CA is a copy: without the file named there, nothing can be pulled from Docker Hub.
 */
function dockerHubCommand(mirror: string, caCertificate: string): string {
  const folder = "$certs/docker.io";
  const hosts = `${folder}/hosts.toml`;
  const content = [
    writtenByUs,
    `[host."https://${mirror}"]`,
    '  capabilities = ["pull", "resolve"]',
    // Relative to this file's folder.
    '  ca = "mirror-ca.pem"',
  ].join("\n");
  return [
    `if [ -e "${hosts}" ] && ! grep -qxF '${writtenByUs}' "${hosts}"`,
    `then echo "${hosts} is not of this command and stays as it is; see docs/mirror.md" >&2; false`,
    `else ${writeCommand([`${folder}/mirror-ca.pem`], caCertificate)} && ${writeCommand([hosts], content)}`,
    "fi",
  ].join("; ");
}

/** The piece of daemon.json a client's engine needs; `{}` when it needs none. */
export function daemonConfig(settings: { insecureRegistry?: string; mirror?: string }): string {
  return JSON.stringify(
    {
      ...(settings.insecureRegistry === undefined ? {} : { "insecure-registries": [settings.insecureRegistry] }),
      ...(settings.mirror === undefined ? {} : { "registry-mirrors": [settings.mirror] }),
    },
    undefined,
    2,
  );
}
