#!/usr/bin/env bash
# npm test: every test.
set -euo pipefail
"$(dirname "$0")/setup.sh" --development
"$(dirname "$0")/test-setup.sh"
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/parts.sh"
cd "$root"

in_server() { (cd server && "$@"); }
server() {
  part "lint go" scripts/lint-go.sh
  # -short leaves out objects of 5 GiB and folders of 12,000 entries; CONTRIBUTING.md says how to run those. lint-go.sh has vetted.
  part "go test" in_server go test -short -vet=off -ldflags=-w -timeout 30m ./...
  # The built command on a folder and on real servers of stores, in one run, as it links twice at each start: the OCI conformance
  # suite, then 60 uploads at once into the memory of a default container, then side by side what waits most of the time: ten
  # collections during traffic, killed ones, and clients that leave in the middle of everything.
  part "real stores" in_server go test -v -parallel 10 -vet=off -ldflags=-w -timeout 60m \
    -run "Conformance/(folder|S3)|ManyUploads/(S3|Swift)|Collection|Names|Held" ./internal/realservers
}

aside server
part types npm run --silent typecheck
part lint npm run --silent lint:files
part unit npx jest --selectProjects unit --maxWorkers=2
# Two files at a time. With three the run takes 24 minutes instead of 30, and what the Go lane waits for has less of the cores.
part integration npx jest --selectProjects integration integration-29 --maxWorkers=2
finish
