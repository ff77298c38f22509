// Package writes observes what clients change in a registry, and tells those parts of the server that count,
// keep a record or send messages.
package writes

import (
	"context"
	"time"

	"github.com/opencontainers/go-digest"
)

// Action is what was done.
type Action string

// Kind is what it was done to.
type Kind string

const (
	Push   Action = "push"
	Delete Action = "delete"

	Manifest Kind = "manifest"
	Tag      Kind = "tag"
	Blob     Kind = "blob"
)

// Write is one change by a client or by a garbage collection. It has succeeded, or was refused and is told of
// by Refusals. What a client chooses in it is not escaped, and may be as long as a request.
type Write struct {
	// Time is when the first tag was changed, if there is one and that is known.
	Time       time.Time
	Action     Action
	Kind       Kind
	Repository string
	// Digest is the manifest's or the blob's; that of a deleted tag is in Tags.
	Digest digest.Digest
	// MediaType and Size are those of a pushed manifest.
	MediaType string
	Size      int64
	// Tags are those that were written or deleted.
	Tags []TagChange
	// User is empty for a client that is not logged in, and if Reason says who it was.
	User string
	// Reason is why the server deleted something by itself, or refused the write.
	Reason string
	// Address is host and port of the client.
	Address   string
	UserAgent string
}

// TagChange is what happened to a tag.
type TagChange struct {
	Name string
	// From is what it named before. It is empty for a new tag, and if the store did not say.
	From digest.Digest
}

// Observer is told of each write before its client has the answer, from the goroutine of the
// request, or soon after a garbage collection deleted something. Its context does not end with
// the client's, which may be gone.
type Observer func(context.Context, Write)

// HoldBack has an observer hold back what happens from now on, until it is released: it has yet to be told of
// something that happened before.
type HoldBack func() (release func())

// Begin does nothing if no observer passes anything on.
func (h HoldBack) Begin() (release func()) {
	if h == nil {
		return func() {}
	}
	return h()
}
