#!/usr/bin/env bash
# npm run images -- list|delete …: looks into the registry of a stack.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$root"
if [ ! -d node_modules ]; then
  case " $* " in *" --help "* | *" -h "*) exec cat commands/images/usage.txt ;; esac
  echo "There is no registry to look into; npm start brings one, and what this needs." >&2
  exit 1
fi
use_backend
exec node --require ./components/loader/index.cjs commands/images/main.ts "$@"
