// Package garbage deletes what nobody needs any more while the registry goes on working: tags that
// the retention rules do not keep, manifests without a tag, and blobs that no manifest refers to.
//
// Package inventory finds out what the store holds, package retention which tags the rules keep, and
// package plan derives from both what is to be deleted. This package carries the plan out while
// clients go on, and package control takes orders for it from the command.
//
// # Why no image is lost
//
// A collection lists the blobs, and then finds out what is needed, while clients push and pull. What
// is pushed after the list was made is not on the list of deletions. What is on it may come to be
// needed while the collection works: a client that finds an old layer in the registry does not upload
// it again. So everything is deleted in short pauses of all writers. Each pause begins with what was
// pushed since the last one (package fence says why that is complete): those manifests and all they
// refer to are taken off the list. When a manifest is pushed after the pause, the engine looks for
// each of its blobs in the store, because no cache outlives a pause. So a push either fails with an
// error or has all its blobs. Between pauses the rest of the list remains valid, because every
// manifest that was pushed is taken into account before the next deletion.
//
// However large the store is, a pause ends after three quarters of a second, plus the time that the
// store takes to answer the requests under way. If writers under way do not end soon enough, the
// pause is given up, writers go on, and the next attempt waits longer. Work that depends on the size
// of the store is done outside pauses, and so is the look at what was pushed before a pause was
// announced.
//
// Uploads under way are not touched, except those whose bytes the store shows and that nobody has
// written to for a day. Deletions go from tags to blobs, so a collection that is cut off may leave
// blobs that nothing links to, but no links to blobs that are gone.
//
// # Why all goes in the end
//
// Manifests without a tag stay unless somebody wants them deleted, and those that a retention rule
// freed look the same once their tags are gone. So a collection notes what it frees before it deletes
// the first tag, and the next one takes what is left of it: what was young, what clients counted on,
// and what there was no time for. The note does not override any other reason to keep a manifest. It
// counts only for manifests that nobody has pushed since and no tag names, together with what is
// about them, and only while a rule covers their repository.
//
// If a client deleted a manifest, a tag about it is deleted by a collection of manifests without a
// tag, as long as the store still shows that the manifest was in that repository. If the store does
// not show that, the tag may be about an image that is elsewhere.
package garbage
