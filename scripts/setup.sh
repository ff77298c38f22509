#!/usr/bin/env bash
# Puts in place what `npm start` and `npm test` need: Node packages, Pulumi with its plugins, a Docker engine, the registry server.
# Uses what is there; a second run changes nothing. Everything it adds is in .tools and node_modules, but for a Docker engine.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/../offline/go.sh"
. "$(dirname "$0")/../offline/build-pulumi.sh"
. "$(dirname "$0")/../offline/stand-ins.sh"
cd "$root"

# A download that can't be reached must not hang: 3 s to connect, and 10 s of crawling is given up.
download() { curl --fail --silent --show-error --location --connect-timeout 3 --speed-limit 20000 --speed-time 10 --output "$2" "$1"; }

npm_ci() { quietly npm ci "$@" --no-audit --no-fund --loglevel=error; }

# What the program runs on; with --development also the tools to test it and the SDKs of the clouds, which are large. SDKs that are
# there stay: who has brought them by a plain `npm ci` needs them.
node_packages() {
  local wanted=$1 what=${2:-the package} lock installed sdk
  for sdk in aws azure-native gcp; do
    [ ! -d "node_modules/@pulumi/$sdk" ] || wanted=development
  done
  lock=$(cksum package-lock.json)
  installed=$(cat node_modules/.installed 2>/dev/null || true)
  if [ "$installed" = "development $lock" ] || [ "$installed" = "$wanted $lock" ]; then
    return
  fi
  local omit="--omit=dev --omit=optional --omit=peer"
  [ "$wanted" != development ] || omit=
  # shellcheck disable=SC2086
  timed "installing the Node packages of $what" npm_ci $omit
  printf '%s' "$wanted $lock" >node_modules/.installed
}

# What was translated and compiled for other versions of Node.js, or of what is here. Of the rest it costs a second, once. What another
# user has written stays, and what another set-up has just dropped is gone: no reason to end.
prune_caches() { find components/node_modules/.cache -type f -mtime +90 -delete 2>/dev/null || true; }

# version_at_least FOUND NEEDED
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

node_minimum=$(sed -n 's/^ *"node": ">=\(.*\)"$/\1/p' package.json)
# npm would say it in a warning, which npm_ci leaves out.
check_node() {
  local found
  found=$(node --version 2>/dev/null) || fail "Node.js $node_minimum or newer is needed: https://nodejs.org/"
  version_at_least "${found#v}" "$node_minimum" ||
    fail "Node.js $node_minimum or newer is needed, and this is $found: https://nodejs.org/"
}

pulumi_usable() {
  local found
  found=$(pulumi version 2>/dev/null) && version_at_least "${found#v}" "$pulumi_minimum"
}

platform() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo linux-x64 ;;
    Linux-aarch64) echo linux-arm64 ;;
    Darwin-x86_64) echo darwin-x64 ;;
    Darwin-arm64) echo darwin-arm64 ;;
    *) return 1 ;;
  esac
}

download_pulumi() {
  local archive=$tools/pulumi.tar.gz
  mkdir -p "$tools/pulumi/bin"
  if download "https://get.pulumi.com/releases/sdk/pulumi-v$pulumi_version-$(platform).tar.gz" "$archive" &&
    tar -xzf "$archive" --strip-components=1 -C "$tools/pulumi/bin"; then
    rm -f "$archive"
  else
    rm -rf "$archive" "$tools/pulumi"
    return 1
  fi
}

download_plugins() {
  local plugin
  for plugin in $plugins; do
    [ -d "$(plugin_folder "$plugin")" ] ||
      quietly env -u PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION pulumi plugin install resource "${plugin%%:*}" "${plugin##*:}" || return 1
  done
}

reachable() { download https://get.pulumi.com/releases/sdk/ /dev/null 2>/dev/null || [ $? = 22 ]; }

unpack_toolchain() {
  local archive=${PULUMI_TOOLCHAIN:-}
  [ -n "$archive" ] || return 1
  rm -rf "$tools/pulumi" "$tools/pulumi.partial"
  mkdir -p "$tools/pulumi.partial"
  timed "unpacking Pulumi and its plugins from $archive" tar -xJf "$archive" -C "$tools/pulumi.partial" || return
  mv "$tools/pulumi.partial" "$tools/pulumi"
}

pulumi_tools() {
  [ "$kind" = run ] || stand_in_packages
  [ "${PULUMI_HOME:-}" != "$stand_ins" ] || place_stand_ins
  ! pulumi_outdated || rm -rf "$tools/pulumi/bin"
  if pulumi_usable && ! plugins_missing; then
    return
  fi
  if [ -z "${PULUMI_TOOLCHAIN:-}" ] && reachable; then
    pulumi_usable || timed "downloading Pulumi $pulumi_version" download_pulumi || true
    . "$root/scripts/environment.sh"
    ! pulumi_usable || ! plugins_missing || timed "downloading the Pulumi plugins $plugins" download_plugins || true
  fi
  if ! pulumi_usable || plugins_missing; then
    unpack_toolchain || true
    . "$root/scripts/environment.sh"
  fi
  if [ -z "${PULUMI_TOOLCHAIN:-}" ] && ! pulumi_usable; then
    timed "building Pulumi $pulumi_version from Go modules, as no download can be reached (some minutes, once)" build_pulumi || true
    . "$root/scripts/environment.sh"
  fi
  if [ -z "${PULUMI_TOOLCHAIN:-}" ] && pulumi_usable && plugins_missing; then
    place_stand_ins
    . "$root/scripts/environment.sh"
  fi
  pulumi_usable && ! plugins_missing || fail "Pulumi $pulumi_minimum or newer with the plugins $plugins is needed, and
could not be downloaded. Install it from https://www.pulumi.com/docs/install/, or set PULUMI_TOOLCHAIN to an archive that has it
(bin/ and plugins/, see docs/toolchain.md)."
}

# macOS has no timeout command.
limited() { if command -v timeout >/dev/null; then timeout "$@"; else shift && "$@"; fi; }
engine_answers() { refusal=$(limited 20 docker version --format '{{.Server.Version}}' 2>&1 >/dev/null); }

wait_for_engine() {
  local tries=0
  until engine_answers; do
    tries=$((tries + 1))
    [ $tries -lt 120 ] || fail "the Docker engine was started but does not answer; see /var/log/dockerd.log"
    sleep 0.25
  done
}

start_engine() {
  if [ -d /run/systemd/system ]; then
    timed "starting the Docker engine by systemd" quietly systemctl start docker
  else
    say "starting the Docker engine (this machine has no init), log in /var/log/dockerd.log"
    setsid dockerd >>/var/log/dockerd.log 2>&1 </dev/null &
  fi
  wait_for_engine
}

docker_engine() {
  if engine_answers; then
    return
  fi
  local context=default host said
  # What the docker command makes of DOCKER_HOST, DOCKER_CONTEXT and the current context.
  if command -v docker >/dev/null; then
    said=$(docker context inspect --format '{{.Name}} {{.Endpoints.docker.Host}}' 2>&1 | grep .) ||
      fail "the docker command can't tell its engine: $said
Choose the one on this machine (unset DOCKER_CONTEXT, docker context use default) or another one: docker context ls"
    read -r context host <<<"$said"
  fi
  [ -z "${DOCKER_HOST:-}" ] || context=DOCKER_HOST
  [ "$context" = default ] || fail "the Docker engine at $host ($context) does not answer: $refusal
Start it, or choose the one on this machine: unset DOCKER_HOST and DOCKER_CONTEXT, docker context use default"
  if ! command -v dockerd >/dev/null && can_install; then
    apt_install docker.io iptables
  fi
  command -v dockerd >/dev/null || fail "no Docker engine answers, and none is installed. Install Docker Engine
(https://docs.docker.com/engine/install/) or Docker Desktop, or set DOCKER_HOST to one that runs elsewhere."
  if ! command -v docker >/dev/null; then
    # Since Debian 13 it is a package of its own.
    ! can_install || apt_install docker-cli || true
    command -v docker >/dev/null || fail "the docker command is missing (Debian: apt-get install docker-cli)"
    ! engine_answers || return 0
  fi
  as_root || fail "the Docker engine is installed but does not answer: $refusal
Start it (sudo systemctl start docker), and let your user talk to it (sudo usermod -aG docker \$USER, then log in again)."
  start_engine
}

# job COMMAND...: runs it beside what follows. The first job that fails ends set-up and the others; each is a group of processes, so
# that what it has started ends too.
set -m
jobs=
job() {
  (
    trap '[ $? = 0 ] || kill -USR1 $$' EXIT
    "$@"
  ) </dev/null &
  jobs="$jobs $!"
}
# The shell's own list: a job's failure may arrive before the next one's number was written down.
end_jobs() {
  local job
  for job in $(jobs -p); do
    kill -- "-$job" 2>/dev/null || true
  done
}
wait_for_jobs() {
  local job
  for job in $jobs; do
    wait "$job"
  done
  jobs=
}
trap end_jobs EXIT
trap 'exit 1' USR1 INT TERM

if [ -n "${PULUMI_TOOLCHAIN:-}" ]; then
  [ -f "$PULUMI_TOOLCHAIN" ] && [ -r "$PULUMI_TOOLCHAIN" ] || fail "PULUMI_TOOLCHAIN names $PULUMI_TOOLCHAIN, and there is no file to read. Name an archive with Pulumi
(docs/toolchain.md), or unset it to have Pulumi downloaded or built."
  [ "$(platform)" = linux-x64 ] || fail "PULUMI_TOOLCHAIN is for Linux on x64; unset it to have Pulumi downloaded or built."
fi
check_node
command -v docker >/dev/null || { [ "$(uname -s)" = Linux ] && [ -z "${DOCKER_HOST:-}" ]; } || fail "Docker is needed: https://docs.docker.com/get-docker/"

prune_caches
kind=run
[ "${1:-}" != --development ] || kind=development
job node_packages "$kind"
# Before the others, which compile, and install Debian packages as this may.
go_tools
! go_usable || go_folders "$tools/go-kept"
job docker_engine
# Without Go the server is compiled by the engine.
go_usable || wait_for_jobs
# The build that the component asks for in `up`, which then finds its result.
job server/build.sh >/dev/null
job pulumi_tools
wait_for_jobs
