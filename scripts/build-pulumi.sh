# Sourced by setup.sh and test-setup.sh: Pulumi from the Go module proxy, for machines that reach no other source of it.

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

toolchain_sources() { (cd "$root/toolchain/pulumi" && cksum go.sum language-nodejs/main.go); }
# Whether an earlier set-up has built Pulumi here, from other sources than today's.
pulumi_outdated() {
  local built=$tools/pulumi/bin/.sources
  # The host that came with the first ones built here kept no note of its sources.
  [ -x "$tools/pulumi/bin/language-nodejs" ] || { [ -f "$built" ] && [ "$(cat "$built")" != "$(toolchain_sources)" ]; }
}

build_pulumi() {
  local partial=$tools/pulumi.partial
  go_usable || return
  say "no download and no archive of it can be had; the 1,700 packages take some minutes to compile, once (3.5 on 2 cores)"
  rm -rf "$partial"
  mkdir -p "$partial/bin"
  compile pulumi github.com/pulumi/pulumi/pkg/v3/cmd/pulumi "$partial/bin/pulumi" \
    "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$pulumi_version" &&
    compile pulumi ./language-nodejs "$partial/bin/pulumi-language-nodejs" &&
    toolchain_sources >"$partial/bin/.sources" || {
    rm -rf "$partial"
    return 1
  }
  mkdir -p "$tools/pulumi"
  rm -rf "$tools/pulumi/bin"
  mv "$partial/bin" "$tools/pulumi/bin"
  rmdir "$partial"
}
