// Package fence keeps writers and a garbage collection out of each other's way, also when several servers
// share a store. Package simulation searches for holes in it.
//
// # What it promises
//
// Whatever a collection deletes, a manifest whose push was answered with 201 has all its blobs, and a
// push that is refused has changed no tag. On the server that collects, the gate ensures this: a pause
// begins only when no manifest is under way, and knows of all that were pushed. For other servers it
// follows from the order of writes and reads:
//
//   - The collection writes its object (Acquire) and only then looks at the store. In each pause it says
//     "sweep" in that object, begins a new generation, and only then reads the journal and deletes.
//   - A push that finds a collection under way enters its manifest and all that it needs in the journal,
//     and looks again. If nothing says "sweep", every pause from then on reads the entry. Only now does
//     the engine look for the blobs: those that are there stay, and if one is gone the push is refused.
//   - A push that finds no collection lets the engine look for the blobs and write the manifest, and
//     looks again. If there is still no collection and the generation is the same, nothing was deleted
//     meanwhile, and any later collection sees the manifest. Otherwise the push begins anew. The tag is
//     written after this check, which is then repeated.
//
// If there are several such objects, the strictest counts. One that can't be read counts as "sweep".
//
// Two collections can't run at once: both write their objects and then list them, so at least one sees
// the other and withdraws.
//
// A holder is a collection that has written its object. One that was killed stops renewing it. Every
// server measures, on a clock of its own that goes on while the machine is suspended, how long the object
// has been the same. After Timing.Expiry it treats the holder as gone. A holder that could not renew its
// object for half that time, or finds it gone when a pause begins, deletes nothing more. It checks the
// time before each request to delete, and requests under way are cut off.
//
// A push trusts the generations of collections that know of it. So the generations that a dead holder
// left are replaced by one that nobody trusts, and a holder that has lost its right to collect no longer
// replaces any.
//
// A store may carry out a deletion late, when the process that asked for it is gone or got an error. So a
// holder that swept counts until it expires, also for the next process of its name, and one whose
// deletion failed leaves its object to expire. A collection that is told to end lets the deletions under
// way end first. (If the store carries out a deletion even after all that, only a fencing token in the
// store's own protocol could catch it, and no storage driver has that.)
//
// No cache learns of what clients delete through another server, and a cache that asks the store may note
// what it found when that is already gone. So a push looks for the links to all its parts, and a pull by
// digest for the link to the manifest. If a link is missing, the engine believes no cache.
//
// # What it spares clients
//
// A client asks whether a blob exists, is told so, and pushes the manifest minutes later. If nothing
// referred to the blob, a collection in between takes it and the manifest is refused: nothing is lost,
// but the push fails. So the server remembers what clients have asked for, mounted or uploaded, and keeps
// it until a tagged manifest in that repository refers to it, for an hour at most. Only the server that
// was asked knows; for several servers on one store there is the grace period of the collection. What a
// process remembered is gone with it. The only loss from that would be manifests that were answered with
// 201 and never had a tag, and the store shows those.
//
// # Clients among themselves
//
// A deletion of a manifest also deletes the tags that name it at that time. A push of the same manifest
// in the meantime finds the manifest gone after writing the tag, and begins anew. A tag that was
// meanwhile pushed anew stays: the deletion asks again what it names, and no push through the same server
// writes the tag while it is being deleted. For other servers, the deleting server writes an object
// (announce) before it asks what a tag names, and leaves it until the tag is gone. A push that has
// written the tag looks for such objects, waits for their end, and checks that the tag and the manifest
// are there. An object that appears after that look is from a deletion that finds the tag as the push
// wrote it. A deletion that fails between the manifest and its tags is finished when a client asks for it
// again.
//
// Deleting is for several deletions that depend on one look at a repository. It has pushes to that
// repository wait, as a collection does for all repositories: first it writes an object, then a
// generation, and only then does it look.
//
// # Stores whose listings lag
//
// Swift's listings lag behind. There, a collection waits longer after it says "sweep", manifests of the
// last minutes count as pushed during it, and its object stays, once it is done, until others can list
// the generation it left. The object of a client's deletion may be seen too late.
package fence
