package mirror_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
)

// referrers asks for the referrers of a subject, and expects an answer.
func (m *mirrorProcess) referrers(subject digest.Digest) []digest.Digest {
	m.t.Helper()
	response, content := m.ask("referrers/" + subject.String())
	var index v1.Index
	if err := json.Unmarshal(content, &index); err != nil || response.StatusCode != http.StatusOK ||
		response.Header.Get("Content-Type") != v1.MediaTypeImageIndex || index.Manifests == nil {
		m.t.Fatalf("%s %q: %s\n%s", response.Status, response.Header, content, m.log.String())
	}
	found := []digest.Digest{}
	for _, each := range index.Manifests {
		found = append(found, each.Digest)
	}
	return found
}

// TestMirrorReferrers has an upstream that keeps referrers only under a tag, and then one with the API.
func TestMirrorReferrers(t *testing.T) {
	for _, scheme := range []string{"", "Basic", "Bearer"} {
		t.Run("login "+scheme, func(t *testing.T) {
			t.Parallel()
			upstream := newUpstream(t, scheme)
			subject := upstream.push.Push(t, "library/app", "signed", []byte("layer"))
			m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h", login: scheme != ""}
			m.start()
			if got := m.referrers(subject); len(got) != 0 {
				t.Errorf("before there are any: %s", got)
			}
			signature := upstream.push.Push(t, "library/app", "signature", []byte("signature"))
			upstream.push.PushIndex(t, "library/app", layout.ReferrersTag(subject), signature)
			if got := m.referrers(subject); !slices.Equal(got, []digest.Digest{signature}) {
				t.Errorf("by the tag: %s", got)
			}
			upstream.away.Store(true)
			if got := m.referrers(subject); !slices.Equal(got, []digest.Digest{signature}) {
				t.Errorf("by the tag, of the cache: %s", got)
			}
			other := digest.FromString("other")
			if response, content := m.ask("referrers/" + other.String()); response.StatusCode != http.StatusServiceUnavailable ||
				!strings.Contains(string(content), "UNAVAILABLE") {
				t.Errorf("without the upstream: %s: %s", response.Status, content)
			}
			upstream.away.Store(false)

			var asked atomic.Value
			api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Store(r.URL.RequestURI())
				w.Header().Set("Content-Type", v1.MediaTypeImageIndex)
				w.Header().Set("OCI-Filters-Applied", "artifactType")
				w.Header().Set("Link", `<https://elsewhere.example.com/v2/library/app/referrers/x?n=1&last=a%22b>; rel="next"`)
				fmt.Fprintf(w, `{"schemaVersion":2,"mediaType":%q,"manifests":[{"digest":%q}]}`, v1.MediaTypeImageIndex, other)
			})
			upstream.referrers.Store(&api)
			m.until("a list by the API", func() bool { return slices.Equal(m.referrers(subject), []digest.Digest{other}) })
			path := "/v2/library/app/referrers/" + subject.String()
			response, _ := m.ask("referrers/" + subject.String() + "?artifactType=a%2Fb&n=5")
			if want := path + "?artifactType=a%2Fb&n=5"; asked.Load() != want {
				t.Errorf("asked %s, want %s", asked.Load(), want)
			}
			if got, want := response.Header.Get("Link"), "<"+path+`?last=a%22b&n=1>; rel="next"`; got != want || response.Header.Get("OCI-Filters-Applied") != "artifactType" {
				t.Errorf("Link is %s, want %s, of %q", got, want, response.Header)
			}
			upstream.away.Store(true)
			m.until("the outage", func() bool {
				status, _ := m.get("referrers/" + other.String())
				return status == http.StatusServiceUnavailable
			})
			m.kill()
			if log := m.log.String(); strings.Contains(log, "unknown tag") || !strings.Contains(log, "/referrers/") {
				t.Errorf("the log is:\n%s", log)
			}
		})
	}
}

// TestMirrorReferrersRefused has an upstream whose API refuses, or sends too much.
func TestMirrorReferrersRefused(t *testing.T) {
	upstream := newUpstream(t, "")
	subject := digest.FromString("subject")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
	m.start()
	list := func(w http.ResponseWriter, size int) {
		w.Header().Set("Content-Type", v1.MediaTypeImageIndex)
		_, _ = w.Write([]byte(strings.Repeat(" ", size)))
	}
	for name, test := range map[string]struct {
		path   string
		api    http.HandlerFunc
		status int
		words  string
	}{
		"a limit": {subject.String(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(http.StatusTooManyRequests)
		}, http.StatusTooManyRequests, "the upstream's limit of pulls is reached"},
		"a fault":          {subject.String(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, http.StatusServiceUnavailable, "the upstream failed: 502"},
		"a denial":         {subject.String(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, http.StatusForbidden, "DENIED"},
		"a page":           {subject.String(), func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, http.StatusOK, `"manifests":[]`},
		"no such question": {subject.String(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) }, http.StatusOK, `"manifests":[]`},
		"no such type":     {subject.String(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotAcceptable) }, http.StatusOK, `"manifests":[]`},
		"another status":   {subject.String(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, http.StatusServiceUnavailable, "the upstream failed: 410"},
		"elsewhere": {subject.String(), func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/moved/referrers/" {
				http.Redirect(w, r, "/moved/referrers/", http.StatusPermanentRedirect)
				return
			}
			list(w, 10)
		}, http.StatusOK, "          "},
		"elsewhere for ever": {subject.String(), func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}, http.StatusServiceUnavailable, "the upstream failed: 307"},
		"too long": {subject.String(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(4<<20+1))
			list(w, 4<<20+1)
		}, http.StatusServiceUnavailable, "longer than 4 MiB"},
		"just as long": {subject.String(), func(w http.ResponseWriter, _ *http.Request) { list(w, 4<<20) }, http.StatusOK, " "},
		"no digest":    {"sha256:abc", func(http.ResponseWriter, *http.Request) {}, http.StatusBadRequest, "DIGEST_INVALID"},
	} {
		t.Run(name, func(t *testing.T) {
			upstream.referrers.Store(&test.api)
			response, content := m.ask("referrers/" + test.path)
			if response.StatusCode != test.status || !strings.Contains(string(content), test.words) {
				t.Errorf("%s: %.300s", response.Status, content)
			}
		})
	}
	t.Run("too long, of a length that is not said", func(t *testing.T) {
		api := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { list(w, 4<<20+1) })
		upstream.referrers.Store(&api)
		response, err := http.Get(m.base + "/v2/library/app/referrers/" + subject.String())
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, response.Body); err == nil {
			t.Error("the client takes it for a whole list")
		}
	})
}
