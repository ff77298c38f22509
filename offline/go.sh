# Sourced by setup.sh: Go itself from the Go module proxy, where a machine has none that can fetch newer ones (1.21).

go_minimum=1.21
go_version=$(sed -n 's/^ARG GO_VERSION=//p' "$root/server/Dockerfile")

# SHA-256 of the module golang.org/toolchain at $go_version; sum.golang.org vouches for its content.
go_checksum() {
  case "$1" in
    linux-amd64) echo 30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7 ;;
    linux-arm64) echo 02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99 ;;
    darwin-amd64) echo fe99a2009e5bb51e06d7784f1a486478673512041c2671157bd382806e2aedcf ;;
    darwin-arm64) echo 0aad5fb52b88498885290178adc0bcfe429bc63012621af9f83282eb640bd9c7 ;;
    *) return 1 ;;
  esac
}

go_usable() {
  local found
  found=$(go env GOVERSION 2>/dev/null) && version_at_least "${found#go}" "$go_minimum"
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1; }

go_is_genuine() {
  [ "$(sha256 "$1")" = "$(go_checksum "$2")" ] || {
    say "what the proxy gave for Go $go_version ($2) has another checksum than offline/go.sh"
    return 1
  }
}

unpack_zip() {
  command -v unzip >/dev/null || ! can_install || apt_install unzip
  unzip -q "$1" -d "$2"
}

download_go() {
  local platform proxy module archive=$tools/go.zip partial=$tools/go.partial
  platform=$(platform | sed 's/x64$/amd64/')
  module=golang.org/toolchain@v0.0.1-go$go_version.$platform
  proxy=${GOPROXY:-https://proxy.golang.org}
  mkdir -p "$tools"
  rm -rf "$partial"
  download "${proxy%%[,|]*}/${module%@*}/@v/${module#*@}.zip" "$archive" &&
    go_is_genuine "$archive" "$platform" &&
    unpack_zip "$archive" "$partial" &&
    # Modules have no modes.
    chmod -R +x "$partial/$module/bin" "$partial/$module/pkg/tool" &&
    rm -rf "$tools/go" &&
    mv "$partial/$module" "$tools/go"
  local result=$?
  rm -rf "$archive" "$partial"
  return $result
}

# The server's image can also be compiled in a container: no Go is no failure here.
go_tools() {
  go_usable || timed "downloading Go $go_version from the Go module proxy" download_go || say "no Go can be had from the Go module proxy"
  . "$root/scripts/environment.sh"
}
