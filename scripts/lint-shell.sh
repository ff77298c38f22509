#!/usr/bin/env bash
# Checks the shell scripts, and what they source, with shellcheck; it is installed on Debian and Ubuntu if it is missing.
set -euo pipefail
unset CDPATH
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.."
command -v shellcheck >/dev/null || ! can_install || apt_install shellcheck
command -v shellcheck >/dev/null || fail "shellcheck is needed to check the shell scripts: https://www.shellcheck.net"
git ls-files -z | xargs -0 awk 'FNR == 1 && /^#!.*sh$/ { printf "%s%c", FILENAME, 0 } { nextfile }' | xargs -0 shellcheck
