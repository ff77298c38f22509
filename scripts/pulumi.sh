#!/usr/bin/env bash
# npm run pulumi -- ARGUMENTS: Pulumi as set-up puts it in place, with the quick start's state.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/../offline/build-pulumi.sh"
. "$(dirname "$0")/../offline/stand-ins.sh"
# npm goes up to this project from any folder below it, and there may be a project of Pulumi's own on the way.
folder=${INIT_CWD:-}
while [[ $folder == "$root"/* ]]; do
  for project in "$folder"/Pulumi.{yaml,yml,json}; do
    [ ! -f "$project" ] || {
      echo "$folder has a Pulumi project of its own, and this is Pulumi for the one in $root. There it takes a pulumi on PATH." >&2
      exit 1
    }
  done
  folder=${folder%/*}
done
# Whether set-up has put in place what another version of this project needs: a `git pull` came after it.
outdated() { packages_outdated "$root" || pulumi_outdated || { [ "${PULUMI_HOME:-}" = "$stand_ins" ] && stand_ins_outdated; }; }
# What is printed and what is typed are Pulumi's.
if ! command -v pulumi >/dev/null || outdated; then
  "$root/scripts/setup.sh" </dev/null >&2
  . "$root/scripts/environment.sh"
fi
cd "$root"
use_backend
exec pulumi "$@"
