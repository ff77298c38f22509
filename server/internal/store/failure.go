package store

import (
	"fmt"
	"regexp"

	"container-registry/server/internal/traits"
)

// Action is what was tried with a store, worded to follow "cannot".
type Action string

// What a registry does with a store.
const (
	Open   Action = "open"
	List   Action = "list"
	Read   Action = "read from"
	Write  Action = "write to"
	Upload Action = "upload to"
	Copy   Action = "copy in parts in"
	Delete Action = "delete from"
)

// Failure is an action that failed on a store, described in one line.
type Failure struct {
	Fault  Fault
	Action Action
	text   string
	cause  error
}

// undeleted is how S3 lists what it did not delete. Its driver may report this for a move as well, which
// copies an object and deletes the original.
var undeleted = regexp.MustCompile(`\{\s+Code: "`)

func (f *Failure) Error() string { return f.text }

func (f *Failure) Unwrap() error { return f.cause }

// Away says whether an error means that the store can't be asked. If something is missing in a folder, it is
// a file that somebody else has deleted, not the store.
func (s *Store) Away(err error) bool {
	fault := diagnose(s.driver, err)
	return fault.Away() && (fault != Missing || !traits.Of[s.driver].Folder)
}

// Limits says whether an error means that the store answers, but does not do all that it is asked.
func (s *Store) Limits(err error) bool { return diagnose(s.driver, err).Limits() }

// OfFile says whether an error concerns single files only.
func (s *Store) OfFile(err error) bool { return diagnose(s.driver, err).OfFile() }

// Failure says which action failed on which store, why, what to do, and in brackets what
// the driver said.
func (s *Store) Failure(action Action, err error) *Failure {
	fault := diagnose(s.driver, err)
	if undeleted.MatchString(err.Error()) {
		action = Delete
	}
	text := fmt.Sprintf("cannot %s %s: ", action, s)
	said := brief(s.driver, err, s.secrets)
	if advice := s.advice(fault, action); advice != "" {
		text += fmt.Sprintf("%s (%s)", advice, said)
	} else {
		text += said
	}
	return &Failure{fault, action, text, err}
}

func (p place) advice(fault Fault, action Action) string {
	// A store that does not support copies of parts takes one for an upload of an empty part, and answers accordingly.
	if action == Copy && (fault == Denied || fault == Unknown || fault == Foreign) {
		return fmt.Sprintf("layers of more than %s are copied so; allow that, or set it to %d, which copies smaller ones at once",
			p.key("multipartcopythresholdsize"), largestCopy)
	}
	switch fault {
	case Missing:
		return "it does not exist; create it or correct " + p.key(p.nameKey)
	case NoCredentials:
		return fmt.Sprintf("no credentials were found; give %s, or run where the cloud gives an identity", p.key(p.credentialKeys))
	case Refused:
		return "the credentials were refused; check " + p.key(p.credentialKeys)
	case RefusedOrBlocked:
		return fmt.Sprintf("the credentials were refused, or the network rules keep this machine out; check %s", p.key(p.credentialKeys))
	case Denied:
		return p.permission(action)
	case Archived:
		return "it was archived; restore it, and take away the rule that archives"
	case NoKey:
		return "the key that it is encrypted with cannot be used; enable or restore the key"
	case Held:
		return "a policy or a lease keeps it as it is; take that away"
	case Elsewhere:
		return "it is in another region; correct " + p.key(p.regionKey)
	case Clock:
		return "the clock of this machine differs too much from the store's; set it"
	case Unreachable:
		return "it cannot be reached; check its address and that it runs"
	case Foreign:
		return "something other than the store answers there; check its address, and what is between"
	case Garbled:
		return "something other than the store answered, or the file is damaged; check what is between, or push or delete it anew"
	case Untrusted:
		return "its certificate is not trusted; give the server the certificate of the authority that signed it"
	case Full:
		return "it is full; make space or raise its quota"
	case Unwritable:
		return "it is read-only; mount it for writing"
	case Silent:
		return "it does not answer in time; check its address and that it runs"
	case Busy:
		return "it is overloaded or out of order; try again later"
	default:
		return ""
	}
}

// permission is the advice for an action that the credentials do not allow.
func (p place) permission(action Action) string {
	if traits.Of[p.driver].Folder {
		if action == List || action == Read {
			return "it may not be read; give it to the server's user"
		}
		return "it may not be written; give it to the server's user"
	}
	needed := p.permissionsFor(action)
	switch action {
	case Write, Upload:
		return "it may be read but not written; allow the credentials " + needed
	case Delete:
		return "it may be written, but nothing may be deleted; allow the credentials " + needed
	default:
		return "the credentials may not do that; allow them " + needed
	}
}

func (p place) permissionsFor(action Action) string {
	switch p.driver {
	case "s3", "s3aws":
		return map[Action]string{
			Open:   "s3:ListBucket",
			List:   "s3:ListBucket",
			Read:   "s3:GetObject",
			Write:  "s3:PutObject",
			Upload: "s3:PutObject, s3:ListBucketMultipartUploads, s3:ListMultipartUploadParts and s3:AbortMultipartUpload",
			Delete: "s3:DeleteObject",
		}[action]
	case "azure":
		return "the role Storage Blob Data Contributor"
	case "gcs":
		return "the role roles/storage.objectUser on the bucket"
	default:
		return "to do so"
	}
}
