package fence

import (
	"bytes"
	"fmt"
	"io"

	"container-registry/server/internal/manifest"
)

// errTooLarge is returned to the engine, which tells the client.
var errTooLarge = fmt.Errorf("the manifest is larger than %d MiB", manifest.MostBytes>>20)

// manifestBody is read from the client when the engine asks for it. By then the engine has found that
// the user may push, so nobody else's manifests are kept in memory. The push is admitted when the whole
// body has arrived, so that a slow client holds up no collection.
type manifestBody struct {
	client  io.ReadCloser
	content []byte
	// complete is set when content is all that the client sent, and tooLarge when the client sent
	// more than a manifest may have.
	complete, tooLarge bool

	admit  func(content []byte) error
	reader io.Reader
}

// rewind has the engine read the body from the beginning, after it was admitted again.
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
