#!/usr/bin/env bash
# npm run pulumi -- ARGUMENTS: Pulumi as set-up puts it in place, with the quick start's state.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
# What is printed and what is typed are Pulumi's.
if ! command -v pulumi >/dev/null; then
  "$root/scripts/setup.sh" </dev/null >&2
  . "$root/scripts/environment.sh"
fi
cd "$root"
use_backend
exec pulumi "$@"
