#!/usr/bin/env bash
# npm run images -- list|delete …: looks into the registry of a stack.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$root"
use_backend
exec node --require ./components/loader/index.cjs commands/images/main.ts "$@"
