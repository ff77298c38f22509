#!/bin/sh
# Builds the image of the bundled server into .build/<hash of the sources>-<architecture>/image.tar,
# unless it is there already: for GOARCH, or else this machine. The last line on standard output is
# the path of the archive and the IDs of the image in it: engines have one or the other.
set -eu
unset CDPATH
cd "$(dirname "$0")"

. ./progress.sh

if command -v sha256sum >/dev/null; then sha256=sha256sum; else sha256="shasum -a 256"; fi

architecture() {
  case "${GOARCH:-$(uname -m)}" in
    x86_64 | amd64) echo amd64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) echo "${GOARCH:-$(uname -m)}" ;;
  esac
}

# shellcheck disable=SC2086 # the sum may be a command and its options
source_hash() {
  {
    echo "$arch ${SOURCE_DATE_EPOCH:-0}"
    find . -path ./.build -prune -o -path '*/testdata/*' -prune -o \
      -type f ! -name '*_test.go' ! -name '*.md' -print |
      LC_ALL=C sort | tr '\n' '\0' | xargs -0 $sha256
  } | $sha256 | cut -c1-64
}

# host_toolchain prints the GOTOOLCHAIN to build with, or fails when the host's Go
# cannot build the server.
host_toolchain() {
  command -v go >/dev/null || return 1
  if GOTOOLCHAIN="go$go_version" go version >/dev/null 2>&1; then
    echo "go$go_version"
  elif GOTOOLCHAIN=local go list -m >/dev/null 2>&1; then
    say "go$go_version cannot be had; with another Go the server is the same, but not the digest of its image"
    echo local
  else
    return 1
  fi
}

build_on_host() {
  begun "compiling the registry server with $(go version | cut -d' ' -f3): a minute or two, once"
  export CGO_ENABLED=0 GOFLAGS=-mod=readonly
  unset GOAMD64 GOARM64 GOEXPERIMENT
  (export GOOS=linux GOARCH="$arch" && go_compile "registry server" . "$work/registry" -trimpath -buildvcs=false -ldflags "-s -w")
  (unset GOOS GOARCH && quietly go build -o "$work/pack" ./cmd/pack)
  "$work/pack" -binary "$work/registry" -arch "$arch" -tag "$tag" -archive "$work/image.tar" >"$work/image.ids"
}

build_in_docker() {
  begun "no usable Go on this machine; compiling the registry server in golang:$go_version: some minutes, once"
  # Compiled by what the engine can run, for what it need not be able to.
  quietly docker build --target build --build-arg GOARCH="$arch" --build-arg TAG="$tag" \
    --build-arg SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}" --iidfile "$work/build.id" .
  container=$(docker create "$(cat "$work/build.id")")
  quietly docker cp "$container:/out/image.tar" "$work/image.tar"
  quietly docker cp "$container:/out/image.ids" "$work/image.ids"
  docker rm "$container" >/dev/null
}

arch=$(architecture)
go_version=$(sed -n 's/^ARG GO_VERSION=//p' Dockerfile)
hash=$(source_hash)
tag="container-registry:$(echo "$hash" | cut -c1-12)"
result="$PWD/.build/$hash-$arch"

if [ ! -e "$result/image.tar" ]; then
  begin=$(date +%s)
  mkdir -p .build
  work=$(mktemp -d .build/work.XXXXXX)
  # What Go fetches it makes read-only.
  trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  ! command -v go >/dev/null || go_folders "$PWD/$work"
  if toolchain=$(host_toolchain); then
    export GOTOOLCHAIN="$toolchain"
    build_on_host
  else
    build_in_docker
  fi
  # The archive comes last: its presence says that the rest is complete.
  mkdir -p "$result"
  mv "$work/image.ids" "$work/image.tar" "$result"
  for old in .build/*; do
    case "$old" in
      ".build/$hash-$arch" | .build/work.*) ;;
      *-"$arch") rm -rf "$old" ;;
      *-*) ;; # for another engine
      *) rm -rf "$old" ;;
    esac
  done
  say "registry server: took $(($(date +%s) - begin)) s"
fi
echo "$result/image.tar $(cat "$result/image.ids")"
