#!/usr/bin/env bash
# npm run pulumi -- ARGUMENTS: Pulumi as set-up has put it in place, with the quick start's state.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$root"
use_backend
exec pulumi "$@"
