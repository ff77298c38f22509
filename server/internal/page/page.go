// Package page is what people see of a registry in a browser: repositories, tags, images,
// and what a garbage collection does. It has the registry's own users, and shows and does
// for each what an API client of theirs may see and do.
package page

import (
	"context"
	"embed"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/access"
	"container-registry/server/internal/disk"
	"container-registry/server/internal/holdings"
	"container-registry/server/internal/images"
	"container-registry/server/internal/paths"
	"container-registry/server/internal/referrers"
	"container-registry/server/internal/session"
	"container-registry/server/internal/writes"
)

//go:embed assets
var assets embed.FS

// longestForm is the body of a form: a hundred tags and their digests.
const longestForm = 64 << 10

// Holdings are what the repositories hold, without a question to the store.
type Holdings interface {
	// Repositories are sorted by name.
	Repositories() []holdings.Repository
	Total() holdings.Total
	// At is when all was counted last; false before that.
	At() (time.Time, bool)
}

// Parts are what a page is of.
type Parts struct {
	// Access is nil where nobody has to log in.
	Access *access.Controller
	Driver storagedriver.StorageDriver
	// Referrers says what is about an image.
	Referrers *referrers.Lister
	Holdings  Holdings
	Collector Collector
	// Disk is where the store is, if it is on this machine.
	Disk *disk.Folder
	// Failing are the health checks that fail now, the store's among them.
	Failing func(context.Context) map[string]string
	Log     *logrus.Entry
}

// Page is that of one registry.
type Page struct {
	Parts
	images   *images.Reader
	sessions *session.Keeper
	crossing *http.CrossOriginProtection
	// prefix is http.prefix and base where the page is; both end with a slash.
	prefix, base string
	// host is http.host, what clients are told; empty when it was not given.
	host *url.URL
	// deletes says whether the registry lets anybody delete.
	deletes bool
	engine  http.Handler
	mux     *http.ServeMux
	pages   pages
}

// New is the page of a configuration.
func New(c *configuration.Configuration, parts Parts) *Page {
	prefix := paths.Base(c.HTTP.Prefix)
	p := &Page{
		Parts:    parts,
		images:   images.NewReader(parts.Driver),
		crossing: http.NewCrossOriginProtection(),
		prefix:   prefix,
		base:     prefix + "ui/",
		deletes:  mayDelete(c),
		mux:      http.NewServeMux(),
		pages:    newPages(prefix + "ui/"),
	}
	p.crossing.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.showProblem(w, r, nil, http.StatusForbidden, "Another page sent this form. Go back, and send it from here.")
	}))
	if host, err := url.Parse(c.HTTP.Host); err == nil && host.Host != "" {
		p.host = host
		// A proxy may call the registry by another name than browsers do.
		_ = p.crossing.AddTrustedOrigin(host.Scheme + "://" + host.Host)
	}
	secure := c.HTTP.TLS.Certificate != "" || p.host != nil && p.host.Scheme == "https"
	p.sessions = session.New(c.HTTP.Secret, p.base, secure)
	p.route()
	return p
}

func mayDelete(c *configuration.Configuration) bool {
	enabled, _ := c.Storage["delete"]["enabled"].(bool)
	readOnly, _ := c.Storage["maintenance"]["readonly"].(map[any]any)
	kept, _ := readOnly["enabled"].(bool)
	return enabled && !kept
}

func (p *Page) route() {
	for _, name := range []string{"style.css", "page.js", "icon.svg"} {
		p.mux.HandleFunc("GET "+p.base+name, p.serveAsset)
	}
	p.mux.HandleFunc("GET "+p.base+"login", p.showLogin)
	p.mux.HandleFunc("POST "+p.base+"login", p.login)
	p.mux.HandleFunc("POST "+p.base+"logout", p.logout)
	p.mux.HandleFunc("GET "+p.base+"{$}", p.forVisitors(p.showRepositories))
	p.mux.HandleFunc("GET "+p.base+"r/{reference...}", p.forVisitors(p.showReference))
	p.mux.HandleFunc("POST "+p.base+"delete", p.forVisitors(p.delete))
	p.mux.HandleFunc("GET "+p.base+"cleanup", p.forVisitors(p.showCleanup))
	p.mux.HandleFunc("POST "+p.base+"collect", p.forVisitors(p.order(p.collect)))
	p.mux.HandleFunc("POST "+p.base+"preview", p.forVisitors(p.order(p.look)))
	p.mux.HandleFunc(p.base, func(w http.ResponseWriter, r *http.Request) { p.showMissing(w, r, nil) })
}

// Around answers below the page's path, and leaves all other requests to the engine with all
// that decides on them. What people delete goes the way of what API clients do.
func (p *Page) Around(engine http.Handler) http.Handler {
	p.engine = engine
	protected := p.crossing.Handler(p.mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path+"/" == p.base:
			http.Redirect(w, r, p.base, http.StatusSeeOther)
		case strings.HasPrefix(r.URL.Path, p.base):
			protect(w.Header())
			r.Body = http.MaxBytesReader(w, r.Body, longestForm)
			protected.ServeHTTP(w, r)
		default:
			engine.ServeHTTP(w, r)
		}
	})
}

// Entrance leads browsers that come to / to the page. All others ask there whether the
// registry can be used.
func (p *Page) Entrance(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
			w.Header().Set("Vary", "Accept")
			http.Redirect(w, r, p.base, http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// protect has a browser run and show nothing but the page's own, and nobody else show it.
func protect(header http.Header) {
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	// Not none: a form would then come from an unknown origin.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
}

func (p *Page) serveAsset(w http.ResponseWriter, r *http.Request) {
	// Their addresses change with their content.
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeFileFS(w, r, assets, "assets/"+strings.TrimPrefix(r.URL.Path, p.base))
}

// Observe has what a client changed seen at once.
func (p *Page) Observe(_ context.Context, w writes.Write) {
	if w.Kind != writes.Blob {
		p.images.Forget(w.Repository)
	}
}
