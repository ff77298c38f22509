#!/usr/bin/env bash
# Swarm nodes on one machine, for tests and for `npm run lab`: each with a network, a host name, processes and an engine of its own.
#
#   swarm-nodes.sh up FOLDER [COUNT [PROGRAMS...]]
#                                        start COUNT managers (5), or those that do not run, and print name, Docker host and address
#                                        of each, and at last the address by which they reach the machine; each node's engine is the one
#                                        in its folder of the list PROGRAMS, and without one that of the machine
#   swarm-nodes.sh status FOLDER         the nodes as the Swarm sees them
#   swarm-nodes.sh kill FOLDER NODE      end a node as a power cut does
#   swarm-nodes.sh exec FOLDER NODE COMMAND...   run a command with a node's network, files and processes
#   swarm-nodes.sh down FOLDER           end all nodes and delete FOLDER
#
# Needs root and Linux. The machine's own engine is not touched. Nodes of different FOLDERs run side by side.
set -euo pipefail
unset CDPATH

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}
usage="usage: swarm-nodes.sh up FOLDER [COUNT [PROGRAMS...]] | status FOLDER | kill FOLDER NODE | exec FOLDER NODE COMMAND... | down FOLDER"

scripts=$(cd "$(dirname "$0")" && pwd)
command=${1:-} folder=${2:-}
[ -n "$command" ] && [ -n "$folder" ] || fail "$usage"
shift 2

# Names of network links have 15 characters at most.
name_lab() {
  if [ ! -e "$folder/id" ]; then
    [ -z "$(ls -A "$folder" 2>/dev/null)" ] || fail "$folder is not empty and no folder of nodes"
    mkdir -p "$folder"
    "$scripts/free-network.sh" >"$folder/subnet"
    echo "cr$(od -An -tx1 -N4 /dev/urandom | tr -d ' \n')" >"$folder/id"
  fi
  read_lab
}
read_lab() {
  id=$(cat "$folder/id")
  subnet=$(cat "$folder/subnet")
}
url() { echo "unix://$folder/$1/docker.sock"; }
on() {
  local node=$1
  shift
  docker --host "$(url "$node")" "$@"
}
# Process of a node's engine, which is the first of its processes: all others end with it.
engine_of() {
  local outer engine
  outer=$(cat "$folder/$1/pid" 2>/dev/null) || return 1
  # The number may have gone to somebody else's process since.
  grep -qsF "$folder/$1" "/proc/$outer/cmdline" || return 1
  # The file ends without a line break, which `read` calls a failure.
  read -r engine _ <"/proc/$outer/task/$outer/children" || [ -n "$engine" ] && echo "$engine"
}
until_so() {
  local what=$1 try
  shift
  for ((try = 0; try < 600; try++)); do
    ! "$@" >/dev/null 2>&1 || return 0
    sleep 0.1
  done
  fail "$what"
}

# The switch is in a network namespace of its own: in the machine's, the rules of its Docker engine would cut the nodes off.
make_switch() {
  [ ! -e "/run/netns/$id" ] || return 0
  ip netns add "$id"
  ip -n "$id" link add switch type bridge
  ip -n "$id" link set switch up
  ip link add "${id}h" type veth peer name machine netns "$id"
  ip -n "$id" link set machine master switch up
  ip address add "$subnet.254/24" dev "${id}h"
  ip link set "${id}h" up
}
make_network() {
  local node=$1 address=$2 namespace=$id-$1
  [ ! -e "/run/netns/$namespace" ] || return 0
  ip netns add "$namespace"
  ip -n "$id" link add "$node" type veth peer name eth0 netns "$namespace"
  ip -n "$id" link set "$node" master switch up
  ip -n "$namespace" link set lo up
  ip -n "$namespace" address add "$address/24" dev eth0
  ip -n "$namespace" link set eth0 up
  ip -n "$namespace" route add default via "$subnet.254"
}
start_engine() {
  local node=$1 programs=$2 home=$folder/$1
  engine_of "$node" >/dev/null && return
  # What a machine that starts does not have either.
  rm -rf "$home/run" "$home/docker.sock" "$home/docker.pid"
  mkdir -p "$home/etc" "$home/run"
  # Names outside are not asked for: no registry of the internet is needed, and waiting for one would take half a minute.
  : >"$home/resolv.conf"
  printf '127.0.0.1 localhost\n' >"$home/hosts"
  # shellcheck disable=SC2016
  PATH="$programs${programs:+:}$PATH" setsid nsenter --net="/run/netns/$id-$node" \
    unshare --mount --uts --pid --fork --kill-child --mount-proc --propagation private \
    sh -c 'set -e
      home=$0
      hostname "$1"
      mkdir -p /etc/docker
      mount --bind "$home/etc" /etc/docker
      mount --bind "$home/resolv.conf" /etc/resolv.conf
      mount --bind "$home/hosts" /etc/hosts
      exec "$3" dockerd --host "unix://$home/docker.sock" --data-root "$home/data" --exec-root "$home/run" --pidfile "$home/docker.pid" \
        --cgroup-parent "/$2"' \
    "$home" "$node" "$id-$node" "$scripts/own-containerd.sh" >>"$home/log" 2>&1 </dev/null &
  echo $! >"$home/pid"
}
answers() { on "$1" version >/dev/null 2>&1; }
in_swarm() { [ "$(on "$1" info --format '{{.Swarm.LocalNodeState}}')" = active ]; }
is_manager() { on "$1" node ls >/dev/null 2>&1; }

up() {
  local count=${1:-5} i token
  shift $(($# > 0))
  [ "$(id -u)" = 0 ] && [ "$(uname -s)" = Linux ] || fail "nodes on one machine need root and Linux; on real nodes use docker swarm init"
  command -v dockerd >/dev/null || fail "dockerd is missing"
  mkdir -p "$folder"
  folder=$(cd "$folder" && pwd)
  name_lab
  make_switch
  for ((i = 1; i <= count; i++)); do
    make_network "node$i" "$subnet.$i"
    start_engine "node$i" "${!i:-}"
  done
  for ((i = 1; i <= count; i++)); do
    until_so "node$i did not start; see $folder/node$i/log" answers "node$i"
  done
  in_swarm node1 || on node1 swarm init --advertise-addr "$subnet.1" >/dev/null
  until_so "node1 has no Swarm" is_manager node1
  token=$(on node1 swarm join-token --quiet manager)
  for ((i = 2; i <= count; i++)); do
    in_swarm "node$i" || on "node$i" swarm join --advertise-addr "$subnet.$i" --token "$token" "$subnet.1:2377" >/dev/null
    until_so "node$i did not join the Swarm" is_manager "node$i"
  done
  for ((i = 1; i <= count; i++)); do echo "node$i $(url "node$i") $subnet.$i"; done
  echo "machine - $subnet.254"
}

status() {
  local node
  [ -e "$folder/id" ] || fail "there are no nodes in $folder"
  read_lab
  for node in "$folder"/node*; do
    if answers "$(basename "$node")"; then
      on "$(basename "$node")" node ls
      return
    fi
  done
  fail "no node answers"
}

kill_node() {
  local engine
  if engine=$(engine_of "$1"); then
    kill -9 "$engine"
    until_so "$1 did not end" gone "$1"
  fi
}
gone() { ! engine_of "$1"; }

remove_groups() {
  local group
  for group in /sys/fs/cgroup/"$id-$1" /sys/fs/cgroup/*/"$id-$1"; do
    [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

down() {
  local node name
  [ -e "$folder/id" ] || return 0
  folder=$(cd "$folder" && pwd)
  read_lab
  for node in "$folder"/node*; do
    [ -d "$node" ] || continue
    name=$(basename "$node")
    kill_node "$name"
    remove_groups "$name"
    ip netns delete "$id-$name" 2>/dev/null || true
  done
  ip link delete "${id}h" 2>/dev/null || true
  ip netns delete "$id" 2>/dev/null || true
  rm -rf "$folder"
}

case $command in
  up) up "$@" ;;
  status) status ;;
  kill) [ $# -eq 1 ] || fail "$usage"; kill_node "$1" ;;
  exec)
    [ $# -ge 2 ] || fail "$usage"
    engine=$(engine_of "$1") || fail "$1 does not run"
    shift
    exec nsenter --target "$engine" --mount --net --uts --pid "$@"
    ;;
  down) down ;;
  *) fail "$usage" ;;
esac
