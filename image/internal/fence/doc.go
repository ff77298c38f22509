// Package fence keeps writers and a garbage collection out of each other's way, also when
// several servers share a store.
//
// # What it promises
//
// The collection deletes in pauses. A manifest whose push was answered with 201 is either
// in the store before the collection looks, or among what Pause returns before anything
// is deleted. Both hold because of the order in which things are written and read:
//
//   - The collection writes its object (Acquire) and only then looks at the store. It says
//     "sweep" in that object, and only then reads the journal.
//   - A writer puts its manifest, and only then looks for such objects. When it finds none,
//     whoever collects afterwards sees the manifest. When it finds "mark", it writes the
//     manifest's name into the journal and looks once more: still no "sweep" means that
//     the journal is read later than this. When it finds "sweep", the manifest may have
//     come too late, and is put again after the pause: the engine then looks for every
//     blob of it, and refuses it if one is gone.
//
// No clock takes part in that. For the server that collects itself, the gate does the same
// without going through the store: manifests under way are waited for.
//
// Two collections at once can't be: both write their objects and then list them, so at
// least one sees the other and withdraws.
//
// A holder that was killed stops renewing its object. Everybody counts, on its own
// monotonic clock, how long the object has been the same, and after Timing.Expiry it is
// as good as gone. A holder that could not renew for half of that deletes nothing more.
// (A process that is frozen between that check and the deletion of one blob, for longer
// than the other half, is the one case nothing but a fencing token in the store's own
// protocol could catch; no storage driver has that.)
//
// # What it spares clients
//
// A client asks whether a blob exists, is told so, and pushes the manifest minutes later.
// If nothing referred to the blob, a collection in between takes it and the manifest is
// refused: nothing is lost, but the push fails. So the server remembers what clients have
// asked for, mounted or uploaded, until a manifest in that repository refers to it, for
// an hour at most, and keeps it. Only the server that was asked knows; for several
// servers on one store there is the grace period of the collection.
//
// Swift's listings lag behind. There, everything waits longer after "sweep", and manifests
// of the last minutes count as pushed during the collection.
package fence
