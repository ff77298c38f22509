# Sourced by the scripts that put things in place: how they speak, install a Debian package and compile a pinned tool.

export PROGRESS_PREFIX="setup: "
. "$(dirname "${BASH_SOURCE[0]}")/../server/progress.sh"

# Debian has dockerd and other system commands in folders that are not on a user's PATH.
export PATH="$PATH:/usr/sbin:/sbin"

fail() {
  printf '\n' >&2
  say "$*"
  exit 1
}
# timed WHAT COMMAND...: says what is done, and how long it took.
timed() {
  local what=$1 begin=$SECONDS
  shift
  begun "$what"
  "$@" || return
  say "$what: took $((SECONDS - begin)) s"
}
as_root() { [ "$(id -u)" = 0 ]; }
can_install() { as_root && command -v apt-get >/dev/null && grep -qsE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release; }
# apt_install PACKAGE...
apt_install() { timed "installing $* with apt-get" quietly apt_get "$@"; }
# In a session of its own: who ends set-up must not leave Debian's packages half installed.
apt_get() {
  apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive setsid --wait apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}

# compile MODULE_FOLDER PACKAGE FILE [LDFLAGS [TAGS]]: builds a command of one of the pinned modules in offline/toolchain/.
# Without cgo, unless CGO_ENABLED says otherwise.
compile() (
  cd "$root/offline/toolchain/$1"
  export CGO_ENABLED=${CGO_ENABLED:-0} GOFLAGS=-mod=readonly GOTOOLCHAIN=auto
  go_compile "${2##*/}" "$2" "$3" -trimpath -buildvcs=false -tags "${5:-}" -ldflags "-s -w ${4:-}"
)
