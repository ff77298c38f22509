package access

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"container-registry/server/internal/htpasswd"
)

// TestCatalogAsksForFew has the engine list little for a small page, also to who sees a part of all.
func TestCatalogAsksForFew(t *testing.T) {
	users, err := htpasswd.Parse([]byte(user(t, "team", "t") + user(t, "two", "t") + "#!access team pull team/*\n#!access two pull */r5\n" +
		user(t, "some", "t") + "#!access some pull */*5\n"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range 300 {
		all = append(all, fmt.Sprintf("team/r%d", i), fmt.Sprintf("zulu/r%d", i))
	}
	slices.Sort(all)
	const most = 100
	for _, test := range []struct {
		user, query string
		// names and pages are those of the answer, and of the engine, which may list so many names.
		names, pages, listed int
	}{
		{"team", "n=1", 1, 2, 2},
		{"team", "n=7", 7, 2, 8},
		{"team", "n=100", 100, 2, 101},
		{"team", "n=7&last=team/r98", 1, 2, 8},
		// All but two are hidden from it.
		{"two", "n=5", 2, 10, 620},
		// It sees a tenth of them, which is found with a few of the engine's pages.
		{"some", "n=30", 30, 6, 431},
	} {
		t.Run(test.user+" "+test.query, func(t *testing.T) {
			pages, listed := 0, 0
			engine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n, err := strconv.Atoi(r.URL.Query().Get("n"))
				if err != nil || n > most {
					t.Errorf("%s: %v", r.URL, err)
				}
				from := all[sortedAfter(all, r.URL.Query().Get("last")):]
				if len(from) > n {
					from = from[:n]
					w.Header().Set("Link", "more")
				}
				pages, listed = pages+1, listed+len(from)
				_ = json.NewEncoder(w).Encode(catalog{from})
			})
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/v2/_catalog?"+test.query, nil)
			c := &Controller{maxEntries: most}
			c.serveCatalog(engine, w, r, &decision{principal: &principal{user: test.user, rights: users.Rights(test.user)}})
			var got catalog
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Repositories) != test.names || pages > test.pages || listed > test.listed {
				t.Errorf("%v: %s, of %d in %d pages", err, w.Body, listed, pages)
			}
		})
	}
}

// sortedAfter is where the names after one begin.
func sortedAfter(all []string, name string) int {
	at, found := slices.BinarySearch(all, name)
	if found {
		at++
	}
	return at
}

// TestCatalogPlace leaves to the engine what is no place in a list, whoever asks.
func TestCatalogPlace(t *testing.T) {
	users, err := htpasswd.Parse([]byte(user(t, "team", "t") + "#!access team pull team/*\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, last := range []string{"\x00", "../../x", "a b"} {
		engine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got := r.URL.Query().Get("last"); got != last {
				t.Errorf("%q became %q", last, got)
			}
			w.WriteHeader(http.StatusBadRequest)
		})
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/v2/_catalog?"+url.Values{"last": {last}}.Encode(), nil)
		(&Controller{maxEntries: 5}).serveCatalog(engine, w, r, &decision{principal: &principal{user: "team", rights: users.Rights("team")}})
		if w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", last, w.Code, w.Body)
		}
	}
}
