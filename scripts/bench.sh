#!/usr/bin/env bash
# npm run bench:NAME: runs bench/NAME.ts with what set-up has put in place.
set -euo pipefail
"$(dirname "$0")/setup.sh" --development
"$(dirname "$0")/test-setup.sh"
. "$(dirname "$0")/environment.sh"
cd "$root"
name=$1
shift
exec node --require ./program/loadTypescript.cjs "bench/$name.ts" "$@"
