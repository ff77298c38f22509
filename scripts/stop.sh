#!/usr/bin/env bash
# npm stop: destroys stack `dev`.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$root"
nothing() {
  echo "There is $1; nothing to take down."
  exit 0
}
has_stack dev || nothing "no stack dev"
state=$(pulumi stack export --stack dev)
holds_resources "$state" || nothing "nothing in the stack dev"
# Pulumi would forget what is on another engine than the one it goes to.
[ ! -d node_modules ] || node --require ./components/loader/index.cjs scripts/volumes.ts <<<"$state" || {
  echo "Nothing was taken down. Run npm start where the registry is, then npm stop. If it is gone for good: npm run pulumi -- destroy --stack dev" >&2
  exit 1
}
# With the preview: without it a stack whose images are protected would lose all but them before it is refused.
pulumi destroy --stack dev --yes "$@" || name_lock
echo
if docker container inspect container-registry-dev >/dev/null 2>&1; then
  echo "The stack dev is gone. The container container-registry-dev is not its own, and stays: another clone's, or another state's."
else
  echo "The registry is gone. Bring up a new one with: npm start"
fi
echo "No more is needed: \`pulumi stack rm dev\` would take stacks/Pulumi.dev.yaml too, unless by --preserve-config."
