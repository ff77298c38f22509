package mirror

import (
	"encoding/json"
	"expvar"
	"net/http"
	"sync"
	"time"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"
)

// Pull is a manifest or blob that a client got.
type Pull struct {
	Repository string
	// Digest is that of what the client got, empty if it only asked.
	Digest digest.Digest
	// Fetched is whether it was not in the cache before.
	Fetched bool
}

func pullOf(router *mux.Router, r *http.Request, answer http.Header, h *heard) (p Pull, ok bool) {
	var match mux.RouteMatch
	if r.Method != http.MethodGet && r.Method != http.MethodHead || !router.Match(r, &match) || match.Route == nil {
		return p, false
	}
	if name := match.Route.GetName(); name != v2.RouteNameBlob && name != v2.RouteNameManifest {
		return p, false
	}
	p = Pull{Repository: match.Vars["name"], Fetched: h.fetched && h.refusal == nil}
	if r.Method == http.MethodGet {
		p.Digest = digest.Digest(answer.Get("Docker-Content-Digest"))
	}
	return p, true
}

// mostPulled is how many repositories are remembered.
const mostPulled = 10_000

// Pulls are the times when repositories were last pulled from, since the start.
type Pulls struct {
	mutex sync.Mutex
	last  map[string]time.Time
}

// Note records a pull. If there are too many repositories, it forgets the one that was pulled from longest ago.
func (p *Pulls) Note(pull Pull, now time.Time) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.last == nil {
		p.last = map[string]time.Time{}
	}
	if _, known := p.last[pull.Repository]; !known && len(p.last) >= mostPulled {
		oldest, at := "", now
		for name, each := range p.last {
			if each.Before(at) {
				oldest, at = name, each
			}
		}
		delete(p.last, oldest)
	}
	p.last[pull.Repository] = now
}

// Last is zero for a repository that was not pulled from.
func (p *Pulls) Last(repository string) time.Time {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.last[repository]
}

// Use is how useful a cache was, since the start.
type Use struct{ Blobs, Manifests Counts }

// Counts are of what clients got. Hits came from the cache, Misses from the upstream, which sent BytesPulled.
type Counts struct{ Requests, Hits, Misses, BytesPulled, BytesPushed uint64 }

// UseSoFar is what the engine counts, as it publishes it.
func UseSoFar() (use Use) {
	if registry, ok := expvar.Get("registry").(*expvar.Map); ok {
		if counts := registry.Get("proxy"); counts != nil {
			// Counts that cannot be read stay zero.
			_ = json.Unmarshal([]byte(counts.String()), &use)
		}
	}
	return use
}
