#!/usr/bin/env bash
# npm stop: destroys stack `dev`.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$root"
use_backend
if ! has_stack dev; then
  echo "There is no stack dev; nothing to take down."
  exit 0
fi
# With the preview: without it a stack whose images are protected would lose all but them before it is refused.
pulumi destroy --stack dev --yes "$@"
echo
echo "The registry is gone. Bring up a new one with: npm start"
