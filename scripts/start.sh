#!/usr/bin/env bash
# npm start: sets up what is missing and deploys stack `dev`.
set -euo pipefail
"$(dirname "$0")/setup.sh"
. "$(dirname "$0")/environment.sh"
cd "$root"
use_backend
# `pulumi stack rm dev`, to which Pulumi points at the end of a destroy, takes the file that makes dev a lab.
[ -e stacks/Pulumi.dev.yaml ] && removed= || removed=yes
pulumi stack select dev --create >/dev/null

# The first time there is nothing that a preview would save: later one finds out what an `up` must not begin.
first=
if ! holds_resources "$(pulumi stack export --stack dev)"; then
  first=--skip-preview
  [ -z "$removed" ] || pulumi config set lab true --stack dev
fi

# The outputs are in the summary. What is no terminal gets a line for each resource that is there, but none for its begin.
# A build that fails must not keep the outputs of the registry, which changed, from being stored.
up() { pulumi up --stack dev --yes $first --suppress-outputs --continue-on-error "$@"; }
dull='^$| creating \([0-9]+s\) *$'
deploy() { if [ -t 1 ]; then up "$@"; else up --suppress-progress "$@" | grep --line-buffered -vE "$dull"; fi || name_lock; }
deploy "$@"
outputs=$(pulumi stack output --stack dev --json)

# That somebody stopped or removed the container, Pulumi finds out only where it is told to look.
container=$(node -p 'JSON.parse(fs.readFileSync(0)).containerName || ""' <<<"$outputs")
runs() { docker "$@" container inspect --format '{{.State.Running}}' "$container" 2>/dev/null | grep -q true; }
# runs_by KEY: on an engine of the stack's own.
runs_by() { local engine; engine=$(pulumi config get "docker:$1" --stack dev 2>/dev/null) && runs "--$1" "$engine"; }
[ -z "$container" ] || runs || runs_by host || runs_by context || deploy --refresh "$@"
# Nothing is there after `npm start -- --help`.
[ "$outputs" = "{}" ] || node scripts/summary.js <<<"$outputs"
