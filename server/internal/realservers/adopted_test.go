package realservers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// adoption is the time within which another server sends the events of one that is gone: it looks once a
// minute for events that are older than a minute.
const adoption = 4 * time.Minute

// hook is an endpoint that accepts notifications of pushes once well is set.
type hook struct {
	mu   sync.Mutex
	well bool
	// tags counts the accepted notifications of each tag, and refused those that were refused.
	tags    map[string]int
	refused int
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var told struct {
		Events []struct{ Target struct{ Tag string } }
	}
	if err := json.NewDecoder(r.Body).Decode(&told); err != nil || !h.well {
		h.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for _, each := range told.Events {
		h.tags[each.Target.Tag]++
	}
}

func (h *hook) set(well bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.well, h.refused = well, 0
}

func (h *hook) told() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := map[string]int{}
	for tag, count := range h.tags {
		told[tag] = count
	}
	return told
}

func (h *hook) refuses() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refused > 0
}

// TestAdoptedEvents kills each of two servers of one store while its events wait: the other one
// sends them.
func TestAdoptedEvents(t *testing.T) {
	t.Parallel()
	h := &hook{tags: map[string]int{}}
	endpoint := httptest.NewServer(h)
	t.Cleanup(endpoint.Close)
	root := t.TempDir()
	start := func(name string) *serving {
		t.Helper()
		address := registrytest.FreeAddress(t)
		settings := config(address, folderStorage(root)) + fmt.Sprintf("server: {notifications: [{name: hook, url: %q}]}\n", endpoint.URL)
		return serve(t, configFile(t, name, settings), address)
	}
	waiting := func() int {
		t.Helper()
		files, err := os.ReadDir(filepath.Join(root, "container-registry-events", "hook"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	want := map[string]int{}
	push := func(to *serving, tags ...string) {
		t.Helper()
		for _, tag := range tags {
			to.Push(t, "team/app", tag, registrytest.Layer(1, 100))
			want[tag] = 1
		}
	}
	first, second := start("first"), start("second")
	for _, each := range []struct {
		name        string
		goes, stays *serving
	}{{"first", first, second}, {"second", second, nil}} {
		h.set(false)
		if each.stays == nil {
			each.stays = start("first, again")
		}
		push(each.goes, each.name+"-1", each.name+"-2")
		push(each.stays, each.name+"-stays")
		eventually(t, "attempt to tell", h.refuses)
		if n := waiting(); n != 3 {
			t.Errorf("%s: %d events wait", each.name, n)
		}
		each.goes.kill()
		h.set(true)
		began := time.Now()
		poll.Within(t, adoption, "event of the server that is gone", func() bool { return len(h.told()) == len(want) })
		t.Logf("%s: adopted after %s", each.name, time.Since(began).Round(time.Second))
		eventually(t, "empty folder", func() bool { return waiting() == 0 })
	}
	if got := h.told(); !reflect.DeepEqual(got, want) {
		t.Errorf("told of %v, want %v", got, want)
	}
}
