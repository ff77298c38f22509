# Sourced by the other scripts: finds what set-up has put in place. Installs nothing, prints nothing.

# With it, cd goes elsewhere, and prints where.
unset CDPATH
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=$root/.tools
quickstart=$root/.quickstart
stand_ins=$tools/stand-ins

# Without it Pulumi can't tell who runs it where the user has no account, as in a container (docker run --user 1000).
# There `id -un` fails, and prints the number all the same.
export USER="${USER:-$(id -un >/dev/null 2>&1 && id -un || id -u)}"

# Releases that go together; package-lock.json pins the same providers, and Pulumi.yaml refuses what is older.
pulumi_minimum=3.220.0
pulumi_version=3.276.0
plugins="docker:5.2.0 random:4.21.2 tls:5.6.1"

# The project's own toolchain, if set-up had to get one. Its plugins are in its own PULUMI_HOME; a user's is never touched.
if [ -x "$tools/pulumi/bin/pulumi" ]; then
  export PATH="$tools/pulumi/bin:$PATH" PULUMI_HOME="$tools/pulumi"
  export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=1
fi
[ ! -x "$tools/go/bin/go" ] || export PATH="$tools/go/bin:$PATH"
export PATH="$tools/bin:$PATH" PULUMI_SKIP_UPDATE_CHECK=1

plugin_folder() { printf '%s/plugins/resource-%s-v%s' "${PULUMI_HOME:-$HOME/.pulumi}" "${1%%:*}" "${1##*:}"; }
plugins_missing() {
  local plugin
  for plugin in $plugins; do
    [ -d "$(plugin_folder "$plugin")" ] || return 0
  done
  return 1
}

# Stand-ins for the plugins, if they are asked for or all there is. In a PULUMI_HOME of their own: under the names of the official
# plugins they would be taken for them by other projects. The login stays where it was.
if [ "${CONTAINER_REGISTRY_PROVIDERS:-}" = stand-in ] || { [ -d "$stand_ins" ] && plugins_missing; }; then
  export PULUMI_CREDENTIALS_PATH="${PULUMI_CREDENTIALS_PATH:-${PULUMI_HOME:-$HOME/.pulumi}}" PULUMI_HOME="$stand_ins"
fi

# Node's gRPC, which heeds a proxy in small letters, sends by it what goes from process to process of Pulumi on this machine.
export no_grpc_proxy="${no_grpc_proxy:-127.0.0.1,localhost}"

# packages_outdated FOLDER: whether set-up has brought the Node packages there by another package-lock.json than today's.
packages_outdated() {
  local stamp=$1/node_modules/.installed
  [ -f "$stamp" ] && [[ $(<"$stamp") != *" $(cd "$1" && cksum package-lock.json)" ]]
}

# Pulumi's backend, where somebody has set one or is logged in to one.
has_backend() {
  [ -n "${PULUMI_BACKEND_URL:-}" ] || [ -n "${PULUMI_ACCESS_TOKEN:-}" ] ||
    grep -qs '"current": *"..*"' "${PULUMI_CREDENTIALS_PATH:-${PULUMI_HOME:-$HOME/.pulumi}}/credentials.json"
}

# Whether nothing was ever deployed from here. There may be no Pulumi to ask either.
is_fresh() { ! has_backend && [ ! -d "$quickstart/state" ]; }

# holds_resources EXPORT: whether anything is in what `pulumi stack export` printed.
holds_resources() { [[ $1 == *'"urn":'* ]]; }

# has_stack STACK: selects it, if there is one. A backend that is away, or a wrong passphrase, is no answer.
has_stack() {
  local said
  ! is_fresh || return 1
  use_backend
  said=$(pulumi stack select "$1" 2>&1) && return
  case $said in *"no stack named"*) return 1 ;; esac
  printf '%s\n' "$said" >&2
  exit 1
}

# The environment's passphrase may be another project's, of which Pulumi says only that it is incorrect.
name_passphrase() {
  [ $? = 0 ] || echo "If the passphrase was incorrect: it is that of PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE. The quick start's own
is in $quickstart/passphrase; to use it, unset both." >&2
}

# name_lock: ends as the command before it. Pulumi names a command for who has it on PATH.
name_lock() {
  local status=$?
  [ -z "$(find "$quickstart"/state/.pulumi/locks/*/*/dev -name '*.json' 2>/dev/null)" ] ||
    echo "The stack dev is locked. If no other npm start or npm stop runs: npm run --silent pulumi -- cancel --yes --stack dev, then again" >&2
  return $status
}

# Of what another user's Pulumi has made here, this user's says only "permission denied". Files that it can read it makes anew.
check_access() {
  local theirs
  theirs=$(find "$quickstart" "$tools"/*/workspaces ! -user "$(id -u)" \( -type d -o ! -perm -004 \) 2>/dev/null | head -n 1) || true
  [ -z "$theirs" ] || [ -w "$theirs" ] || {
    echo "$theirs is another user's, as after sudo npm start. Go on as that user, or make it yours: sudo chown -R $(id -u) '$root'" >&2
    exit 1
  }
}

# State in this folder, for people who have no Pulumi backend of their own; a backend that is set or logged in to is used as it is.
use_backend() {
  check_access
  ! has_backend || return 0
  mkdir -p "$quickstart/state"
  PULUMI_BACKEND_URL=file://$(url_path "$quickstart/state")
  export PULUMI_BACKEND_URL
  if [ -n "${PULUMI_CONFIG_PASSPHRASE+set}${PULUMI_CONFIG_PASSPHRASE_FILE:-}" ]; then
    [ ! -s "$quickstart/passphrase" ] || trap name_passphrase EXIT
    return
  fi
  if [ ! -s "$quickstart/passphrase" ]; then
    # Another one would not open the stacks that are there.
    if [ -n "$(find "$quickstart/state" -path '*/stacks/*.json')" ]; then
      echo "$quickstart/passphrase is gone, and nothing else opens the stacks in .quickstart/state. Put it back, or set
PULUMI_CONFIG_PASSPHRASE to what was in it. To start over without them: docs/troubleshooting.md" >&2
      exit 1
    fi
    (umask 077 && head -c 24 /dev/urandom | base64 >"$quickstart/passphrase")
  fi
  export PULUMI_CONFIG_PASSPHRASE_FILE="$quickstart/passphrase"
}

# url_path PATH: as it is written in a URL.
url_path() {
  local path=${1//%/%25}
  path=${path//\#/%23}
  printf '%s' "${path//\?/%3F}"
}
