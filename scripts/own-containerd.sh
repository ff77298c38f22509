#!/bin/sh
# own-containerd.sh COMMAND...: runs a Docker engine that does not see the machine's containerd; it starts one of its own where there
# is none yet. In a mount namespace of its own, and as root.
set -e
mkdir -p /run/containerd
mount -t tmpfs containerd /run/containerd
exec "$@"
