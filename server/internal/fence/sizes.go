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

// doubts are blobs that manifests give another size than they have in the store. A power cut or a
// full disk leaves such blobs. Only the bytes could tell who is wrong, and nobody reads those
// of what is larger than a manifest: whoever asks for it next in that repository is told that
// it is not there, and uploads it. What was uploaded is verified, and takes the place of what
// has another size. In doubt as well are blobs that went from the store without a collection, as by
// a rule of its bucket: caches know them, and other repositories would lend them.
type doubts struct {
	remember time.Duration

	mutex sync.Mutex
	found map[doubt]finding
}

type doubt struct {
	repository string
	digest     digest.Digest
}

// finding is the size that a blob was found to have.
type finding struct {
	size  int64
	until time.Time
}

// gone is the size of what is not there.
const gone = -1

// maxDoubts bounds what clients that write wrong manifests leave here.
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

// size is the one that was found.
func (d *doubts) size(repository string, blob digest.Digest) (size int64, ok bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	found := d.found[doubt{repository, blob}]
	return found.size, found.until.After(time.Now())
}

// settle says that somebody has sent it.
func (d *doubts) settle(repository string, blob digest.Digest) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.found, doubt{repository, blob})
}

// measure compares what the manifest says of a part with what is there, if it is.
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
	// A manifest that contradicts itself is the one that is wrong.
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

// size also says by which digest the bytes are kept.
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

// isWhole says whether the bytes that are kept by a digest are those.
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

// verdict is what a client is told in place of what the engine says.
type verdict struct {
	http.ResponseWriter
	// of is asked once.
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

// doubting says of what is there with the wrong size that it is not. The engine was asked
// first: it knows who may ask. What has another size by now came back, or was uploaded by way of
// another server.
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
