# Sourced by test-setup.sh: Docker Engine 29 with the containerd image store, from the Go module proxy. Debian has 20.10 only.

engine_29=$tools/engine-29
# The module does not say which release it is; v2.0.0-beta.24 is of the day of this one.
engine_version=29.8.1

build_engine() {
  local partial=$engine_29.partial moby=github.com/moby/moby/v2/cmd containerd=github.com/containerd/containerd/v2/cmd
  [ -e /usr/include/seccomp.h ] || ! can_install || apt_install libseccomp-dev pkg-config gcc libc6-dev
  rm -rf "$partial"
  mkdir -p "$partial/bin"
  compile engine "$moby/dockerd" "$partial/bin/dockerd" "-X github.com/moby/moby/v2/dockerversion.Version=$engine_version" \
    "no_systemd exclude_graphdriver_btrfs" &&
    compile engine "$moby/docker-proxy" "$partial/bin/docker-proxy" &&
    compile engine "$containerd/containerd" "$partial/bin/containerd" &&
    compile engine "$containerd/containerd-shim-runc-v2" "$partial/bin/containerd-shim-runc-v2" &&
    # Debian's runc knows no time namespaces, which this Engine asks for. It starts containers by C code.
    CGO_ENABLED=1 compile engine github.com/opencontainers/runc "$partial/bin/runc" "" seccomp || {
    rm -rf "$partial"
    return 1
  }
  rm -rf "$engine_29"
  mv "$partial" "$engine_29"
}
