package fence

import (
	"bytes"
	"fmt"
	"io"

	"container-registry/server/internal/manifest"
)

// errTooLarge is the engine's to tell.
var errTooLarge = fmt.Errorf("the manifest is larger than %d MiB", manifest.MostBytes>>20)

// manifestBody is read from the client when the engine asks for it, which is after it
// found that the user may push: nobody else's manifests are kept in memory. The push is
// admitted when all of it is there, so that a slow client holds up no collection.
type manifestBody struct {
	client  io.ReadCloser
	content []byte
	// complete is set when content is all that the client sent, and tooLarge when it is more
	// than a manifest may have.
	complete, tooLarge bool

	admit  func(content []byte) error
	reader io.Reader
}

// rewind has the engine read it from the beginning, and ask again to be admitted.
func (b *manifestBody) rewind(admit func(content []byte) error) {
	b.admit, b.reader = admit, nil
}

func (b *manifestBody) Read(p []byte) (int, error) {
	if b.reader == nil {
		if err := b.begin(); err != nil {
			return 0, err
		}
	}
	return b.reader.Read(p)
}

func (b *manifestBody) begin() error {
	if !b.complete {
		content, err := io.ReadAll(io.LimitReader(b.client, manifest.MostBytes+1))
		if err != nil {
			return err
		}
		if len(content) > manifest.MostBytes {
			b.tooLarge = true
			return errTooLarge
		}
		b.content, b.complete = content, true
	}
	if err := b.admit(b.content); err != nil {
		return err
	}
	b.reader = bytes.NewReader(b.content)
	return nil
}

func (b *manifestBody) Close() error { return b.client.Close() }
