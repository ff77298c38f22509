// Package simulation has tests alone. They search for holes in what packages fence and
// garbage promise: several servers with the real engine share one store, clients push,
// mount, move tags and delete, collections run, and an adversary delays and fails the
// store's requests, cuts servers off, suspends, kills and restarts them, and lets listings
// lag behind. Time is virtual, so that hours take seconds.
//
// What must hold, whatever the adversary does:
//
//   - an image whose push was answered with 201 and that nobody deleted stays whole,
//     but for the deletion on its way that package fence says can't be caught: it is lost here
//   - an image that was pushed by its digest to the one server there is stays for what is to name it
//   - a push that is refused has changed no tag
//   - where nothing fails, a write waits no longer than promised, a collection ends, and
//     a push through the one server there is finds the blobs that it was told exist
//   - when all is well again, a collection frees all that is free
//
// Each schedule has a seed. Go's scheduler has a little say as well, so a seed mostly, not
// always, finds the same again:
//
//	go test ./internal/simulation -run Search -from 0 -for 1h -timeout 2h # many schedules that nobody has run
//	go test ./internal/simulation -run Search -seed 42 -v                 # one, with its trace
//	go test -tags holes -timeout 3h  ./internal/simulation -run Holes     # is every hole found?
package simulation
