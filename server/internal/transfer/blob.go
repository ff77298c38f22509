package transfer

import (
	"context"
	"errors"
	"io"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

const (
	// smallBlob is the size up to which a blob is copied in one piece, which every driver writes whole or not
	// at all.
	smallBlob = 1 << 20
	// bufferSize is what one worker holds of a larger blob, besides what drivers hold.
	bufferSize = 1 << 20
)

// blob copies a blob unless the target has it. Blobs never change, so a blob of the same size at the same place
// is the same blob.
func (r *run) blob(ctx context.Context, d digest.Digest) error {
	defer r.progress.done()
	var size int64
	err := retry(ctx, func() error {
		var err error
		size, err = r.sizeOf(ctx, r.from, d)
		if err != nil || size < 0 {
			return err
		}
		return r.copyBlob(ctx, d, size)
	})
	if err != nil {
		return r.failed(ctx, "blob "+d.String(), d.String(), err)
	}
	// A folder without its blob is what a garbage collection leaves.
	if size >= 0 {
		r.mark(r.present, d.String())
	}
	return nil
}

func (r *run) copyBlob(ctx context.Context, d digest.Digest, size int64) error {
	there, err := r.sizeOf(ctx, r.to, d)
	if err != nil {
		return err
	}
	if there == size {
		r.report.blobs.kept.Add(1)
		return nil
	}
	if r.DryRun {
		r.report.blobs.written.Add(1)
		r.report.bytes.Add(size)
		return nil
	}
	if size <= smallBlob {
		err = r.copySmall(ctx, d)
	} else {
		err = r.copyLarge(ctx, d, size, there >= 0)
	}
	if err != nil {
		return err
	}
	r.report.blobs.written.Add(1)
	r.report.bytes.Add(size)
	return nil
}

// sizeOf is -1 for a blob that does not exist.
func (r *run) sizeOf(ctx context.Context, s *side, d digest.Digest) (int64, error) {
	info, err := s.driver.Stat(ctx, layout.BlobPath(d))
	switch {
	case layout.IsMissing(err):
		return -1, nil
	case err != nil:
		return 0, s.Failure(store.Read, err)
	default:
		return info.Size(), nil
	}
}

func (r *run) copySmall(ctx context.Context, d digest.Digest) error {
	content, err := r.from.driver.GetContent(ctx, layout.BlobPath(d))
	if err != nil {
		return r.from.Failure(store.Read, err)
	}
	if d.Algorithm().FromBytes(content) != d {
		return errDamaged
	}
	r.progress.add(len(content))
	if err := r.to.driver.PutContent(ctx, layout.BlobPath(d), content); err != nil {
		return r.to.Failure(store.Write, err)
	}
	return nil
}

// copyLarge moves a blob to its place once it is complete and correct. Some drivers show a file while it is
// written, and a registry takes every blob that it sees for complete. A blob that was cut short there would be
// served forever.
func (r *run) copyLarge(ctx context.Context, d digest.Digest, size int64, replace bool) error {
	staged := r.staging.path(d)
	if err := r.stage(ctx, d, size, staged); err != nil {
		return err
	}
	if replace {
		if err := layout.Remove(ctx, r.to.driver, layout.BlobPath(d)); err != nil {
			return r.to.Failure(store.Delete, err)
		}
	}
	if err := r.to.driver.Move(ctx, staged, layout.BlobPath(d)); err != nil {
		return r.to.Failure(store.Write, err)
	}
	return nil
}

func (r *run) stage(ctx context.Context, d digest.Digest, size int64, staged string) error {
	reader, err := r.from.driver.Reader(ctx, layout.BlobPath(d), 0)
	if err != nil {
		return r.from.Failure(store.Read, err)
	}
	defer reader.Close()
	writer, err := r.to.driver.Writer(ctx, staged, false)
	if err != nil {
		return r.to.Failure(store.Upload, err)
	}
	source := &watched{reader: reader, progress: r.progress}
	verifier := d.Verifier()
	n, err := io.CopyBuffer(io.MultiWriter(writer, verifier), source, make([]byte, bufferSize))
	switch {
	case source.err != nil:
		err = r.from.Failure(store.Read, source.err)
	case err != nil:
		err = r.to.Failure(store.Upload, err)
	case n != size || !verifier.Verified():
		err = errDamaged
	}
	if err != nil {
		writer.Cancel(context.WithoutCancel(ctx))
		return err
	}
	return commit(ctx, r.to, writer)
}

func commit(ctx context.Context, to *side, writer storagedriver.FileWriter) error {
	if err := writer.Commit(ctx); err != nil {
		writer.Close()
		return to.Failure(store.Upload, err)
	}
	if err := writer.Close(); err != nil {
		return to.Failure(store.Upload, err)
	}
	return nil
}

// watched counts what is read and keeps the source's error apart from the target's.
type watched struct {
	reader   io.Reader
	progress *progress
	err      error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.reader.Read(p)
	w.progress.add(n)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// errDamaged is for a blob whose bytes do not match its digest.
var errDamaged = errors.New("it is damaged in the source, its bytes have another digest; delete the images that use it, collect garbage, and push them again")
