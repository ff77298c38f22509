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
)

// pieceSize is the least that makes every driver send a piece of an upload at once.
const pieceSize = 256 << 10

// probe is a folder beside the registry's own, which no registry looks into.
type probe struct {
	driver storagedriver.StorageDriver
	folder string
	// blob is what was uploaded.
	blob []byte
	// tried says that something may be there, written that something is.
	tried, written bool
}

func newProbe(driver storagedriver.StorageDriver) *probe {
	return &probe{driver: driver, folder: layout.Checks + rand.Text()}
}

func (p *probe) path(name string) string { return p.folder + "/" + name }

// list asks for the probe's own folder: some drivers list all that is below, which takes
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

// read asks for what is not there: who may not read is told so all the same.
func (p *probe) read(ctx context.Context) error {
	_, err := p.driver.GetContent(ctx, p.path("absent"))
	return unlessMissing(err)
}

// write is what happens to manifests and links.
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

// upload is what a push does with a layer: one request sends it, another one completes
// it and moves it to its place.
func (p *probe) upload(ctx context.Context) error {
	p.blob = make([]byte, pieceSize)
	// It never fails.
	_, _ = rand.Read(p.blob)
	if err := p.send(ctx, p.blob); err != nil {
		return err
	}
	if err := p.complete(ctx); err != nil {
		return err
	}
	return p.move(ctx, p.driver, "upload", "blob")
}

// copyInParts is how the blob would be moved if it were a large one.
func (p *probe) copyInParts(inParts storagedriver.StorageDriver) func(context.Context) error {
	return func(ctx context.Context) error { return p.move(ctx, inParts, "blob", "large") }
}

func (p *probe) move(ctx context.Context, driver storagedriver.StorageDriver, from, to string) error {
	if err := driver.Move(ctx, p.path(from), p.path(to)); err != nil {
		return err
	}
	reader, err := driver.Reader(ctx, p.path(to), 0)
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
	writer, err := p.driver.Writer(ctx, p.path("upload"), false)
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
	writer, err := p.driver.Writer(ctx, p.path("upload"), true)
	if err != nil {
		return err
	}
	if err := writer.Commit(ctx); err != nil {
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
