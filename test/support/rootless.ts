/** A user that every Debian and Ubuntu has, and that runs nothing. */
const rootlessUser = "games";

/** With these words `setpriv` runs a command as that user. */
export const asRootlessUser = ["--reuid", rootlessUser, "--regid", rootlessUser, "--clear-groups"];

/** The files that the engine's folder needs besides those of a rootful engine. */
export const rootlessFiles = { subids: `${rootlessUser}:2000000:65536\n`, "home/.keep": "", "run/.keep": "" };

/**
 * The piece of a shell's script that runs a rootless engine, as Docker's `dockerd-rootless.sh` does, up to the engine's own options. Its
 * folder is `$0`. The device and the IDs that the user needs exist only in the mounts of this engine.
 */
export const rootless = [
  `mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && chmod 755 "$0" && chown -R ${rootlessUser} "$0" &&`,
  'for file in /etc/subuid /etc/subgid; do mount --bind "$0/subids" $file; done &&',
  `exec setpriv ${asRootlessUser.join(" ")} --pdeathsig TERM env HOME="$0/home" XDG_RUNTIME_DIR="$0/run"`,
  'rootlesskit --state-dir "$0/run/kit" --net slirp4netns --mtu 65520 --disable-host-loopback --port-driver builtin --copy-up /etc --copy-up /run',
  "sh -c 'rm -rf /run/docker /run/containerd /run/xtables.lock; exec dockerd --rootless \"$@\"' sh",
].join(" ");
