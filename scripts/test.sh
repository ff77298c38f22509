#!/usr/bin/env bash
# npm test: every test.
set -euo pipefail
"$(dirname "$0")/setup.sh" --development
"$(dirname "$0")/test-setup.sh"
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/parts.sh"
cd "$root"

# The other lane goes first where both want a core.
in_server() { (cd server && nice -n 5 "$@"); }
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

# Its last part is tests of the deployment: a third at a time while Go's run as well takes the cores from what waits for a moment.
server_then_engine_29() {
  server
  part "engine 29" npx jest --selectProjects integration-29 --maxWorkers=1
}

aside server_then_engine_29
part types npm run --silent typecheck
part lint npm run --silent lint:files
part unit npx jest --selectProjects unit --maxWorkers=2
part integration npx jest --selectProjects integration --maxWorkers=2
finish
