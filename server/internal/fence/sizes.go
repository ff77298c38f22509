package fence

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
)

// doubts are blobs whose size in a manifest is not the one that they have in the store. A power cut or a
// full disk leaves such blobs. Only the bytes could tell which is wrong, and those of a blob larger than a
// manifest are not read. Instead, a client that asks for the blob next in that repository is told that
// it is not there, and uploads it. The upload is verified, and replaces a file of another size. Blobs that
// vanished from the store without a collection, for example by a rule of the bucket, are also in doubt:
// caches know them, and other repositories would lend them.
type doubts struct {
	remember time.Duration

	mutex sync.Mutex
	found map[doubt]finding
}

type doubt struct {
	repository string
	digest     digest.Digest
}

// finding is the size that a blob was found to have, and until when it is remembered.
type finding struct {
	size  int64
	until time.Time
}

// gone stands for the size of a blob that is not there.
const gone = -1

// maxDoubts bounds what clients can leave here with manifests that are wrong.
const maxDoubts = 10_000

func (d *doubts) add(repository string, blob digest.Digest, size int64) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for each, found := range d.found {
		if len(d.found) < maxDoubts {
			break
		}
		if len(d.found) > maxDoubts || !found.until.After(time.Now()) {
			delete(d.found, each)
		}
	}
	if len(d.found) < maxDoubts {
		d.found[doubt{repository, blob}] = finding{size, time.Now().Add(d.remember)}
	}
}

func (d *doubts) has(repository string, blob digest.Digest) bool {
	_, ok := d.size(repository, blob)
	return ok
}

// size is the size that was found.
func (d *doubts) size(repository string, blob digest.Digest) (size int64, ok bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	found := d.found[doubt{repository, blob}]
	return found.size, found.until.After(time.Now())
}

// settle ends the doubt: a client has sent the blob.
func (d *doubts) settle(repository string, blob digest.Digest) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.found, doubt{repository, blob})
}

// measure compares the sizes that the manifest gives for a part with the stored one, if the part is there.
func (p *push) measure(ctx context.Context, d digest.Digest, said []int64) (there bool, err error) {
	kept, size, err := p.fence.size(ctx, p.Repository, d)
	if layout.IsMissing(err) {
		p.fence.doubts.add(p.Repository, d, gone)
		return false, nil
	}
	differs := slices.IndexFunc(said, func(each int64) bool { return each != size })
	if err != nil || differs < 0 {
		return true, err
	}
	wrong := fmt.Sprintf("%s has %d bytes here, and %d by the manifest", d, size, said[differs])
	// If the manifest contradicts itself, it is the one that is wrong.
	whole := said[differs] < 0 || slices.Contains(said, size)
	if !whole && size <= manifest.MostBytes {
		if whole, err = p.fence.isWhole(ctx, kept); err != nil {
			return true, err
		}
	}
	if !whole {
		p.fence.doubts.add(p.Repository, d, size)
		wrong += ": push again, and it will be uploaded anew"
	}
	return true, errcode.ErrorCodeSizeInvalid.WithMessage(wrong)
}

// size is the stored size of a blob. It also returns the digest by which the bytes are kept.
func (f *Fence) size(ctx context.Context, repository string, d digest.Digest) (kept digest.Digest, size int64, err error) {
	info, err := f.driver.Stat(ctx, layout.BlobPath(d))
	if layout.IsMissing(err) && d.Algorithm() != digest.Canonical {
		if target, ok := f.target(ctx, repository, d); ok {
			d = target
			info, err = f.driver.Stat(ctx, layout.BlobPath(d))
		}
	}
	if err != nil {
		return d, 0, err
	}
	return d, info.Size(), nil
}

// isWhole says whether the bytes that are kept by a digest match it.
func (f *Fence) isWhole(ctx context.Context, d digest.Digest) (bool, error) {
	reader, err := f.driver.Reader(ctx, layout.BlobPath(d), 0)
	if err != nil {
		return false, err
	}
	defer reader.Close()
	verifier := d.Verifier()
	_, err = io.Copy(verifier, reader)
	return verifier.Verified(), err
}

// verdict replaces the status of the engine's answer.
type verdict struct {
	http.ResponseWriter
	// of is called once.
	of   func(status int) int
	told bool
}

func (v *verdict) WriteHeader(status int) {
	if !v.told && status >= http.StatusOK {
		v.told = true
		status = v.of(status)
	}
	v.ResponseWriter.WriteHeader(status)
}

func (v *verdict) Write(content []byte) (int, error) {
	if !v.told {
		v.WriteHeader(http.StatusOK)
	}
	return v.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (v *verdict) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// doubting says of a blob in doubt that it is not there. The engine is asked first, because it knows who
// may ask. A blob whose size has changed since has come back, or was uploaded through another server.
func (h *handler) doubting(w http.ResponseWriter, r *http.Request, repository string, d digest.Digest) http.ResponseWriter {
	found, doubted := h.fence.doubts.size(repository, d)
	if !doubted {
		return w
	}
	return &verdict{ResponseWriter: w, of: func(status int) int {
		if !isThere(status) {
			return status
		}
		if _, size, err := h.fence.size(r.Context(), repository, d); err == nil && size != found {
			h.fence.doubts.settle(repository, d)
			return status
		}
		for _, name := range []string{"Content-Length", "Content-Range", "Content-Type", "Docker-Content-Digest", "Etag", "Location"} {
			w.Header().Del(name)
		}
		return http.StatusNotFound
	}}
}
