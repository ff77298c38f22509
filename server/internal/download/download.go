// Package download sends clients the blobs that they pull. The engine would hold 4 MiB for each blob until its
// client is done, and would ask the store anew for each of a thousand ranges. So the engine only finds the
// blob, and asks the driver where clients can fetch it, which is here.
package download

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// maxAge of a blob is a year, as in the engine: what a digest names never changes.
const maxAge = 365 * 24 * time.Hour

// Size returns the size of a blob, if it is known without asking the store.
type Size func(ctx context.Context, blob digest.Digest) (size int64, known bool)

const digestHeader = "Docker-Content-Digest"

type requestKey struct{}

// request is a client's request, for which the engine may find a blob.
type request struct {
	http.ResponseWriter
	client *http.Request
	size   Size
	// found is where the blob is in the driver, empty until the engine has found it.
	found  string
	driver storagedriver.StorageDriver
	begun  bool
}

// Redirects says whether clients are sent to the store for blobs.
func Redirects(config *configuration.Configuration) bool {
	disabled, _ := config.Storage["redirect"]["disable"].(bool)
	return !disabled
}

// Handler wraps the engine, which has to use a driver from Around.
func Handler(engine http.Handler, size Size) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &request{ResponseWriter: w, client: r, size: size}
		engine.ServeHTTP(q, r.WithContext(context.WithValue(r.Context(), requestKey{}, q)))
	})
}

// Around makes a driver with which the engine finds blobs for Handler. Clients fetch from the store itself if
// it supports that and redirect says that they may. HEAD requests are answered here, because no store knows the
// header of the digest.
func Around(driver storagedriver.StorageDriver, redirect bool) storagedriver.StorageDriver {
	return finder{driver, redirect}
}

type finder struct {
	storagedriver.StorageDriver
	redirect bool
}

// RedirectURL is called by the engine once it knows that a client may have a blob. If it returned nothing, the
// engine would send the blob by itself.
func (f finder) RedirectURL(r *http.Request, path string) (string, error) {
	q, ok := r.Context().Value(requestKey{}).(*request)
	if f.redirect && r.Method != http.MethodHead {
		url, err := f.StorageDriver.RedirectURL(r, path)
		if url != "" && ok {
			q.Header().Set(digestHeader, q.asked().String())
		}
		if url != "" || err != nil {
			return url, err
		}
	}
	if !ok {
		return "", nil
	}
	q.found, q.driver = path, f.StorageDriver
	return path, nil
}

// WriteHeader sends the blob that was found, in place of the redirect to it.
func (q *request) WriteHeader(status int) {
	switch {
	case q.found == "":
		q.ResponseWriter.WriteHeader(status)
	case !q.begun:
		q.begun = true
		q.send()
	}
}

// Write leaves out the text of the redirect.
func (q *request) Write(p []byte) (int, error) {
	if q.found != "" {
		return len(p), nil
	}
	return q.ResponseWriter.Write(p)
}

// asked is the digest by which the client asks for the blob, even if the blob is kept by a digest of another
// algorithm. The engine only finds blobs for addresses that end with the digest.
func (q *request) asked() digest.Digest { return digest.Digest(path.Base(q.client.URL.Path)) }

func (q *request) send() {
	ctx := q.client.Context()
	blob, _ := layout.BlobOf(q.found)
	header := q.Header()
	header.Del("Location")
	size, known := q.size(ctx, blob)
	if !known {
		info, err := q.driver.Stat(ctx, q.found)
		if layout.IsMissing(err) {
			// The client is gone when this fails.
			_ = errcode.ServeJSON(q.ResponseWriter, errcode.ErrorCodeBlobUnknown.WithDetail(blob))
			return
		}
		if err != nil {
			// This is replaced with what is known about the failure.
			q.ResponseWriter.WriteHeader(http.StatusInternalServerError)
			return
		}
		size = info.Size()
	}
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Length", fmt.Sprint(size))
	header.Set(digestHeader, q.asked().String())
	header.Set("Etag", fmt.Sprintf("%q", q.asked()))
	header.Set("Cache-Control", fmt.Sprintf("max-age=%.f", maxAge.Seconds()))
	blobs := &content{ctx: ctx, driver: q.driver, path: q.found, size: size}
	defer blobs.close()
	http.ServeContent(&unsatisfied{ResponseWriter: q.ResponseWriter}, ranged(q.client), blob.String(), time.Time{}, blobs)
}

// Unwrap is for http.ResponseController.
func (q *request) Unwrap() http.ResponseWriter { return q.ResponseWriter }
