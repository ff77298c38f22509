// Package writes sees what clients change in a registry, and tells whoever wants to know:
// those who count, keep a record or send messages.
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

// Write is one change that succeeded, by a client or by a garbage collection. What a client chooses in it is as long as a request may
// be, and not escaped.
type Write struct {
	// Time is that of the first tag that was changed, where there is one and it is known.
	Time       time.Time
	Action     Action
	Kind       Kind
	Repository string
	// Digest is the manifest's or the blob's; that of a deleted tag is in Tags.
	Digest digest.Digest
	// MediaType and Size are of a pushed manifest.
	MediaType string
	Size      int64
	// Tags are those that were written, or that went.
	Tags []TagChange
	// User is empty for who is not logged in, and where Reason says who it was.
	User string
	// Reason is why the server deleted it by itself, or refused it.
	Reason string
	// Address is host and port of the client.
	Address   string
	UserAgent string
}

// TagChange is what happened to a tag.
type TagChange struct {
	Name string
	// From is what it named before; empty for a new tag, and where the store did not say.
	From digest.Digest
}

// Observer is told of each write before its client has the answer, from the goroutine of the
// request, or soon after a garbage collection deleted something. Its context is not the
// client's, who may be gone.
type Observer func(context.Context, Write)

// HoldBack has an observer pass nothing on that happens from now on, until it is released: of what
// happened before, it is still to be told.
type HoldBack func() (release func())

// Begin does nothing where nobody passes anything on.
func (h HoldBack) Begin() (release func()) {
	if h == nil {
		return func() {}
	}
	return h()
}
