#!/usr/bin/env bash
# npm test: every test. Goes on after a part that fails, so that one run tells all; fails if any part did.
set -euo pipefail
"$(dirname "$0")/setup.sh" --development
"$(dirname "$0")/test-setup.sh"
. "$(dirname "$0")/environment.sh"
cd "$root"

report=()
failed=0
# part NAME COMMAND...
part() {
  local name=$1 start=$SECONDS result=ok
  shift
  printf '\n== %s\n' "$name"
  "$@" || {
    result=FAILED
    failed=1
  }
  report+=("$(printf '%-12s %-6s %4d s' "$name" "$result" $((SECONDS - start)))")
}
in_image() { (cd image && "$@"); }

part types npm run --silent typecheck
part "go vet" in_image go vet ./...
# -short leaves out objects of 5 GiB and folders of 12,000 entries; CONTRIBUTING.md says how to run those.
part "go test" in_image go test -short -timeout 20m ./...
# Ten collections during traffic, and killed ones, on a folder and on real S3 and Swift servers. They wait most of the time.
part collections in_image go test -v -parallel 10 -timeout 15m -run "Collection|Names" ./internal/realservers
part unit npx jest --selectProjects unit
part integration npx jest --selectProjects integration --runInBand

printf '\n'
printf '%s\n' "${report[@]}"
exit $failed
