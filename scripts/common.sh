# Sourced by the scripts that put things in place: how they speak, and how they install a Debian package.

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
  printf '\nsetup: %s\n' "$*" >&2
  exit 1
}
# timed WHAT COMMAND...: says what is done, and how long it took.
timed() {
  local what=$1 begin=$SECONDS
  shift
  say "$what"
  "$@" || return
  say "$what: took $((SECONDS - begin)) s"
}
as_root() { [ "$(id -u)" = 0 ]; }
can_install() { as_root && command -v apt-get >/dev/null && grep -qsE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release; }
# apt_install PACKAGE...
apt_install() { timed "installing $* with apt-get" apt_get "$@"; }
apt_get() {
  apt-get update -qq >&2 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# compile MODULE_FOLDER PACKAGE FILE [LDFLAGS [TAGS]]: builds a command of one of the pinned modules in toolchain/, and says how far it is.
# Without cgo, unless CGO_ENABLED says otherwise.
compile() (
  cd "$root/toolchain/$1"
  export CGO_ENABLED=${CGO_ENABLED:-0} GOFLAGS=-mod=readonly GOTOOLCHAIN=auto
  total=$(go list -tags "${5:-}" -deps "$2" | wc -l) || exit
  # With -v each package is named when it is compiled; those in Go's cache are not, so that a second time is short.
  go build -v -trimpath -buildvcs=false -tags "${5:-}" -ldflags "-s -w ${4:-}" -o "$3" "$2" 2>&1 | awk -v total="$total" -v name="${2##*/}" '
    /^[a-z0-9.]+(\/[^ ]+)?$/ { percent = int(++compiled * 100 / total); if (percent >= shown + 10) { shown = percent - percent % 10; print "setup: " name ": " shown " % compiled"; fflush() }; next }
    /^go: downloading/ { next }
    { print; fflush() }' >&2
)
