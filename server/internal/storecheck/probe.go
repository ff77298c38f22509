package storecheck

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/storage"
)

// pieceSize is the smallest size for which every driver sends a piece of an upload at once.
const pieceSize = 256 << 10

// probe is a folder beside the registry's own, which no registry looks into.
type probe struct {
	driver storagedriver.StorageDriver
	folder string
	// blob is what was uploaded.
	blob []byte
	// tried says that something may be in the folder, written that something is.
	tried, written bool
}

func newProbe(driver storagedriver.StorageDriver) *probe {
	return &probe{driver: driver, folder: layout.Checks + rand.Text()}
}

// uploadName is a name that drivers take for that of an upload.
const uploadName = layout.Uploads + "/probe/data"

func (p *probe) path(name string) string { return p.folder + "/" + name }

// list lists the probe's own folder: some drivers list everything below a folder, which takes
// long in a large store.
func (p *probe) list(ctx context.Context) error {
	_, err := p.driver.List(ctx, p.folder)
	return unlessMissing(err)
}

func (p *probe) listRoot(ctx context.Context) error {
	_, err := p.driver.List(ctx, "/")
	if isMissing(err) {
		return errors.New("no such file or directory")
	}
	return err
}

// read asks for a file that does not exist: credentials that may not read are refused all the same.
func (p *probe) read(ctx context.Context) error {
	_, err := p.driver.GetContent(ctx, p.path("absent"))
	return unlessMissing(err)
}

// write does what a push does with manifests and links.
func (p *probe) write(ctx context.Context) error {
	content := []byte(p.folder)
	p.tried = true
	if err := p.driver.PutContent(ctx, p.path("link"), content); err != nil {
		return err
	}
	p.written = true
	got, err := p.driver.GetContent(ctx, p.path("link"))
	if err != nil {
		return err
	}
	return compare(got, content)
}

// upload does what a push does with a layer: one request sends it, another one completes
// it and moves it to its place.
func (p *probe) upload(ctx context.Context) error {
	p.blob = make([]byte, pieceSize)
	// rand.Read never fails.
	_, _ = rand.Read(p.blob)
	if err := p.send(ctx, p.blob); err != nil {
		return err
	}
	err := p.complete(ctx)
	if err == nil {
		err = p.expect(ctx, "blob")
	}
	if errors.Is(err, layout.ErrOvertaken) {
		// Nobody else writes to this upload, so the driver failed to recognise its own.
		return errNotIdentified
	}
	return err
}

var errNotIdentified = errors.New("its ETags are not those of S3: it does not find what was uploaded by the one that it gave for it")

// copyInParts moves the blob as a large one would be moved.
func (p *probe) copyInParts(inParts storagedriver.StorageDriver) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := inParts.Move(ctx, p.path("blob"), p.path("large")); err != nil {
			return err
		}
		return p.expect(ctx, "large")
	}
}

// expect reads the blob from where it was moved, and compares it.
func (p *probe) expect(ctx context.Context, name string) error {
	reader, err := p.driver.Reader(ctx, p.path(name), 0)
	if err != nil {
		return err
	}
	defer reader.Close()
	got, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	return compare(got, p.blob)
}

func (p *probe) send(ctx context.Context, content []byte) error {
	writer, err := p.driver.Writer(ctx, p.path(uploadName), false)
	if err != nil {
		return err
	}
	if _, err := writer.Write(content); err != nil {
		writer.Cancel(context.WithoutCancel(ctx))
		return err
	}
	p.written = true
	return writer.Close()
}

func (p *probe) complete(ctx context.Context) error {
	writer, err := p.driver.Writer(ctx, p.path(uploadName), true)
	if err != nil {
		return err
	}
	if err := writer.Commit(ctx); err != nil {
		writer.Close()
		return err
	}
	if err := storage.Move(ctx, p.driver, writer, p.path(uploadName), p.path("blob")); err != nil {
		writer.Close()
		return err
	}
	return writer.Close()
}

func (p *probe) delete(ctx context.Context) error {
	err := unlessMissing(p.driver.Delete(ctx, p.folder))
	p.written = p.written && err != nil
	return err
}

func compare(got, want []byte) error {
	if !bytes.Equal(got, want) {
		return fmt.Errorf("it gives back other bytes than it was given (%d instead of %d)", len(got), len(want))
	}
	return nil
}

func isMissing(err error) bool {
	var missing storagedriver.PathNotFoundError
	return errors.As(err, &missing)
}

func unlessMissing(err error) error {
	if isMissing(err) {
		return nil
	}
	return err
}
