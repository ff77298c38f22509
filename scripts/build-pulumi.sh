# Sourced by setup.sh: Pulumi from the Go module proxy, for machines that reach no other source of it.

# compile MODULE_FOLDER PACKAGE FILE [LDFLAGS]: builds a command of one of the pinned modules in toolchain/, and says how far it is.
compile() (
  cd "$root/toolchain/$1"
  export CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=auto
  total=$(go list -deps "$2" | wc -l) || exit
  # With -v each package is named when it is compiled; those in Go's cache are not, so that a second time is short.
  go build -v -trimpath -buildvcs=false -ldflags "-s -w ${4:-}" -o "$3" "$2" 2>&1 | awk -v total="$total" -v name="${2##*/}" '
    /^[a-z0-9.]+(\/[^ ]+)?$/ { percent = int(++compiled * 100 / total); if (percent >= shown + 10) { shown = percent - percent % 10; print "setup: " name ": " shown " % compiled"; fflush() }; next }
    /^go: downloading/ { next }
    { print; fflush() }' >&2
)

# build_language_host BIN: BIN is a folder in a folder of .tools.
build_language_host() {
  compile language-nodejs github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs "$1/language-nodejs" || return
  # A host as old as that takes its options as arguments, where the CLI puts those of Pulumi.yaml into the request.
  cat >"$1/pulumi-language-nodejs" <<'EOF'
#!/bin/sh
here=$(cd "${0%/*}" && pwd)
exec "$here/language-nodejs" -typescript=false -nodeargs="--require '$here/../../../components/loadTypescript.cjs'" "$@"
EOF
  chmod +x "$1/pulumi-language-nodejs"
}

build_pulumi() {
  local partial=$tools/pulumi.partial
  go_usable || return
  say "no download and no archive of it can be had; the 1,700 packages take some minutes to compile, once (3.5 on 2 cores)"
  rm -rf "$partial"
  mkdir -p "$partial/bin"
  compile cli github.com/pulumi/pulumi/pkg/v3/cmd/pulumi "$partial/bin/pulumi" \
    "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$pulumi_version" &&
    build_language_host "$partial/bin" || {
    rm -rf "$partial"
    return 1
  }
  mkdir -p "$tools/pulumi"
  rm -rf "$tools/pulumi/bin"
  mv "$partial/bin" "$tools/pulumi/bin"
  rmdir "$partial"
}
