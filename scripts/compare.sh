#!/usr/bin/env bash
# npm run compare -- STACK...: compares the registries of stacks; commands/compare/main.ts has the options.
set -euo pipefail
"$(dirname "$0")/setup.sh"
. "$(dirname "$0")/environment.sh"
cd "$root"
use_backend
exec node --require ./components/loader/index.cjs commands/compare/main.ts "$@"
