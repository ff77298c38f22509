package store

// Fault is what is wrong with a store.
type Fault int

const (
	// Unknown is everything else; only the driver's text says more.
	Unknown Fault = iota
	// Missing: no such bucket, container or folder.
	Missing
	// NoCredentials: none are configured, and none were found.
	NoCredentials
	// Refused: the credentials are not accepted.
	Refused
	// RefusedOrBlocked: Azure gives the same answer to wrong credentials and to a wrong network.
	RefusedOrBlocked
	// Denied: the credentials are good, but not for this.
	Denied
	// Archived: the file is in an archive tier and can't be read at once.
	Archived
	// NoKey: the key that the file is encrypted with is disabled or gone.
	NoKey
	// Held: a rule of the store lets nobody change or delete the file.
	Held
	// Elsewhere: the bucket is in another region.
	Elsewhere
	// Clock: signatures are rejected because the clocks differ.
	Clock
	// Unreachable: no connection, or no sensible answer.
	Unreachable
	// Foreign: something other than the store answers.
	Foreign
	// Garbled: the content is not what was written.
	Garbled
	// Untrusted: its TLS certificate is not accepted.
	Untrusted
	// Full: no space or quota is left.
	Full
	// Unwritable: it is mounted or configured read-only.
	Unwritable
	// Silent: it did not answer in time.
	Silent
	// Busy: it is overloaded, or has trouble of its own.
	Busy
)

// OfFile says whether the fault concerns single files only.
func (f Fault) OfFile() bool {
	switch f {
	case Archived, NoKey, Held, Garbled:
		return true
	default:
		return false
	}
}

// Lasting says whether the fault concerns the whole store and will not
// go away by itself.
func (f Fault) Lasting() bool {
	switch f {
	case Unknown, Silent, Busy:
		return false
	default:
		return !f.OfFile()
	}
}

// Away says whether nothing can be known of the store's content: the store does not answer, lets
// nobody in, or is gone.
func (f Fault) Away() bool {
	switch f {
	case Missing, Unreachable, Foreign, Silent, Busy, Untrusted, NoCredentials, Refused, RefusedOrBlocked, Elsewhere, Clock:
		return true
	default:
		return false
	}
}

// Limits says whether the store answers, but does not do all that it is asked.
func (f Fault) Limits() bool {
	switch f {
	case Denied, Full, Unwritable:
		return true
	default:
		return false
	}
}
