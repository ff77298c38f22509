#!/usr/bin/env bash
# npm run bench:NAME: runs test/bench/NAME.ts with what set-up has put in place.
set -euo pipefail
"$(dirname "$0")/setup.sh" --development
"$(dirname "$0")/test-setup.sh"
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/common.sh"
# The load generator and htpasswd, and the old registry to compare with.
command -v ab >/dev/null && command -v docker-registry >/dev/null || ! can_install || apt_install apache2-utils docker-registry
cd "$root"
name=$1
shift
exec node --require ./components/loader/index.cjs "test/bench/$name.ts" "$@"
