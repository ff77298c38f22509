#!/usr/bin/env bash
# Checks the Go sources of the bundled server: their format and what go vet finds.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/../server"

if ! command -v go >/dev/null; then
  echo "lint-go: Go is needed to check the Go sources in server/: https://go.dev/dl/" >&2
  exit 1
fi
unformatted=$(gofmt -l .)
if [ -n "$unformatted" ]; then
  printf 'lint-go: not as gofmt writes it (run: npm run format):\n%s\n' "$unformatted" >&2
  exit 1
fi
# With the flags of check.sh, which compiles the same then.
CGO_ENABLED=0 GOFLAGS=-trimpath go vet ./...
