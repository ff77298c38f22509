#!/usr/bin/env bash
# npm run lab -- up|status|down: the course's lab on this machine, five Swarm nodes with a registry. Needs root and Linux.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$root"

# stacks/Pulumi.lab.yaml names the sockets in it.
nodes=/var/tmp/container-registry-lab
export DOCKER_HOST=unix://$nodes/node1/docker.sock
unset DOCKER_CONTEXT

up() {
  env -u DOCKER_HOST scripts/setup.sh
  . scripts/environment.sh
  scripts/swarm-nodes.sh up "$nodes" >/dev/null
  use_backend
  pulumi stack select lab --create >/dev/null
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

down() {
  if has_stack lab; then
    # Nodes that are gone have taken the registry with them.
    pulumi destroy --stack lab --yes --skip-preview || echo "lab: the nodes are taken down without it" >&2
    pulumi stack rm lab --yes --force --preserve-config
  fi
  scripts/swarm-nodes.sh down "$nodes"
}

case ${1:-} in
  up | status | down) "$1" ;;
  *)
    echo "usage: npm run lab -- up|status|down" >&2
    exit 2
    ;;
esac
