package gcs

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/storage"

	"container-registry/server/internal/wait"
)

const (
	tries      = 5
	firstPause = 500 * time.Millisecond
)

// retry repeats what Google was too busy for, or what failed with its connection. The client itself
// repeats only reads. It does not repeat writes, because another client may have written since. Here the
// last writer wins, except for uploads: see writer.
func retry(ctx context.Context, do func() error) error {
	for try, pause := 1, firstPause; ; try, pause = try+1, 2*pause {
		err := do()
		if try == tries || !again(err) {
			return err
		}
		if wait.For(ctx, pause/2+rand.N(pause/2)) != nil {
			return err
		}
	}
}

// brokenStreams are parts of the HTTP/2 errors of connections and requests that broke. The client itself knows
// those of HTTP/1.
var brokenStreams = []string{"http2: client conn", "http2: server sent GOAWAY", "; received from peer"}

// again says whether a retry may succeed.
func again(err error) bool {
	return storage.ShouldRetry(err) || err != nil && slices.ContainsFunc(brokenStreams, func(words string) bool {
		return strings.Contains(err.Error(), words)
	})
}
