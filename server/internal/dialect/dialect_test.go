package dialect

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/manifest/manifestlist"
	"github.com/distribution/distribution/v3/manifest/schema2"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/registrytest"
)

func TestAccept(t *testing.T) {
	const image, list = schema2.MediaTypeManifest, manifestlist.MediaTypeManifestList
	tests := []struct {
		name, method string
		given        []string
		want         string
	}{
		{"nothing", http.MethodGet, nil, everyType},
		{"an empty one", http.MethodGet, []string{""}, everyType},
		{"anything", http.MethodGet, []string{"*/*"}, everyType},
		{"any application", http.MethodHead, []string{"application/*; q=0.5"}, everyType},
		{"Docker's image", http.MethodHead, []string{image}, withoutLists},
		{"that and OCI's", http.MethodGet, []string{image + ";q=1, " + v1.MediaTypeImageManifest}, withoutLists},
		{"that or anything", http.MethodGet, []string{image + ", */*;q=0.1"}, everyType},
		{"that, or a list in a header of its own", http.MethodGet, []string{image, list}, everyType},
		{"an OCI image", http.MethodGet, []string{v1.MediaTypeImageManifest}, everyType},
		{"text", http.MethodGet, []string{"text/html"}, everyType},
		{"JSON", http.MethodGet, []string{"application/json"}, everyType},
		{"nonsense", http.MethodGet, []string{"*"}, everyType},
		{"a push", http.MethodPut, []string{image}, image},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			engine := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Values("Accept") })
			r := httptest.NewRequest(test.method, "/p/v2/team/app/manifests/1", nil)
			for _, each := range test.given {
				r.Header.Add("Accept", each)
			}
			Handler(engine, configuration.HTTP{Prefix: "/p/"}).ServeHTTP(httptest.NewRecorder(), r)
			if len(got) != 1 || got[0] != test.want {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestHost has an engine that names http.host, which clients may not know, or no host at all.
func TestHost(t *testing.T) {
	const upload, known = "/p/v2/app/blobs/uploads/1?_state=x://y/", "https://registry.example.com"
	for _, test := range []struct {
		host, asked, location string
		status                int
		want                  string
	}{
		{known, "localhost:5000", known + upload, http.StatusAccepted, upload},
		{known, "registry.example.com", known + upload, http.StatusCreated, upload},
		{known, "localhost:5000", known + ":8443" + upload, http.StatusNoContent, upload},
		{known, "localhost:5000", upload, http.StatusAccepted, upload},
		{known, "localhost:5000", "", http.StatusAccepted, ""},
		{known, "localhost:5000", "https://store.example.com/a?b", http.StatusTemporaryRedirect, "https://store.example.com/a?b"},
		{"", "localhost:5000", "http://localhost:5000" + upload, http.StatusAccepted, "http://localhost:5000" + upload},
		{"", "", "http://" + upload, http.StatusAccepted, upload},
	} {
		engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if test.location != "" {
				w.Header().Set("Location", test.location)
			}
			w.WriteHeader(test.status)
		})
		r := httptest.NewRequest(http.MethodPost, "/p/v2/app/blobs/uploads/", nil)
		r.Host = test.asked
		w := httptest.NewRecorder()
		Handler(engine, configuration.HTTP{Prefix: "/p/", Host: test.host}).ServeHTTP(w, r)
		if got := w.Header().Get("Location"); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

func TestRefusal(t *testing.T) {
	long := strings.Repeat("a", 256)
	const uploads = "/v2/team/app/blobs/uploads/"
	const upload = uploads + "d95306fa-fad3-4e36-8d41-cf1c93ef8286"
	// at5 is of an upload of which five bytes are there.
	at5 := upload + "?_state=" + base64.URLEncoding.EncodeToString(append(make([]byte, sha256.Size), `{"Name":"team/app","Offset":5}`...))
	tests := []struct {
		method, path, chunk, length string
		status                      int
	}{
		{http.MethodGet, "/v2/" + long + "/tags/list", "", "", 400},
		{http.MethodPut, "/v2/team/" + long + "/manifests/1", "", "", 400},
		{http.MethodGet, "/v2/" + long[1:] + "/tags/list", "", "", 200},
		{http.MethodPost, "/v2/a.b/c__d/e--f/blobs/uploads/", "", "", 200},
		{http.MethodPost, "/v2/localhost:5000/app/blobs/uploads/", "", "", 400},
		{http.MethodPut, "/v2/a.b:1/c/manifests/1", "", "", 400},
		{http.MethodGet, "/v2/[::1]:80/app/tags/list", "", "", 400},
		{http.MethodPost, "/v2/Host/app/blobs/uploads/", "", "", 400},
		{http.MethodGet, "/v2/_catalog?last=team/app&n=2", "", "", 200},
		{http.MethodGet, "/v2/_catalog?last=Z", "", "", 200},
		{http.MethodGet, "/v2/_catalog?last=%00", "", "", 400},
		{http.MethodGet, "/v2/_catalog?last=" + long, "", "", 400},
		{http.MethodGet, "/v2/_catalog?last=..%2f..%2fblobs", "", "", 400},
		{http.MethodGet, "/v2/team/app/tags/list?last=v1..2", "", "", 200},
		{http.MethodGet, "/v2/team/app/tags/list?last=%0A", "", "", 400},
		{http.MethodGet, "/v2/team/app/tags/list?n=-1", "", "", 200},
		{http.MethodGet, "/v2/team/app/tags/list?n=abc", "", "", 400},
		{http.MethodGet, "/v2/_catalog?n=abc", "", "", 400},
		{http.MethodPost, uploads, "", "", 200},
		{http.MethodGet, upload, "", "", 200},
		{http.MethodGet, uploads + "SlowDown", "", "", 404},
		{http.MethodPut, uploads + long, "", "", 404},
		{http.MethodPatch, upload, "", "", 200},
		{http.MethodPatch, upload, "0-4", "5", 200},
		{http.MethodPatch, upload, "x-y", "5", 416},
		{http.MethodPatch, upload, "bytes 0-4/5", "5", 416},
		{http.MethodPatch, upload, "0-99999999999999999999", "5", 416},
		{http.MethodPut, upload, "0-4", "5", 200},
		{http.MethodPut, upload, "bytes 0-4/5", "5", 416},
		{http.MethodPut, upload, "0-99999999999999999999", "", 416},
		{http.MethodPatch, at5, "5-9", "", 200},
		{http.MethodPatch, at5, "20-24", "", 416},
		{http.MethodPut, at5, "0-4", "", 416},
		{http.MethodPut, at5, "5-4", "", 416},
		// With a length the engine looks, and without a state it refuses all.
		{http.MethodPatch, at5, "20-24", "5", 200},
		{http.MethodPatch, upload, "20-24", "", 200},
	}
	engine := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, test := range tests {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(test.method, test.path, nil)
		r.Header.Set("Content-Range", test.chunk)
		r.Header.Set("Content-Length", test.length)
		Handler(engine, configuration.HTTP{}).ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s %.60s %s: %d", test.method, test.path, test.chunk, w.Code)
		}
	}
}

// TestTypeOfChunk is whatever a client says, of which the engine takes one.
func TestTypeOfChunk(t *testing.T) {
	const upload = "/v2/team/app/blobs/uploads/d95306fa-fad3-4e36-8d41-cf1c93ef8286"
	for given, want := range map[string]string{"": "", "application/octet-stream": "application/octet-stream", "application/x-www-form-urlencoded": ""} {
		var got, sent string
		engine := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got, sent = r.Header.Get("Content-Type"), r.FormValue("sent")
		})
		r := httptest.NewRequest(http.MethodPatch, upload, strings.NewReader("sent=yes"))
		r.Header.Set("Content-Type", given)
		Handler(engine, configuration.HTTP{}).ServeHTTP(httptest.NewRecorder(), r)
		if got != want || sent != "" {
			t.Errorf("%q: %q, and the body was read for a form: %t", given, got, sent != "")
		}
	}
}

// TestNames has an engine that keeps all blobs by sha256.
func TestNames(t *testing.T) {
	own, other := digest.FromString("a blob"), digest.SHA512.FromString("a blob")
	engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Docker-Content-Digest", own.String())
		w.Header().Set("Location", "http://x/v2/team/app/blobs/"+own.String())
		w.WriteHeader(http.StatusCreated)
	})
	const blobs, upload = "/v2/team/app/blobs/", "/v2/team/app/blobs/uploads/d95306fa-fad3-4e36-8d41-cf1c93ef8286?digest="
	tests := []struct {
		method, path     string
		digest, location string
	}{
		{http.MethodPut, upload + other.String(), other.String(), "http://x" + blobs + other.String()},
		{http.MethodPut, upload + own.String(), own.String(), "http://x" + blobs + own.String()},
		// What is mounted is not called by anything else in the query.
		{http.MethodPost, "/v2/team/app/blobs/uploads/?from=a&mount=" + own.String() + "&digest=" + other.String(), own.String(), "http://x" + blobs + own.String()},
		{http.MethodPut, upload + "nonsense", own.String(), "http://x" + blobs + own.String()},
	}
	for _, test := range tests {
		w := httptest.NewRecorder()
		Handler(engine, configuration.HTTP{}).ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
		if got := w.Header().Get("Docker-Content-Digest"); got != test.digest {
			t.Errorf("%s %s: %s", test.method, test.path, got)
		}
		if got := w.Header().Get("Location"); got != test.location {
			t.Errorf("%s %s: %s", test.method, test.path, got)
		}
	}
}

// TestUnmet has an engine that says how long a blob is before it knows that it sends none.
func TestUnmet(t *testing.T) {
	for status, want := range map[int]string{http.StatusOK: "1024", http.StatusPreconditionFailed: ""} {
		engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1024")
			w.WriteHeader(status)
		})
		for _, algorithm := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
			w := httptest.NewRecorder()
			Handler(engine, configuration.HTTP{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2/team/app/blobs/"+algorithm.FromString("a blob").String(), nil))
			if got := w.Header().Get("Content-Length"); w.Code != status || got != want {
				t.Errorf("%d: %d of length %q", status, w.Code, got)
			}
		}
	}
}

// TestUnchanged is what a client has of a manifest, however it says so.
func TestUnchanged(t *testing.T) {
	config := registrytest.Config(t, inmemory.New())
	client := registrytest.Serve(t, config)
	d := client.Push(t, "app", "1", []byte("layer")).String()
	other := digest.FromString("another manifest").String()
	handler := Handler(handlers.NewApp(t.Context(), config), config.HTTP)
	for _, test := range []struct {
		given  []string
		status int
	}{
		{nil, http.StatusOK},
		{[]string{""}, http.StatusOK},
		{[]string{`"` + other + `"`}, http.StatusOK},
		{[]string{`"` + d + `"`}, http.StatusNotModified},
		{[]string{d}, http.StatusNotModified},
		{[]string{`W/"` + d + `"`}, http.StatusNotModified},
		{[]string{`"` + other + `", W/"` + d + `"`}, http.StatusNotModified},
		{[]string{`"` + d + `"`, `"` + other + `"`}, http.StatusNotModified},
		{[]string{`"` + other + `","etag"`}, http.StatusOK},
		{[]string{"*"}, http.StatusNotModified},
		{[]string{`"*"`}, http.StatusOK},
	} {
		for _, reference := range []string{"1", d} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				w := httptest.NewRecorder()
				r := httptest.NewRequest(method, "/v2/app/manifests/"+reference, nil)
				r.Header["If-None-Match"] = test.given
				handler.ServeHTTP(w, r)
				if got := w.Header(); w.Code != test.status || got.Get("Etag") != `"`+d+`"` || got.Get("Docker-Content-Digest") != d {
					t.Errorf("%s %s %q: %d with %q", method, reference, test.given, w.Code, got)
				}
				sent := w.Body.Len() > 0 || w.Header().Get("Content-Length") != "" && method == http.MethodHead
				if sent != (test.status == http.StatusOK) {
					t.Errorf("%s %s %q: %d with %d bytes", method, reference, test.given, w.Code, w.Body.Len())
				}
			}
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/v2/app/manifests/none", nil)
	r.Header.Set("If-None-Match", "*")
	if handler.ServeHTTP(w, r); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "MANIFEST_UNKNOWN") {
		t.Errorf("what is not there: %d %s", w.Code, w.Body)
	}
}

// TestCancel has a client whose chunks were taken, and who knows of none of the answers.
func TestCancel(t *testing.T) {
	config := registrytest.Config(t, inmemory.New())
	handler := Handler(handlers.NewApp(t.Context(), config), config.HTTP)
	send := func(method, path, content string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(content)))
		return w
	}
	for _, chunks := range [][]string{nil, {"chunk"}, {"chunk", "chunk"}} {
		first := send(http.MethodPost, "/v2/app/blobs/uploads/", "").Header().Get("Location")
		latest := first
		for _, chunk := range chunks {
			latest = send(http.MethodPatch, latest, chunk).Header().Get("Location")
		}
		if w := send(http.MethodDelete, first+"x", ""); !strings.Contains(w.Body.String(), "BLOB_UPLOAD_INVALID") {
			t.Errorf("%q, by a state that is none: %d %s", chunks, w.Code, w.Body)
		}
		if w := send(http.MethodDelete, first, ""); w.Code != http.StatusNoContent {
			t.Errorf("%q: %d %s", chunks, w.Code, w.Body)
		}
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			if w := send(method, latest, ""); w.Code != http.StatusNotFound {
				t.Errorf("%q, %s after that: %d", chunks, method, w.Code)
			}
		}
	}
}

// TestRange is for who wants the bytes.
func TestRange(t *testing.T) {
	for method, want := range map[string]string{http.MethodGet: "bytes=0-4", http.MethodHead: ""} {
		var got string
		engine := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Range") })
		r := httptest.NewRequest(method, "/v2/team/app/blobs/"+digest.FromString("a blob").String(), nil)
		r.Header.Set("Range", "bytes=0-4")
		if Handler(engine, configuration.HTTP{}).ServeHTTP(httptest.NewRecorder(), r); got != want {
			t.Errorf("%s: %q", method, got)
		}
	}
}
