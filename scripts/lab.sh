#!/usr/bin/env bash
# npm run lab -- up|status|down: the course's lab on this machine, five Swarm nodes with a registry. Needs root and Linux.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$root"

# stacks/Pulumi.lab.yaml names the sockets in it.
nodes=/var/tmp/container-registry-lab
export DOCKER_HOST=unix://$nodes/node1/docker.sock
unset DOCKER_CONTEXT

# A machine has one lab, and its clone is the one with its state.
check_owner() {
  local owner
  [ -e "$nodes/id" ] || return 0
  if owner=$(cat "$nodes/owner" 2>/dev/null); then
    [ -e "$owner/scripts/lab.sh" ] && [ ! "$owner" -ef "$root" ] || return 0
    echo "lab: the lab on this machine is of the clone in $owner. Take it down there first: npm run lab -- down" >&2
  elif (has_stack lab); then
    # It was made before owners were noted, or its `up` was cut off.
    return 0
  else
    echo "lab: there is a lab on this machine, and none in the state of this clone. Take it down in the clone that made it; if that is gone: scripts/swarm-nodes.sh down $nodes" >&2
  fi
  exit 1
}

up() {
  env -u DOCKER_HOST scripts/setup.sh
  . scripts/environment.sh
  check_owner
  use_backend
  pulumi stack select lab --create >/dev/null
  scripts/swarm-nodes.sh up "$nodes" >/dev/null
  echo "$root" >"$nodes/owner"
  pulumi up --stack lab --yes --skip-preview
  docker node ls
  cat <<END

Every node has the registry on $(pulumi stack output --stack lab repositoryPrefix). Work on node 1:

  export DOCKER_HOST=$DOCKER_HOST
  npm run --silent pulumi -- stack output --stack lab password --show-secrets | docker login 127.0.0.1:5000 --username admin --password-stdin

and on the others with node2 to node5 instead. As if on a node's machine: scripts/swarm-nodes.sh exec $nodes node2 curl --insecure https://127.0.0.1:5000/
Take all of it down with: npm run lab -- down
END
}

status() {
  scripts/swarm-nodes.sh status "$nodes"
  docker service ls
}

# In a shell of its own, which ends with 1 where the stack can't be looked at, and with 2 where it can't be removed.
remove_stack() (
  without=
  has_stack lab || exit 0
  # Nodes that are gone have taken the registry with them.
  pulumi destroy --stack lab --yes --skip-preview || without=yes
  if ! pulumi stack rm lab --yes --force --preserve-config; then
    echo "lab: the nodes stay. If the stack is locked, and no other up or down of the lab runs: npm run --silent pulumi -- cancel --yes --stack lab, then again" >&2
    exit 2
  fi
  [ -z "$without" ] || echo "lab: the nodes are taken down without it" >&2
)

down() {
  local failed=0
  check_owner
  remove_stack || failed=$?
  [ "$failed" != 2 ] || exit 1
  scripts/swarm-nodes.sh down "$nodes"
  if [ "$failed" != 0 ]; then
    echo "lab: the nodes are gone, but the stack lab stays, for the reason above. Once that is mended: npm run lab -- down" >&2
    exit 1
  fi
}

case ${1:-} in
  up | status | down) "$1" ;;
  *)
    echo "usage: npm run lab -- up|status|down" >&2
    exit 2
    ;;
esac
