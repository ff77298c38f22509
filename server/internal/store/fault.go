package store

// Fault is what is wrong with a store.
type Fault int

const (
	// Unknown is everything else; only the driver's text says more.
	Unknown Fault = iota
	// Missing: no such bucket, container or folder.
	Missing
	// NoCredentials: none configured, none found.
	NoCredentials
	// Refused: the credentials are not accepted.
	Refused
	// RefusedOrBlocked: Azure answers so to wrong credentials and to a wrong network.
	RefusedOrBlocked
	// Denied: the credentials are good, but not for this.
	Denied
	// Archived: it is kept where nobody can read it at once.
	Archived
	// NoKey: the key it is encrypted with is disabled or gone.
	NoKey
	// Held: a rule of the store's lets nobody change or delete it.
	Held
	// Elsewhere: the bucket is in another region.
	Elsewhere
	// Clock: signatures are rejected since the clocks differ.
	Clock
	// Unreachable: no connection, or no sensible answer.
	Unreachable
	// Foreign: what answers is not the store.
	Foreign
	// Garbled: it is not what was written there.
	Garbled
	// Untrusted: its TLS certificate is not accepted.
	Untrusted
	// Full: no space or quota is left.
	Full
	// Unwritable: it is mounted or configured read-only.
	Unwritable
	// Silent: it did not answer in time.
	Silent
	// Busy: it has too much to do, or something of its own to put right.
	Busy
)

// OfFile says whether the fault is one of single files, and others are as they were.
func (f Fault) OfFile() bool {
	switch f {
	case Archived, NoKey, Held, Garbled:
		return true
	default:
		return false
	}
}

// Lasting says whether the fault concerns all that is done with the store and will not
// go away by itself.
func (f Fault) Lasting() bool {
	switch f {
	case Unknown, Silent, Busy:
		return false
	default:
		return !f.OfFile()
	}
}

// Away says whether nothing can be told of what is in the store: it does not answer, lets
// nobody in, or is gone.
func (f Fault) Away() bool {
	switch f {
	case Missing, Unreachable, Foreign, Silent, Busy, Untrusted, NoCredentials, Refused, RefusedOrBlocked, Elsewhere, Clock:
		return true
	default:
		return false
	}
}

// Limits says whether the store answers, and does not do all that it is asked.
func (f Fault) Limits() bool {
	switch f {
	case Denied, Full, Unwritable:
		return true
	default:
		return false
	}
}
