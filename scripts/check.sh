#!/usr/bin/env bash
# npm run check: what can be checked in three minutes, before a commit: all but the tests that deploy something.
set -euo pipefail
"$(dirname "$0")/setup.sh" --development
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/parts.sh"
cd "$root"

server() {
  part "lint go" scripts/lint-go.sh
  # -short leaves out objects of 5 GiB and folders of 12,000 entries; CONTRIBUTING.md says how to run those. lint-go.sh has vetted.
  # First what waits for servers of stores most of the time, beside two that compute. With the server's own flags what is compiled
  # serves both, and every folder.
  part "go test" env -C server CGO_ENABLED=0 GOFLAGS=-trimpath go test -p 3 -short -vet=off -ldflags=-w -timeout 30m ./internal/storage/swift ./internal/storage/oss ./...
}

aside server
part types npm run --silent typecheck
part lint npm run --silent lint:files
part unit npx jest --selectProjects unit --maxWorkers=100%
finish
