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
