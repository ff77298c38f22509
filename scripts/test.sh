#!/usr/bin/env bash
# npm test: every test.
set -euo pipefail
"$(dirname "$0")/setup.sh" --development
"$(dirname "$0")/test-setup.sh"
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/parts.sh"
cd "$root"

in_image() { (cd server && "$@"); }
server() {
  part "lint go" scripts/lint-go.sh
  # -short leaves out objects of 5 GiB and folders of 12,000 entries; CONTRIBUTING.md says how to run those.
  part "go test" in_image go test -short -timeout 30m ./...
  # Ten collections during traffic, and killed ones, on a folder and on real S3 and Swift servers. They wait most of the time.
  part collections in_image go test -v -parallel 10 -timeout 30m -run "Collection|Names" ./internal/realservers
  # The OCI conformance suite, on a folder and on a real S3 server.
  part conformance in_image go test -v -timeout 30m -run "Conformance/(folder|S3)" ./internal/realservers
  # 60 uploads at once into the memory of a default container.
  part uploads in_image go test -v -timeout 30m -run "ManyUploads/(S3|Swift)" ./internal/realservers
}

aside server
part types npm run --silent typecheck
part lint npm run --silent lint:files
part unit npx jest --selectProjects unit --maxWorkers=2
# Two files at a time: a third finds the cores busy, by the other two and by the Go lane, and only makes each wait longer.
part integration npx jest --selectProjects integration integration-29 --maxWorkers=2
finish
