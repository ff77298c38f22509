// Package garbage deletes what nobody needs any more while the registry goes on working:
// tags that the retention rules do not keep, manifests without a tag, and blobs that no
// manifest refers to.
//
// Package inventory finds out what the store holds, package retention which tags the rules keep,
// and package plan by both what goes. This one carries that out beside clients, and package control
// takes orders for it from the command.
//
// # Why no image is lost
//
// A collection lists the blobs, and then finds out what is needed, while clients push and
// pull. What is pushed after the list was made is on no list of deletions. What was on it
// may come to be needed while the collection works: a client that finds an old layer in
// the registry does not upload it again. So everything is deleted in short pauses of all
// writers, and each begins with what was pushed since (package fence says why that is
// complete): those manifests and all they refer to are taken off the list. Whoever pushes
// a manifest after the pause has the engine look for every blob of it in the store, as no
// cache outlives a pause; so a push either fails with an error or has all its blobs.
// Between pauses the rest of the list stays as it is, since every manifest that was
// pushed is taken into account before the next deletion.
//
// A pause ends after three quarters of a second (plus the answer of the store to what is
// under way; where that takes long, writers go on between attempts that wait longer), however
// large the store is: what depends on its size happens outside, and so does looking at what
// was pushed before the pause was announced.
//
// Uploads under way are not touched, but for those whose bytes the store shows, and that nobody wrote to
// for a day.
// The order of deletions is from tags to blobs, so a collection that is cut off leaves links to
// blobs, never the other way round.
//
// # Why all goes in the end
//
// Manifests without a tag stay unless somebody wants them deleted, and those that a retention rule
// freed look the same once their tags are gone. So a collection notes what it frees before it
// deletes the first tag, and the next one takes what is left of it: what was young, what clients
// counted on, and what there was no time for. That note keeps nothing from being kept for any other
// reason: it counts for manifests alone that nobody has pushed since and no tag names, with what is
// about them, and only while a rule covers their repository.
//
// A tag about a manifest that a client deleted goes, in a collection of manifests without a tag, as
// long as the store still shows that the manifest was in that repository. Where it does not, the
// tag may be about an image that is elsewhere.
package garbage
