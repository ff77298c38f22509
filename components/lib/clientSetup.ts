/** What a client types or installs, as texts. All values are checked before they come here; see checks.ts. */

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

/**
 * Installs the CA for a Docker engine, with sudo where the user is not root. The text carries the certificate, so it can be
 * pasted on any machine. A folder's name is `host:port` as in the image names, and a mirror has one of its own
 * (https://docs.docker.com/engine/security/certificates/).
 */
export function trustCommand(repositoryPrefix: string, caCertificate: string, mirrorPrefix?: string): string {
  if (caCertificate === "") {
    return "# nothing to install: Docker trusts this registry as it is";
  }
  const folders = [repositoryPrefix, mirrorPrefix]
    .filter((each) => each !== undefined)
    .map((each) => `'/etc/docker/certs.d/${each}'`);
  const asRoot = 'asRoot() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }';
  const files = folders.map((folder) => `${folder}/ca.crt`).join(" ");
  const write = `printf '%s\\n' '${caCertificate.trim()}' | asRoot tee ${files} > /dev/null`;
  return `${asRoot}; asRoot mkdir -p ${folders.join(" ")} && ${write}`;
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
