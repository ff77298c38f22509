package page

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/disk"
	"container-registry/server/internal/holdings"
	"container-registry/server/internal/mirror"
)

// lifetime is how long the engine keeps what it cached if the configuration does not say.
const lifetime = 7 * 24 * time.Hour

// MirrorParts are what the page of a mirror is made of.
type MirrorParts struct {
	Holdings Holdings
	// Disk is where the cache is.
	Disk *disk.Folder
	// Pulled is when a repository was last pulled from.
	Pulled   func(repository string) time.Time
	Upstream func() mirror.State
	Use      func() mirror.Use
	// Most is how many bytes the cache may hold; 0 for as many as there is room for.
	Most int64
	Log  *logrus.Entry
}

// Mirror is the page of a pull-through cache, which is only for looking. Nobody logs in at a mirror, so it
// shows nothing that a pull through it would not.
type Mirror struct {
	*frame
	MirrorParts
	upstream string
	login    bool
	lifetime time.Duration
	started  time.Time
}

// NewMirror makes the page for a configuration.
func NewMirror(c *configuration.Configuration, parts MirrorParts) *Mirror {
	m := &Mirror{frame: newFrame(c, parts.Log), MirrorParts: parts, login: c.Proxy.Username != "", lifetime: lifetime, started: time.Now()}
	if address, err := url.Parse(c.Proxy.RemoteURL); err == nil {
		// The address is shown without a user that it may contain.
		m.upstream = (&url.URL{Scheme: address.Scheme, Host: address.Host}).String()
	}
	if c.Proxy.TTL != nil {
		m.lifetime = *c.Proxy.TTL
	}
	m.mux.HandleFunc("GET "+m.base+"{$}", m.show)
	m.mux.HandleFunc("GET "+m.base, func(w http.ResponseWriter, r *http.Request) {
		m.showProblem(w, r, nil, http.StatusNotFound, "There is nothing here.")
	})
	return m
}

// Around answers below the page's path, and leaves all other requests to the engine.
func (m *Mirror) Around(engine http.Handler) http.Handler { return m.around(m.mux, engine) }

// mirrorPage is what a mirror has, and how it gets it.
type mirrorPage struct {
	Upstream string
	// Login is whether the mirror has a login at the upstream.
	Login bool
	mirror.State
	// Lifetime is 0 for what is kept for ever.
	Lifetime time.Duration
	Most     int64
	Started  time.Time
	Use      []use
	// Percent is the share of requests for which the cache had an answer, -1 if there were no requests.
	Percent int
	Disk    *diskUse
	Total   holdings.Total
	// Counted is zero before all was counted for the first time.
	Counted time.Time
	Query   string
	Sorts   []choice
	Rows    []cached
	Pages   pager
}

// use is how often something was found in the cache.
type use struct {
	Name         string
	Hits, Misses uint64
	// Fetched came from the upstream, and Given went to clients.
	Fetched, Given int64
}

// cached is a repository in the cache.
type cached struct {
	holdings.Repository
	Pulled time.Time
}

func (m *Mirror) show(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	at, _ := m.Holdings.At()
	page := mirrorPage{
		Upstream: m.upstream, Login: m.login, State: m.MirrorParts.Upstream(), Lifetime: m.lifetime, Most: m.Most, Started: m.started,
		Disk: diskUseOf(m.Disk, m.Holdings.Total().Bytes), Total: m.Holdings.Total(), Counted: at, Query: strings.TrimSpace(query.Get("q")),
	}
	page.Use, page.Percent = useOf(m.MirrorParts.Use())
	for _, each := range m.Holdings.Repositories() {
		if strings.Contains(each.Name, strings.ToLower(page.Query)) {
			page.Rows = append(page.Rows, cached{each, m.Pulled(each.Name)})
		}
	}
	here := func(q url.Values) string { return m.link("", q) }
	by := orderCached(page.Rows, query.Get("sort"))
	page.Sorts = choices([]way{{"name", "Name"}, {"pulled", "Last pull"}, {"size", "Size"}}, by, query, here)
	page.Pages = paged(len(page.Rows), query, here)
	page.Rows = page.Rows[page.Pages.From:page.Pages.To]
	m.render(w, r, nil, http.StatusOK, "mirror", "Mirror", page)
}

// orderCached sorts the rows, and returns what they are sorted by.
func orderCached(rows []cached, by string) string {
	switch by {
	case "size":
		slices.SortStableFunc(rows, func(a, b cached) int { return cmp.Compare(b.Bytes, a.Bytes) })
	case "pulled":
		slices.SortStableFunc(rows, func(a, b cached) int { return b.Pulled.Compare(a.Pulled) })
	default:
		return "name"
	}
	return by
}

// useOf makes the rows to show, and the percentage of requests for which the cache had an answer.
func useOf(all mirror.Use) (rows []use, percent int) {
	var hits, requests uint64
	for _, each := range []struct {
		name string
		mirror.Counts
	}{{"Manifests", all.Manifests}, {"Blobs", all.Blobs}} {
		rows = append(rows, use{each.name, each.Hits, each.Misses, int64(each.BytesPulled), int64(each.BytesPushed)})
		hits += each.Hits
		requests += max(each.Requests, each.Hits)
	}
	if requests == 0 {
		return rows, -1
	}
	return rows, int(hits * 100 / requests)
}
