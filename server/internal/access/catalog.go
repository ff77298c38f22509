package access

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"container-registry/server/internal/layout"
)

// defaultEntries is the length of a page when the client names none; the engine's.
const defaultEntries = 100

type catalog struct {
	Repositories []string `json:"repositories"`
}

// serveCatalog lists the repositories the user may pull from.
func (c *Controller) serveCatalog(engine http.Handler, w http.ResponseWriter, r *http.Request, d *decision) {
	d.filtersCatalog = true
	all := d.principal.rights.PullEverything()
	// The engine refuses what is no place in a list, alike to all.
	if at := r.URL.Query().Get("last"); !all && layout.IsPlace(at) {
		if from := skip(d.principal.rights.PullPrefixes(), at); from != at {
			r = page(r, r.URL.Query().Get("n"), from)
		}
	}
	first := record(engine, r, d)
	if all || first.status != http.StatusOK {
		first.replay(w)
		return
	}
	wanted := defaultEntries
	if n, err := strconv.Atoi(r.URL.Query().Get("n")); err == nil {
		wanted = n
	}
	visible, more, err := c.visible(engine, r, d, first, wanted)
	if err != nil {
		c.log.Errorf("catalog: %v", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	maps.Copy(w.Header(), first.header)
	w.Header().Del("Link")
	if more {
		next := url.URL{Path: r.URL.Path, RawQuery: url.Values{"n": {strconv.Itoa(wanted)}, "last": {visible[len(visible)-1]}}.Encode()}
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.String()))
	}
	// The client is gone when this fails.
	_ = json.NewEncoder(w).Encode(catalog{visible})
}

// visible collects a page of what the user may see, from as many of the engine's pages
// as it takes.
func (c *Controller) visible(engine http.Handler, r *http.Request, d *decision, listed *recorder, wanted int) (names []string, more bool, err error) {
	names = []string{}
	for passes := 1; ; passes++ {
		var all catalog
		if err := json.Unmarshal(listed.body.Bytes(), &all); err != nil {
			return nil, false, err
		}
		for _, name := range all.Repositories {
			if !d.principal.rights.Pull(name) {
				continue
			}
			if len(names) == wanted {
				return names, true, nil
			}
			names = append(names, name)
		}
		if listed.header.Get("Link") == "" || len(all.Repositories) == 0 {
			return names, false, nil
		}
		if err := r.Context().Err(); err != nil {
			return nil, false, err
		}
		last := skip(d.principal.rights.PullPrefixes(), all.Repositories[len(all.Repositories)-1])
		// One name more than the page has tells whether there is another page. Where some are hidden there may be
		// many such, and a store may be walked from its beginning for each.
		few := wanted + 1 - len(names)
		if len(names) == 0 || passes > 1 {
			few = c.maxEntries
		}
		next := page(r, strconv.Itoa(min(few, c.maxEntries)), last)
		listed = record(engine, next, &decision{principal: d.principal, filtersCatalog: true})
		if listed.status != http.StatusOK {
			return nil, false, fmt.Errorf("the engine answers %d", listed.status)
		}
	}
}

// page asks for n names after the last.
func page(r *http.Request, n, last string) *http.Request {
	asked := r.Clone(r.Context())
	asked.Form = url.Values{"last": {last}}
	if n != "" {
		asked.Form.Set("n", n)
	}
	asked.URL.RawQuery = asked.Form.Encode()
	return asked
}

// recorder keeps an answer of the engine.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func record(engine http.Handler, r *http.Request, d *decision) *recorder {
	page := &recorder{header: http.Header{}, status: http.StatusOK}
	serve(engine, page, r, d)
	return page
}

func (p *recorder) Header() http.Header { return p.header }

func (p *recorder) WriteHeader(status int) { p.status = status }

func (p *recorder) Write(content []byte) (int, error) { return p.body.Write(content) }

func (p *recorder) replay(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.header)
	w.WriteHeader(p.status)
	// The client is gone when this fails.
	_, _ = w.Write(p.body.Bytes())
}
