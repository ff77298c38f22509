#!/usr/bin/env bash
# npm test: every test. First what computes, with all cores, and then what waits most of the time: for engines, stores and tasks.
set -euo pipefail
"$(dirname "$0")/setup.sh" --development
"$(dirname "$0")/test-setup.sh"
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/parts.sh"
cd "$root"

# The built command on a folder and on real servers of stores, in one run, as it links twice at each start: the OCI conformance
# suite, then 60 uploads at once into the memory of a default container, then side by side what waits most of the time: ten
# collections during traffic, killed ones, clients that leave in the middle of everything, checks and transfers of stores. The
# tests of the deployment go first where both want a core.
real_stores() {
  part "real stores" nice -n 5 env -C server CGO_ENABLED=0 GOFLAGS=-trimpath go test -v -parallel 10 -vet=off -ldflags=-w -timeout 60m \
    -run "Conformance/(folder|S3)|ManyUploads/(S3|Swift)|Collection|Names|Held|Check|Start|Google|Truncated|Transfer|OneUpload|LateRequest" ./internal/realservers
}
engine_29() { part "engine 29" npx jest --selectProjects integration-29 --maxWorkers=1; }

part check env CONTAINER_REGISTRY_REPORTS="$parts/report" scripts/check.sh
aside real_stores
aside engine_29
part integration npx jest --selectProjects integration --maxWorkers=3
finish
