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

// retry does again what Google was too busy for, or what a connection broke at. The client does so
// by itself with what it reads, and not with what it writes, which another may have written since;
// whoever wrote last is right here, but of an upload: see writer.
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

// brokenStreams are what HTTP/2 says of connections and requests that broke. Those of HTTP/1 are the client's
// to know.
var brokenStreams = []string{"http2: client conn", "http2: server sent GOAWAY", "; received from peer"}

// again says whether what failed may go well the next time.
func again(err error) bool {
	return storage.ShouldRetry(err) || err != nil && slices.ContainsFunc(brokenStreams, func(words string) bool {
		return strings.Contains(err.Error(), words)
	})
}
