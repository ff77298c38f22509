package azure

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"

	_ "github.com/distribution/distribution/v3/registry/storage/driver/azure"
)

// fault answers a request in the store's place. With after, the store carries out the request first.
type fault struct {
	matches func(*http.Request) bool
	times   int
	after   bool
	answer  http.HandlerFunc
}

// account is the part of Azure that the driver uses.
type account struct {
	mu     sync.Mutex
	blobs  map[string]*file
	writes int
	faults []*fault
}

type file struct {
	kind    string
	content []byte
	etag    string
}

// open is the driver of a new account.
func open(t *testing.T) (*account, storagedriver.StorageDriver) {
	t.Helper()
	a := &account{blobs: map[string]*file{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	engines, err := factory.Create(t.Context(), "azure", map[string]any{
		"accountname": "account", "accountkey": base64.StdEncoding.EncodeToString([]byte("key")), "container": "images",
		"serviceurl": server.URL, "credentials": map[string]any{"type": "shared_key"}, "max_retries": 5, "retry_delay": "1ms",
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, Around(engines)
}

func (a *account) fail(f fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, &f)
}

func (a *account) content(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if blob := a.blobs[name]; blob != nil {
		return string(blob.content)
	}
	return "absent"
}

func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("X-Ms-Request-Id", "1")
	for _, f := range a.faults {
		if f.times == 0 || !f.matches(r) {
			continue
		}
		f.times--
		if f.after {
			a.serve(httptest.NewRecorder(), r)
		}
		f.answer(w, r)
		return
	}
	a.serve(w, r)
}

func (a *account) serve(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/images/")
	blob := a.blobs[name]
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.URL.Query().Get("comp") == "list":
		a.list(w, r)
	case r.Header.Get("X-Ms-Copy-Source") != "":
		_, from, _ := strings.Cut(r.Header.Get("X-Ms-Copy-Source"), "/images/")
		source := a.blobs[from]
		if source == nil {
			refuse(http.StatusNotFound, "CannotVerifyCopySource")(w, r)
			return
		}
		a.put(w, name, "BlockBlob", source.content)
		w.Header().Set("X-Ms-Copy-Id", "1")
		w.Header().Set("X-Ms-Copy-Status", "success")
		w.WriteHeader(http.StatusAccepted)
	case r.Header.Get("X-Ms-Blob-Type") != "":
		a.put(w, name, r.Header.Get("X-Ms-Blob-Type"), body)
		w.WriteHeader(http.StatusCreated)
	case blob == nil:
		refuse(http.StatusNotFound, "BlobNotFound")(w, r)
	case r.URL.Query().Get("comp") == "appendblock":
		switch {
		case r.Header.Get("X-Ms-Blob-Condition-Appendpos") != fmt.Sprint(len(blob.content)):
			refuse(http.StatusPreconditionFailed, "AppendPositionConditionNotMet")(w, r)
		case r.Header.Get("If-Match") != blob.etag:
			refuse(http.StatusPreconditionFailed, "ConditionNotMet")(w, r)
		default:
			a.put(w, name, blob.kind, append(blob.content, body...))
			w.WriteHeader(http.StatusCreated)
		}
	case r.Method == http.MethodDelete:
		delete(a.blobs, name)
		w.WriteHeader(http.StatusAccepted)
	default:
		w.Header().Set("Etag", blob.etag)
		w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
		w.Header().Set("X-Ms-Blob-Type", blob.kind)
		content := blob.content
		if from := 0; r.Header.Get("X-Ms-Range") != "" {
			fmt.Sscanf(r.Header.Get("X-Ms-Range"), "bytes=%d-", &from)
			content = content[from:]
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		if r.Method == http.MethodGet {
			w.Write(content)
		}
	}
}

func (a *account) put(w http.ResponseWriter, name, kind string, content []byte) {
	a.writes++
	a.blobs[name] = &file{kind, content, fmt.Sprintf(`"%d"`, a.writes)}
	w.Header().Set("Etag", a.blobs[name].etag)
}

func (a *account) list(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, `<?xml version="1.0"?><EnumerationResults ContainerName="images"><Blobs>`)
	for name := range a.blobs {
		if strings.HasPrefix(name, r.URL.Query().Get("prefix")) {
			fmt.Fprintf(w, "<Blob><Name>%s</Name></Blob>", name)
		}
	}
	fmt.Fprint(w, `</Blobs><NextMarker/></EnumerationResults>`)
}

func refuse(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After-Ms", "1")
		w.Header().Set(codeHeader, code)
		w.WriteHeader(status)
	}
}

// breakOff loses the answer.
func breakOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
