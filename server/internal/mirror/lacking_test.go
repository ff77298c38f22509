package mirror_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// behind is a mirror of an upstream whose responses are changed on their way, once they are complete.
func behind(t *testing.T, upstream *upstream, change func(r *http.Request, answer *httptest.ResponseRecorder)) *mirrorProcess {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		upstream.server.Config.Handler.ServeHTTP(answer, r)
		change(r, answer)
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		if answer.Header().Get("Content-Length") == "" {
			// The length is not known from here on.
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(front.Close)
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: front.URL, ttl: "1h"}
	m.start()
	return m
}

// replace puts another response in place of the upstream's.
func replace(answer *httptest.ResponseRecorder, status int, contentType, content string) {
	clear(answer.Header())
	answer.Header().Set("Content-Type", contentType)
	answer.Code = status
	answer.Body.Reset()
	answer.Body.WriteString(content)
}

// TestMirrorTagGone has the upstream lose a tag that is cached.
func TestMirrorTagGone(t *testing.T) {
	const unknown = `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`
	subject := digest.FromString("x")
	upstream := newUpstream(t, "")
	var lost atomic.Pointer[string]
	m := behind(t, upstream, func(r *http.Request, answer *httptest.ResponseRecorder) {
		tagged := strings.HasSuffix(r.URL.Path, "/manifests/latest") || strings.Contains(r.URL.Path, "/manifests/sha256-")
		if content := lost.Load(); content != nil && tagged {
			if r.Method == http.MethodHead {
				content = new(string)
			}
			replace(answer, http.StatusNotFound, "application/json", *content)
		}
	})
	signature := upstream.push.Push(t, "library/app", "signature", []byte("signature"))
	upstream.push.PushIndex(t, "library/app", layout.ReferrersTag(subject), signature)
	m.pull()
	if got := m.referrers(subject); len(got) != 1 {
		t.Errorf("before: %s", got)
	}
	response, _ := m.ask("manifests/latest")
	d := response.Header.Get("Docker-Content-Digest")

	lost.Store(new(unknown))
	response, content := m.ask("manifests/latest")
	if response.StatusCode != http.StatusNotFound || !strings.Contains(string(content), "MANIFEST_UNKNOWN") || response.Header.Get("Docker-Content-Digest") != "" {
		t.Errorf("by the tag: %s %q: %s", response.Status, response.Header, content)
	}
	head, err := http.Head(m.base + "/v2/library/app/manifests/latest")
	if err != nil {
		t.Fatal(err)
	}
	head.Body.Close()
	if head.StatusCode != http.StatusNotFound {
		t.Errorf("by HEAD: %s", head.Status)
	}
	if status, _ := m.get("manifests/" + d); status != http.StatusOK {
		t.Errorf("by its digest: %d", status)
	}
	if got := m.referrers(subject); len(got) != 0 {
		t.Errorf("the list is %s", got)
	}
	// A gateway that has lost its way answers like this.
	lost.Store(new("<p>no such page</p>"))
	m.pull()
	lost.Store(new(unknown))
	upstream.away.Store(true)
	if status, _ := m.get("manifests/latest"); status != http.StatusNotFound {
		t.Errorf("once more: %d", status)
	}
}

// TestMirrorWithoutLengths has an upstream leave out how long something is, or refuse HEAD.
func TestMirrorWithoutLengths(t *testing.T) {
	const manifests, blobs, told, untold = "/manifests/", "/blobs/", 200, 503
	for name, test := range map[string]struct {
		kind, method string
		status, want int
	}{
		"HEAD of manifests": {manifests, http.MethodHead, 200, told},
		"of manifests":      {manifests, "", 200, told},
		"HEAD of blobs":     {blobs, http.MethodHead, 200, told},
		"no HEAD of blobs":  {blobs, http.MethodHead, 405, told},
		"of blobs":          {blobs, "", 200, untold},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := behind(t, newUpstream(t, ""), func(r *http.Request, answer *httptest.ResponseRecorder) {
				if strings.Contains(r.URL.Path, test.kind) && (test.method == "" || r.Method == test.method) {
					answer.Header().Del("Content-Length")
					answer.Code = test.status
				}
			})
			layer := m.image("latest").Layers[0]
			if status, content := m.get("blobs/" + layer.Digest.String()); status != test.want || status == told && digest.FromBytes(content) != layer.Digest ||
				status == untold && !strings.Contains(string(content), "the upstream does not say how long a blob is") {
				t.Errorf("%d: %.200s", status, content)
			}
			response, err := http.Head(m.base + "/v2/library/app/blobs/" + layer.Digest.String())
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != test.want || test.want == told && response.ContentLength != layer.Size {
				t.Errorf("HEAD: %s, %d bytes", response.Status, response.ContentLength)
			}
		})
	}
}

// TestMirrorOtherManifests has manifests of types that the engine does not read, or that are sent as such.
func TestMirrorOtherManifests(t *testing.T) {
	for _, kind := range []string{"application/vnd.oci.artifact.manifest.v1+json", "application/vnd.docker.distribution.manifest.v1+prettyjws", "application/json"} {
		content := fmt.Sprintf(`{"mediaType":%q,"schemaVersion":2,"config":{"digest":%q},"layers":[]}`, kind, absent)
		d := digest.FromString(content)
		for _, header := range []http.Header{{}, {"Docker-Content-Digest": {d.String()}, "Content-Length": {fmt.Sprint(len(content))}}} {
			m := behind(t, newUpstream(t, ""), func(r *http.Request, answer *httptest.ResponseRecorder) {
				if strings.HasSuffix(r.URL.Path, "/manifests/old") || strings.HasSuffix(r.URL.Path, "/manifests/"+d.String()) {
					body := content
					if r.Method == http.MethodHead {
						body = ""
					}
					replace(answer, http.StatusOK, kind, body)
					maps.Copy(answer.Header(), header)
				}
			})
			for _, reference := range []string{"old", d.String()} {
				if status, content := m.get("manifests/" + reference); status != http.StatusNotFound || !strings.Contains(string(content), "is of a kind that a mirror can't keep: "+kind) {
					t.Errorf("%s by %s: %d: %s", kind, reference, status, content)
				}
			}
			m.pull()
		}
	}
}
