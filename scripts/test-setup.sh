#!/usr/bin/env bash
# Puts in place what the integration tests need beyond setup.sh: registry clients, and tools to make certificates and networks.
# Uses what is there; a second run changes nothing.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/common.sh"

crane_version=v0.22.1

# Command and the Debian package it is in.
debian_tools="skopeo:skopeo openssl:openssl curl:curl ip:iproute2 iptables:iptables dockerd:docker.io git:git"

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

if [ "$(crane version 2>/dev/null)" != "$crane_version" ]; then
  command -v go >/dev/null || fail "the integration tests need crane $crane_version: https://github.com/google/go-containerregistry, or Go to build it"
  say "building crane $crane_version"
  GOBIN="$tools/bin" GOFLAGS= go install "github.com/google/go-containerregistry/cmd/crane@$crane_version"
fi
