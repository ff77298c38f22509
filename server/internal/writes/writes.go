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
	// From is what it named before; empty for a new tag. Between pushes at the same time
	// to one tag it may be either.
	From digest.Digest
}

// Observer is told of each write before its client has the answer, from the goroutine of the
// request, or soon after a garbage collection deleted something. Its context is not the
// client's, who may be gone.
type Observer func(context.Context, Write)
