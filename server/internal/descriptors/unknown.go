package descriptors

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"

	"container-registry/server/internal/heavy"
	"container-registry/server/internal/layout"
)

// Handler goes around the engine, which finds a layer in the cache when it is asked for a
// manifest of its digest, and fails on what it reads then. It fails on damaged manifests
// too, and clients that ask before they push would give up, on those of schema 1, and on the
// deletion of a layer that has just gone. What the engine looks for it tells the cache.
// http.prefix is the prefix.
func Handler(engine http.Handler, driver storagedriver.StorageDriver, prefix string) http.Handler {
	router := v2.RouterWithPrefix(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var match mux.RouteMatch
		if router.Match(r, &match) && match.Route != nil {
			ctx, repository := r.Context(), match.Vars["name"]
			route := match.Route.GetName()
			if p, ok := ctx.Value(contextKey{}).(*pinned); ok {
				p.layers = route != v2.RouteNameManifest
			}
			switch {
			case route == v2.RouteNameManifest && r.Method != http.MethodPut:
				reference := match.Vars["reference"]
				w = &unknown{ResponseWriter: w, why: func() error { return whyNoManifest(ctx, driver, repository, reference, r.Method) }}
			case route == v2.RouteNameBlob && r.Method == http.MethodDelete:
				d := digest.Digest(match.Vars["digest"])
				w = &unknown{ResponseWriter: w, why: func() error {
					_, err := driver.Stat(ctx, layout.LinkPath(layout.RepositoryPath(repository, layout.Layers), d))
					return ifMissing(err, errcode.ErrorCodeBlobUnknown.WithDetail(d))
				}}
			}
		}
		engine.ServeHTTP(w, r)
	})
}

// unknown is the answer about what may not be there.
type unknown struct {
	http.ResponseWriter
	// why is asked when the engine fails: what clients are told then, if it is no failure.
	why  func() error
	told bool
}

func (u *unknown) WriteHeader(status int) {
	if status == http.StatusInternalServerError {
		if reason := u.why(); reason != nil {
			u.told = true
			// The client is gone when this fails.
			_ = errcode.ServeJSON(u.ResponseWriter, reason)
			return
		}
	}
	u.ResponseWriter.WriteHeader(status)
}

// whyNoManifest says so of a damaged one to a client that only asks whether it is there, and to all
// of one that is of a schema which the engine could read before.
func whyNoManifest(ctx context.Context, driver storagedriver.StorageDriver, repository, reference, method string) error {
	d := digest.Digest(reference)
	if d.Validate() != nil {
		link, err := driver.GetContent(ctx, layout.TagPath(repository, reference))
		if d = digest.Digest(link); err != nil || d.Validate() != nil {
			return nil
		}
	} else if _, err := driver.Stat(ctx, layout.RevisionPath(repository, d)); err != nil {
		return ifMissing(err, errcode.ErrorCodeManifestUnknown.WithDetail(reference))
	}
	if method == http.MethodDelete {
		return nil
	}
	// The engine fails where it is told to wait no longer, too.
	if heavy.Enter(ctx) != nil {
		return nil
	}
	content, err := driver.GetContent(ctx, layout.BlobPath(d))
	if err != nil {
		return nil
	}
	if damaged := d.Algorithm().FromBytes(content) != d; damaged && method == http.MethodHead {
		return errcode.ErrorCodeManifestUnknown.WithDetail(reference)
	}
	var versioned specs.Versioned
	if json.Unmarshal(content, &versioned) == nil && versioned.SchemaVersion == 1 {
		return errcode.ErrorCodeManifestUnknown.WithMessage("it is of schema 1, which this registry no longer serves; push the image again").WithDetail(reference)
	}
	return nil
}

// ifMissing is for a store that says so. One that does not answer is asked nothing more, as the client
// has waited for it once.
func ifMissing(err, reason error) error {
	if layout.IsMissing(err) {
		return reason
	}
	return nil
}

func (u *unknown) Write(content []byte) (int, error) {
	if u.told {
		return len(content), nil
	}
	return u.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (u *unknown) Unwrap() http.ResponseWriter { return u.ResponseWriter }
