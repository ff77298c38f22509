package mirror_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestMirrorTagMoves has a tag move while the mirror asks for it.
func TestMirrorTagMoves(t *testing.T) {
	const manifest = "/v2/library/app/manifests/latest"
	for name, unnamed := range map[string]bool{"": false, "without digests": true} {
		t.Run(name, func(t *testing.T) {
			upstream := newUpstream(t, "")
			var moved atomic.Bool
			m := behind(t, upstream, func(r *http.Request, answer *httptest.ResponseRecorder) {
				if unnamed {
					answer.Header().Del("Docker-Content-Digest")
				}
				if r.URL.Path == manifest && (r.Method == http.MethodGet || !unnamed) && moved.CompareAndSwap(false, true) {
					upstream.push.Push(t, "library/app", "latest", registrytest.Layer(2, 1000))
				}
			})
			for range 2 {
				response, content := m.ask("manifests/latest")
				if refused := strings.Contains(string(content), "the upstream's manifest has another digest than it said"); response.StatusCode != http.StatusOK && !(unnamed && refused) {
					t.Errorf("%s: %s", response.Status, content)
				} else if got := response.Header.Get("Docker-Content-Digest"); response.StatusCode == http.StatusOK && got != digest.FromBytes(content).String() {
					t.Errorf("%s is %s", got, content)
				}
			}
			upstream.away.Store(true)
			if status, content := m.get("manifests/latest"); status != http.StatusOK {
				t.Errorf("without the upstream: %d: %s", status, content)
			}
		})
	}
}

// TestMirrorTagOfBefore has a tag move whose manifest is no longer kept. The upstream does not say so when it
// is asked what the tag names, so the engine goes by what the tag named before.
func TestMirrorTagOfBefore(t *testing.T) {
	upstream := newUpstream(t, "")
	var failures atomic.Int32
	m := behind(t, upstream, func(r *http.Request, answer *httptest.ResponseRecorder) {
		if strings.HasSuffix(r.URL.Path, "/manifests/latest") && failures.Add(-1) >= 0 {
			replace(answer, http.StatusBadGateway, "text/plain", "")
		}
	})
	before, _ := m.ask("manifests/latest")
	kept := layout.BlobPath(digest.Digest(before.Header.Get("Docker-Content-Digest")))
	if err := os.RemoveAll(filepath.Join(m.folder, "cache", filepath.Dir(kept))); err != nil {
		t.Fatal(err)
	}
	upstream.push.Push(t, "library/app", "latest", registrytest.Layer(2, 1000))
	failures.Store(2)
	for range 2 {
		response, content := m.ask("manifests/latest")
		if got := response.Header.Get("Docker-Content-Digest"); response.StatusCode == http.StatusOK && got != digest.FromBytes(content).String() {
			t.Errorf("%s is %s", got, content)
		}
	}
}

// TestMirrorLiedTo has an upstream name another manifest than the one it sends.
func TestMirrorLiedTo(t *testing.T) {
	other := digest.FromString("other")
	m := behind(t, newUpstream(t, ""), func(r *http.Request, answer *httptest.ResponseRecorder) {
		if strings.HasSuffix(r.URL.Path, other.String()) && r.Method == http.MethodGet {
			replace(answer, http.StatusOK, v1.MediaTypeImageManifest, `{"schemaVersion":2,"mediaType":"`+v1.MediaTypeImageManifest+`","config":{},"layers":[]}`)
		}
		if strings.Contains(r.URL.Path, "/manifests/") {
			answer.Header().Set("Docker-Content-Digest", other.String())
		}
	})
	for _, reference := range []string{"latest", other.String()} {
		if status, content := m.get("manifests/" + reference); status != http.StatusServiceUnavailable || !strings.Contains(string(content), "the upstream's manifest has another digest than it said") {
			t.Errorf("%s: %d: %s", reference, status, content)
		}
	}
	if report := m.size(); !strings.Contains(report, " 0 blobs") {
		t.Errorf("it keeps %s", report)
	}
}

// TestMirrorOtherAlgorithm keeps a manifest by the digest that the upstream gives it, even if the engine would
// take another one: by its tag and by that digest, over a restart, and no longer than its time.
func TestMirrorOtherAlgorithm(t *testing.T) {
	content := `{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageManifest + `","config":{"mediaType":"c","digest":"` + absent + `","size":1},"layers":[]}`
	for _, algorithm := range []digest.Algorithm{digest.SHA512, digest.SHA384} {
		t.Run(algorithm.String(), func(t *testing.T) {
			named := algorithm.FromString(content).String()
			upstream := newUpstream(t, "")
			m := behind(t, upstream, func(r *http.Request, answer *httptest.ResponseRecorder) {
				if reference := path.Base(r.URL.Path); !upstream.away.Load() && (reference == "other" || reference == named) {
					replace(answer, http.StatusOK, v1.MediaTypeImageManifest, content)
					answer.Header().Set("Docker-Content-Digest", named)
					answer.Header().Set("Content-Length", strconv.Itoa(len(content)))
				}
			})
			served := func(when string) {
				t.Helper()
				for _, reference := range []string{"other", named} {
					if response, got := m.ask("manifests/" + reference); response.StatusCode != http.StatusOK || string(got) != content || response.Header.Get("Docker-Content-Digest") != named {
						t.Errorf("%s, %s: %s %q %s", when, reference, response.Status, response.Header, got)
					}
				}
			}
			served("at first")
			upstream.away.Store(true)
			served("without the upstream")
			m.kill()
			m.start()
			served("after a restart")
			m.kill()
			m.ttl = "1s"
			m.start()
			m.until("an end of it", func() bool { status, _ := m.get("manifests/" + named); return status != http.StatusOK })
			m.kill()
			m.start()
			if report := m.size(); !strings.Contains(report, " 0 blobs") {
				t.Errorf("it keeps %s", report)
			}
		})
	}
}
