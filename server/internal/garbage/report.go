package garbage

import (
	"fmt"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
)

// Report is what a collection found and deleted.
type Report struct {
	DryRun              bool
	Repositories        int
	RepositoriesDeleted int
	Tags                Count
	Manifests           Count
	Blobs               Count
	// Uploads is how many uploads that were cut off were deleted.
	Uploads int
	// Bytes are those of deleted blobs and uploads.
	Bytes int64
	// Wishes is how many tags retention would delete if it were not set to a dry run.
	Wishes int
	// Listed is how many manifests about another one were not listed as such before.
	Listed int
	// Spared is how many deletions were left out because a client counts on what they would delete.
	Spared       int
	Pauses       int
	LongestPause time.Duration
	Took         time.Duration
}

// Count is how many things of one kind were found and deleted.
type Count struct {
	Found, Deleted int
}

// verb says whether things were deleted or only would be.
func (r *Report) verb() string {
	if r.DryRun {
		return "would be deleted"
	}
	return "deleted"
}

func (r *Report) String() string {
	verb := r.verb()
	var b strings.Builder
	line := func(name string, found, deleted int) {
		fmt.Fprintf(&b, "%s: %d, %s %d\n", name, found, verb, deleted)
	}
	line("repositories", r.Repositories, r.RepositoriesDeleted)
	line("tags", r.Tags.Found, r.Tags.Deleted)
	line("manifests", r.Manifests.Found, r.Manifests.Deleted)
	line("blobs", r.Blobs.Found, r.Blobs.Deleted)
	if r.Uploads > 0 {
		fmt.Fprintf(&b, "uploads that were cut off: %s %d\n", verb, r.Uploads)
	}
	fmt.Fprintf(&b, "bytes: %s %d\n", verb, r.Bytes)
	if r.Listed > 0 {
		fmt.Fprintf(&b, "listed as referrers, which they were not before: %d\n", r.Listed)
	}
	if r.Spared > 0 {
		fmt.Fprintf(&b, "left for pushes under way: %d\n", r.Spared)
	}
	if !r.DryRun {
		fmt.Fprintf(&b, "pauses of writers: %d, the longest %s\n", r.Pauses, r.LongestPause.Round(time.Millisecond))
	}
	fmt.Fprintf(&b, "took: %s\n", r.Took.Round(time.Millisecond))
	return b.String()
}

// Fields is the report for logs.
func (r *Report) Fields() logrus.Fields {
	return logrus.Fields{
		"repositories": r.Repositories,
		"tags":         r.Tags.Deleted,
		"manifests":    r.Manifests.Deleted,
		"blobs":        r.Blobs.Deleted,
		"uploads":      r.Uploads,
		"bytes":        r.Bytes,
		"pause":        r.LongestPause.Round(time.Millisecond).String(),
		"took":         r.Took.Round(time.Millisecond).String(),
	}
}
