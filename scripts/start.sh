#!/usr/bin/env bash
# npm start: sets up what is missing and deploys stack `dev`.
set -euo pipefail
"$(dirname "$0")/setup.sh"
. "$(dirname "$0")/environment.sh"
cd "$root"
use_backend
pulumi stack select dev --create >/dev/null
pulumi up --stack dev --yes --skip-preview "$@"
pulumi stack output --stack dev --json | node scripts/summary.js
