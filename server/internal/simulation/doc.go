// Package simulation consists of tests only. They search for holes in what packages fence and
// garbage promise. Several servers with the real engine share one store, clients push,
// mount, move tags and delete, and collections run. An adversary delays requests to the
// store and has them fail, cuts servers off, suspends, kills and restarts them, and lets
// listings lag behind. Time is virtual, so that hours take seconds.
//
// What must hold, whatever the adversary does:
//
//   - an image whose push was answered with 201 and that nobody deleted stays whole; the late
//     deletion that package fence says can't be caught is lost on its way here
//   - if there is one server, an image that was pushed to it by its digest stays for what is
//     yet to name it
//   - a push that is refused has changed no tag
//   - if nothing fails, a write waits no longer than promised, a collection ends, and if
//     there is one server, a push through it finds the blobs that it was told exist
//   - when all is well again, a collection frees all that can be freed
//
// Each schedule has a seed. Go's scheduler has a little influence as well, so a seed usually,
// but not always, finds the same again:
//
//	go test ./internal/simulation -run Search -from 0 -for 1h -timeout 2h # many schedules that nobody has run
//	go test ./internal/simulation -run Search -seed 42 -v                 # one, with its trace
//	go test -tags holes -timeout 3h  ./internal/simulation -run Holes     # is every hole found?
package simulation
