package mirror_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestMirrorBreaksOff has an upstream break off. What a client has received until then is the beginning of the
// layer, and nothing else.
func TestMirrorBreaksOff(t *testing.T) {
	upstream := newUpstream(t, "")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
	m.start()
	layer := m.image("latest").Layers[0]
	upstream.breaks.Store(true)
	response, err := http.Get(m.base + "/v2/library/app/blobs/" + layer.Digest.String())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if whole := registrytest.Layer(1, 100_000); err == nil || len(content) == 0 || !bytes.HasPrefix(whole, content) {
		t.Errorf("%d bytes, %v: …%s", len(content), err, content[max(0, len(content)-100):])
	}
	upstream.breaks.Store(false)
	m.pull()
}

// TestMirrorWrongLayer has an upstream send another layer. Nothing of that is kept.
func TestMirrorWrongLayer(t *testing.T) {
	m := behind(t, newUpstream(t, ""), func(r *http.Request, answer *httptest.ResponseRecorder) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			length := answer.Body.Len()
			answer.Body.Reset()
			answer.Body.Write(make([]byte, length))
		}
	})
	layer := m.image("latest").Layers[0]
	// The client has all of it, and compares it with the digest.
	m.get("blobs/" + layer.Digest.String())
	m.until("an end of it", func() bool { return m.uploads() == 0 })
	m.kill()
	if size, log := m.size(), m.log.String(); !strings.Contains(size, " 1 blobs") || strings.Contains(log, "canceling") {
		t.Errorf("it keeps %s\n%s", size, log)
	}
}

// TestMirrorTakesItsTime has an upstream take longer than the engine would write to its cache.
func TestMirrorTakesItsTime(t *testing.T) {
	upstream := newUpstream(t, "")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h", proxy: "cachewritetimeout: 1ms, "}
	m.start()
	upstream.dawdles.Store(true)
	m.pull()
	if size := m.size(); !strings.Contains(size, " 3 blobs") {
		t.Errorf("it keeps %s\n%s", size, m.log.String())
	}
}

// TestMirrorHead asks about a blob, and fetches nothing of it.
func TestMirrorHead(t *testing.T) {
	upstream := newUpstream(t, "")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
	m.start()
	for _, layer := range m.image("latest").Layers {
		response, err := http.Head(m.base + "/v2/library/app/blobs/" + layer.Digest.String())
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK || response.ContentLength != layer.Size || response.Header.Get("Docker-Content-Digest") != layer.Digest.String() {
			t.Errorf("%s %q", response.Status, response.Header)
		}
	}
	if n := upstream.content.Load(); n > 0 {
		t.Errorf("%d blobs were fetched", n)
	}
	if size := m.size(); !strings.Contains(size, " 1 blobs") || m.uploads() > 0 {
		t.Errorf("it keeps %s, and %d uploads", size, m.uploads())
	}
	response, err := http.Head(m.base + "/v2/library/app/blobs/" + absent)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("of what the upstream lacks: %s", response.Status)
	}
	m.pull()
	m.kill()
	if log := m.log.String(); strings.Count(log, "level=error") != 1 || !strings.Contains(log, "blob unknown") {
		t.Errorf("the log is:\n%s", log)
	}
}

// uploads is the number of blobs in the cache that are being fetched.
func (m *mirrorProcess) uploads() int {
	m.t.Helper()
	found, err := filepath.Glob(filepath.Join(m.folder, "cache", layout.RepositoryPath("library/app", layout.Uploads), "*"))
	if err != nil {
		m.t.Fatal(err)
	}
	return len(found)
}

// TestMirrorStartsOnHalves kills a mirror while it fetches, and empties a link as a power cut does.
func TestMirrorStartsOnHalves(t *testing.T) {
	for _, ttl := range []string{"1h", "0s"} {
		upstream := newUpstream(t, "")
		m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: ttl}
		m.start()
		m.pull()
		image := m.image("latest")
		upstream.push.Push(t, "library/app", "next", registrytest.Layer(2, 100_000))
		next := m.image("next").Layers[0].Digest
		upstream.stalls.Store(true)
		go func() {
			if response, err := http.Get(m.base + "/v2/library/app/blobs/" + next.String()); err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		}()
		m.until("half of a layer", func() bool { return upstream.stalled.Load() == 1 && m.uploads() == 1 })
		m.kill()
		for _, link := range []string{layout.LinkPath(layout.RepositoryPath("library/app", layout.Layers), image.Config.Digest), layout.TagPath("library/app", "latest")} {
			if err := os.WriteFile(filepath.Join(m.folder, "cache", link), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m.start()
		if n := m.uploads(); n > 0 {
			t.Errorf("with a lifetime of %s %d uploads are left", ttl, n)
		}
		upstream.stalls.Store(false)
		m.pull()
		m.kill()
	}
}

// TestMirrorStartsWithoutItsCache keeps everything forever, so nothing of the cache has to be read.
func TestMirrorStartsWithoutItsCache(t *testing.T) {
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: newUpstream(t, "").server.URL, ttl: "0s"}
	repositories := filepath.Join(m.folder, "cache", layout.Repositories)
	if err := os.MkdirAll(filepath.Dir(repositories), 0o700); err != nil {
		t.Fatal(err)
	}
	// A link to itself can't be listed.
	if err := os.Symlink(repositories, repositories); err != nil {
		t.Fatal(err)
	}
	m.start()
	m.kill()
	if log := m.log.String(); !strings.Contains(log, "level=warning") || !strings.Contains(log, "too many levels of symbolic links") {
		t.Errorf("the log is:\n%s", log)
	}
}

// TestMirrorEmptyPage has the upstream send a page without tags that is not the last.
func TestMirrorEmptyPage(t *testing.T) {
	upstream := newUpstream(t, "")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
	m.start()
	tags := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", `</v2/library/app/tags/list?n=1&last=x>; rel="next"`)
		fmt.Fprint(w, `{"name":"library/app","tags":[]}`)
	})
	upstream.tags.Store(&tags)
	if response, content := m.ask("tags/list?n=1"); response.StatusCode != http.StatusOK || !strings.Contains(string(content), `"tags":[]`) || response.Header.Get("Link") != "" {
		t.Errorf("%s %q: %s", response.Status, response.Header, content)
	}
}

// TestMirrorTooMuch has an upstream send more than a mirror reads into memory.
func TestMirrorTooMuch(t *testing.T) {
	upstream := newUpstream(t, "")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
	m.start()
	tags := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"name":"library/app","tags":["%s"]}`, strings.Repeat("a", 16<<20))
	})
	upstream.tags.Store(&tags)
	if status, content := m.get("tags/list"); status != http.StatusServiceUnavailable || !strings.Contains(string(content), "the upstream sends too much") {
		t.Errorf("%d: %.300s", status, content)
	}
}

// TestMirrorAway checks that an upstream that is away only affects requests that need it.
func TestMirrorAway(t *testing.T) {
	upstream := newUpstream(t, "")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
	upstream.away.Store(true)
	m.start()
	const repository = "/v2/library/app/"
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, repository + "manifests/latest", http.StatusServiceUnavailable},
		{http.MethodHead, repository + "blobs/" + absent, http.StatusServiceUnavailable},
		{http.MethodGet, repository + "referrers/" + absent, http.StatusServiceUnavailable},
		{http.MethodGet, repository + "tags/list", http.StatusServiceUnavailable},
		{http.MethodGet, repository + "tags/list?n=-1", http.StatusBadRequest},
		{http.MethodGet, repository + "referrers/sha256:abc", http.StatusBadRequest},
		{http.MethodGet, "/v2/_catalog?n=-1", http.StatusBadRequest},
		{http.MethodGet, "/v2/nothing", http.StatusNotFound},
		{http.MethodPost, repository + "blobs/uploads/", http.StatusMethodNotAllowed},
		{http.MethodDelete, repository + "manifests/" + absent, http.StatusMethodNotAllowed},
	} {
		request, err := http.NewRequestWithContext(t.Context(), test.method, m.base+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != test.want {
			t.Errorf("%s %s: %s, want %d, %v: %s", test.method, test.path, response.Status, test.want, err, content)
		}
	}
}
