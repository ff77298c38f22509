// Package page is what people see of a registry in a browser: repositories, tags, images, and what a garbage
// collection does. Its users are the registry's own. It shows and does for each of them what their API client
// may see and do.
package page

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/access"
	"container-registry/server/internal/disk"
	"container-registry/server/internal/holdings"
	"container-registry/server/internal/images"
	"container-registry/server/internal/referrers"
	"container-registry/server/internal/session"
	"container-registry/server/internal/store"
	"container-registry/server/internal/turns"
	"container-registry/server/internal/writes"
)

// Holdings tells what the repositories hold, without asking the store.
type Holdings interface {
	// Repositories are sorted by name.
	Repositories() []holdings.Repository
	Total() holdings.Total
	// At is when all was counted last; false before that.
	At() (time.Time, bool)
}

// Parts are what a page is made of.
type Parts struct {
	// Access is nil if nobody has to log in.
	Access *access.Controller
	Driver storagedriver.StorageDriver
	// Turns bound what is listed for the page and for clients.
	Turns *turns.Turns
	// Referrers says what is about an image.
	Referrers *referrers.Lister
	Holdings  Holdings
	Collector Collector
	// Fence makes pushes and deletions wait for each other.
	Fence Fence
	// Disk is where the store is, if it is on this machine.
	Disk *disk.Folder
	// Failing are the health checks that fail now, the store's among them.
	Failing func(context.Context) map[string]string
	// Audit is nil if no audit log is kept.
	Audit Audit
	Log   *logrus.Entry
}

// Page is the page of one registry.
type Page struct {
	*frame
	Parts
	images   *images.Reader
	sessions *session.Keeper
	crossing *http.CrossOriginProtection
	// secure says whether clients speak TLS, to the server or to a proxy before it.
	secure bool
	// deletes says whether the registry lets anybody delete, readOnly whether nothing changes it.
	deletes, readOnly bool
	engine            http.Handler
	forms             forms
}

// New makes the page for a configuration.
func New(c *configuration.Configuration, parts Parts) *Page {
	p := &Page{
		frame:    newFrame(c, parts.Log),
		Parts:    parts,
		images:   images.NewReader(parts.Driver, parts.Turns),
		crossing: http.NewCrossOriginProtection(),
		readOnly: store.Of(c).ReadOnly(),
	}
	enabled, _ := c.Storage["delete"]["enabled"].(bool)
	p.deletes = enabled && !p.readOnly
	p.crossing.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := ""
		// A page of somebody else's keeps no session alive.
		if v := p.visitor(&status{header: http.Header{}}, r); v != nil {
			user = v.name
		}
		p.refusedFor(r, user, fromElsewhere)
		p.showProblem(w, r, nil, http.StatusForbidden, "Another page sent this form. Go back, and send it from here.")
	}))
	if p.host != nil {
		// A proxy may call the registry by another name than browsers do.
		// Browsers leave the usual port out.
		host := strings.TrimSuffix(p.host.Host, map[string]string{"http": ":80", "https": ":443"}[p.host.Scheme])
		_ = p.crossing.AddTrustedOrigin(p.host.Scheme + "://" + host)
	}
	p.secure = c.HTTP.TLS.Certificate != "" || p.host != nil && p.host.Scheme == "https"
	p.sessions = session.New(c.HTTP.Secret, p.base, p.secure, parts.Driver).
		While(func(ctx context.Context) bool { return len(p.Failing(ctx)) == 0 })
	p.route()
	return p
}

func (p *Page) route() {
	p.mux.HandleFunc("GET "+p.base+"login", p.showLogin)
	p.mux.HandleFunc("POST "+p.base+"login", p.login)
	p.mux.HandleFunc("POST "+p.base+"logout", p.logout)
	p.mux.HandleFunc("GET "+p.base+"{$}", p.forVisitors(p.showRepositories))
	p.mux.HandleFunc("GET "+p.base+"r/{reference...}", p.forVisitors(p.showReference))
	p.mux.HandleFunc("POST "+p.base+"delete", p.forVisitors(p.delete))
	p.mux.HandleFunc("GET "+p.base+"cleanup", p.forVisitors(p.showCleanup))
	p.mux.HandleFunc("POST "+p.base+"collect", p.forVisitors(p.order(p.collect)))
	p.mux.HandleFunc("POST "+p.base+"preview", p.forVisitors(p.order(p.look)))
	// These are for browsers that come to a form's address without the form, from a bookmark or after a login.
	for form, to := range map[string]string{"logout": "", "delete": "", "collect": "cleanup", "preview": "cleanup"} {
		p.mux.Handle("GET "+p.base+form, http.RedirectHandler(p.link(to, nil), http.StatusSeeOther))
	}
	// Other methods are answered by the mux, which says what may be asked.
	p.mux.HandleFunc("GET "+p.base, func(w http.ResponseWriter, r *http.Request) { p.showMissing(w, r, nil) })
}

// Around answers below the page's path, and leaves all other requests to the engine and the checks around it.
// Deletions on the page take the same way as those of API clients.
func (p *Page) Around(engine http.Handler) http.Handler {
	p.engine = engine
	return p.around(p.withForms(p.crossing.Handler(p.mux)), engine)
}

// Observe makes a client's change visible at once.
func (p *Page) Observe(_ context.Context, w writes.Write) {
	if w.Kind != writes.Blob {
		p.images.Forget(w.Repository)
	}
}

func (p *Page) showMissing(w http.ResponseWriter, r *http.Request, v *visitor) {
	if v == nil {
		if v = p.visitor(w, r); v == nil {
			p.askForLogin(w, r)
			return
		}
	}
	p.showProblem(w, r, v, http.StatusNotFound, "There is nothing here, or it is not for you to see.")
}

// showFailure is for a failure of the store. The visitor is not told more than that.
func (p *Page) showFailure(w http.ResponseWriter, r *http.Request, v *visitor, err error) {
	if r.Context().Err() != nil {
		return
	}
	p.Log.WithError(err).Warn("a page could not be made of what the store holds")
	p.showAway(w, r, v)
}

func (p *Page) showAway(w http.ResponseWriter, r *http.Request, v *visitor) {
	w.Header().Set("Retry-After", "10")
	p.showProblem(w, r, v, http.StatusServiceUnavailable, "The registry's store does not answer. Try again in a moment.")
}
