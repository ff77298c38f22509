# Sourced by setup.sh and test-setup.sh: Pulumi from the Go module proxy, for machines that reach no other source of it.

toolchain_sources() { (cd "$root/offline/toolchain/pulumi" && cksum go.sum language-nodejs/main.go); }
# Whether an earlier set-up has built Pulumi here, from other sources than today's.
pulumi_outdated() {
  local built=$tools/pulumi/bin/.sources
  # The host that came with the first ones built here kept no note of its sources.
  [ -x "$tools/pulumi/bin/language-nodejs" ] || { [ -f "$built" ] && [ "$(cat "$built")" != "$(toolchain_sources)" ]; }
}

build_pulumi() {
  local partial=$tools/pulumi.partial
  go_usable || return
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
