package writes

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/access"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/status"
)

// readers is how many tags are read at once to find those of a manifest.
const readers = 8

// Handler goes around the engine, inside of what finds out who the client is. http.prefix is
// the prefix. The driver is asked what tags name before a write changes that; where nobody
// wants to know, it is nil, and what would be asked is not told.
func Handler(engine http.Handler, driver storagedriver.StorageDriver, prefix string, observers ...Observer) http.Handler {
	if len(observers) == 0 {
		return engine
	}
	return &handler{engine, driver, v2.RouterWithPrefix(prefix), observers}
}

type handler struct {
	engine    http.Handler
	driver    storagedriver.StorageDriver
	router    *mux.Router
	observers []Observer
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if write, ok := h.begin(r); ok {
		header := w.Header()
		if write.Action == Push && write.Kind == Manifest && r.ContentLength < 0 {
			r.Body = &counted{r.Body, &write.Size}
		}
		w = status.Watch(w, func(code int) { h.tell(r, write, code, header) })
	}
	h.engine.ServeHTTP(w, r)
}

// counted is a body whose client does not say its size before.
type counted struct {
	io.ReadCloser
	size *int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.size += int64(n)
	return n, err
}

// begin is what a request is about to do. What goes with it has to be known before.
func (h *handler) begin(r *http.Request) (w Write, ok bool) {
	if r.Method != http.MethodPut && r.Method != http.MethodPost && r.Method != http.MethodDelete {
		return w, false
	}
	var match mux.RouteMatch
	if !h.router.Match(r, &match) || match.Route == nil {
		return w, false
	}
	w = Write{
		Repository: match.Vars["name"],
		User:       access.UserOf(r.Context()),
		Address:    r.RemoteAddr,
		UserAgent:  r.UserAgent(),
	}
	action := "push"
	if r.Method == http.MethodDelete {
		action = "delete"
	}
	now := tags{w.Repository, nil}
	if access.MayWrite(r.Context(), action, w.Repository) {
		now.driver = h.driver
	}
	reference := match.Vars["reference"]
	named := digest.Digest(reference)
	if named.Validate() != nil {
		named = ""
	}
	switch route := match.Route.GetName(); {
	case route == v2.RouteNameManifest && r.Method == http.MethodPut:
		w.Action, w.Kind, w.MediaType, w.Size = Push, Manifest, r.Header.Get("Content-Type"), max(0, r.ContentLength)
		names := []string{reference}
		if named != "" {
			names = r.URL.Query()["tag"]
			// More are refused.
			names = names[:min(len(names), manifest.MostTags)]
		}
		for _, name := range names {
			w.Tags = append(w.Tags, TagChange{name, now.name(r.Context(), name)})
		}
	case route == v2.RouteNameManifest && r.Method == http.MethodDelete && named == "":
		w.Action, w.Kind = Delete, Tag
		w.Tags = []TagChange{{reference, now.name(r.Context(), reference)}}
	case route == v2.RouteNameManifest && r.Method == http.MethodDelete:
		w.Action, w.Kind, w.Digest = Delete, Manifest, named
		w.Tags = now.of(r.Context(), named)
	case route == v2.RouteNameBlob && r.Method == http.MethodDelete:
		w.Action, w.Kind, w.Digest = Delete, Blob, digest.Digest(match.Vars["digest"])
	case route == v2.RouteNameBlobUpload && r.Method == http.MethodPost, route == v2.RouteNameBlobUploadChunk && r.Method == http.MethodPut:
		// Its size is not asked for: it would be one more request to the store.
		w.Action, w.Kind = Push, Blob
	default:
		return w, false
	}
	return w, true
}

// tell is called with the answer, before the client has it.
func (h *handler) tell(r *http.Request, w Write, code int, header http.Header) {
	done := http.StatusCreated
	if w.Action == Delete {
		done = http.StatusAccepted
	}
	if code != done {
		return
	}
	w.Time = time.Now()
	if w.Action == Push {
		w.Digest = digest.Digest(header.Get("Docker-Content-Digest"))
	}
	for _, observe := range h.observers {
		observe(context.WithoutCancel(r.Context()), w)
	}
}

// tags are those of a repository, before a write. Without a driver none is known.
type tags struct {
	repository string
	driver     storagedriver.StorageDriver
}

// name is what a tag names; empty for no tag, and where the store does not say.
func (t tags) name(ctx context.Context, tag string) digest.Digest {
	if t.driver == nil || !layout.IsTagName(tag) {
		return ""
	}
	content, err := t.driver.GetContent(ctx, layout.TagPath(t.repository, tag))
	if d := digest.Digest(content); err == nil && d.Validate() == nil {
		return d
	}
	return ""
}

// of are the tags that go with a manifest. The engine looks through all of them as well.
func (t tags) of(ctx context.Context, d digest.Digest) []TagChange {
	if t.driver == nil {
		return nil
	}
	names, err := layout.TagNames(ctx, t.driver, t.repository)
	if err != nil {
		return nil
	}
	changes := make([]TagChange, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, name := range names {
		group.Go(func() error {
			changes[i] = TagChange{name, t.name(ctx, name)}
			return nil
		})
	}
	// No reader fails.
	_ = group.Wait()
	return slices.DeleteFunc(changes, func(c TagChange) bool { return c.From != d })
}
