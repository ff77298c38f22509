// Package fence keeps writers and a garbage collection out of each other's way, also when
// several servers share a store. Package simulation searches for holes in it.
//
// # What it promises
//
// Whatever a collection deletes, a manifest whose push was answered with 201 has all its
// blobs; a push that is refused has changed no tag. For the server that collects itself
// the gate does that: a pause begins when no manifest is under way, and knows of all that
// were pushed. For other servers it follows from the order of what is written and read:
//
//   - The collection writes its object (Acquire) and only then looks at the store. In each
//     pause it says "sweep" in that object, begins a new generation, and only then reads
//     the journal and deletes.
//   - A push that finds a collection under way writes its manifest and all it needs into
//     the journal, and looks again: no "sweep" means that every pause from then on reads
//     that. Only now does the engine look for the blobs: what is there stays, what is gone
//     is refused.
//   - A push that finds none lets the engine look and write the manifest, and looks again.
//     Still none, and the same generation: nothing was deleted meanwhile, and whoever
//     collects afterwards sees the manifest. Otherwise it begins anew. The tag is written
//     after that, and after it the same is asked once more.
//
// Of several holders the strictest counts, and one that can't be read is one that deletes.
//
// Two collections at once can't be: both write their objects and then list them, so at
// least one sees the other and withdraws.
//
// A holder that was killed stops renewing its object. Everybody counts, on a clock of its
// own that goes on while the machine is suspended, how long the object has been the same,
// and after Timing.Expiry it is as good as gone. A holder that could not renew for half of
// that, or does not find its object before a pause, deletes nothing more, which it asks
// itself before each request to delete, and requests under way are cut off.
//
// A push trusts the generations of collections that know of it. So what a dead holder left is
// replaced by one that nobody trusts, and a holder that was lost replaces none any more.
//
// What a store was asked to delete it may carry out later, though who asked is gone or got
// an error. So a holder that swept counts until it expires, also for the next process of
// its name, and one whose deletion failed leaves its object to that. A collection that is
// told to end lets the deletions under way end first. (A deletion that the store carries
// out after all that is the one case nothing but a fencing token in the store's own
// protocol could catch; no storage driver has that.)
//
// No cache tells of what clients delete by way of another server, and one that asks the store
// may note what it found after it has gone. So a push looks for the links to all its parts, and
// a pull by digest for that to the manifest, and where one is missing the engine believes no cache.
//
// # What it spares clients
//
// A client asks whether a blob exists, is told so, and pushes the manifest minutes later.
// If nothing referred to the blob, a collection in between takes it and the manifest is
// refused: nothing is lost, but the push fails. So the server remembers what clients have
// asked for, mounted or uploaded, until a tagged manifest in that repository refers to it,
// for an hour at most, and keeps it. Only the server that was asked knows; for several
// servers on one store there is the grace period of the collection. Of a process that is gone the
// store shows what alone would be lost: manifests that were answered with 201 and never had a tag.
//
// # Clients among themselves
//
// Who deletes a manifest deletes the tags that name it then. Somebody who pushes the same
// manifest meanwhile finds it gone when the tag is written, and begins anew. A tag that was
// pushed anew meanwhile stays: it is asked again what it names, and not written while it is
// deleted. Another server says so in an object (announce) before it asks what a tag names, and
// leaves that object until the tag is gone. Who has written the tag looks for such objects, waits
// for their end, and looks whether the tag and the manifest are there: an object that came after
// that look is of a deletion that finds the tag as it was written. A deletion that fails between
// the manifest and its tags is finished when it is asked for again.
//
// Who deletes several things by what a look at the repository said (Deleting) has pushes to it wait, as a
// collection does for all: by an object, a generation after that, and only then the look.
//
// # Stores whose listings lag
//
// Swift's listings lag behind. There, everything waits longer after "sweep", manifests of the
// last minutes count as pushed during the collection, and a holder that is done stays until
// others can list the generation it left. The object of a client's deletion may be seen too late.
package fence
