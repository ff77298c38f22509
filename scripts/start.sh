#!/usr/bin/env bash
# npm start: sets up what is missing and deploys stack `dev`.
set -euo pipefail
"$(dirname "$0")/setup.sh"
. "$(dirname "$0")/environment.sh"
cd "$root"
use_backend
pulumi stack select dev --create >/dev/null

# The outputs are in the summary. What is no terminal gets a line for each resource that is there, but none for its begin.
up() { pulumi up --stack dev --yes --skip-preview --suppress-outputs "$@"; }
dull='^$| creating \([0-9]+s\) *$'
if [ -t 1 ]; then up "$@"; else up --suppress-progress "$@" | grep --line-buffered -vE "$dull"; fi
pulumi stack output --stack dev --json | node scripts/summary.js
