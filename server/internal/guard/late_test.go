package guard

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

// TestLateErrors has the engine find an error when it has begun to answer. Nobody is to take its
// words for the rest of a layer.
func TestLateErrors(t *testing.T) {
	fail := func(w http.ResponseWriter) { _ = errcode.ServeJSON(w, errcode.ErrorCodeDenied) }
	write := func(w http.ResponseWriter, length string) {
		w.Header().Set("Content-Length", length)
		_, _ = io.WriteString(w, "layer")
	}
	begin := func(w http.ResponseWriter, length string) {
		write(w, length)
		_ = http.NewResponseController(w).Flush()
	}
	promise := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusOK)
	}
	const unknown = `{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}` + "\n"
	const denied = `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}` + "\n"
	for name, test := range map[string]struct {
		method string
		engine func(http.ResponseWriter)
		want   string
	}{
		"in the middle":                {http.MethodGet, func(w http.ResponseWriter) { begin(w, "1000"); fail(w) }, "200 layer unexpected EOF"},
		"twice":                        {http.MethodGet, func(w http.ResponseWriter) { begin(w, "1000"); fail(w); fail(w) }, "200 layer unexpected EOF"},
		"of a length that is not said": {http.MethodGet, func(w http.ResponseWriter) { begin(w, ""); fail(w) }, "200 layer unexpected EOF"},
		"after all of it":              {http.MethodGet, func(w http.ResponseWriter) { write(w, "5"); fail(w) }, "200 layer <nil>"},
		"before there is content":      {http.MethodGet, func(w http.ResponseWriter) { w.WriteHeader(http.StatusPartialContent); fail(w) }, "403 " + denied + " <nil>"},
		"of another error":             {http.MethodGet, func(w http.ResponseWriter) { fail(w); w.WriteHeader(http.StatusBadRequest) }, "403 " + denied + " <nil>"},
		"instead of all content":       {http.MethodGet, func(w http.ResponseWriter) { promise(w) }, "404 " + unknown + " <nil>"},
		"of no content":                {http.MethodGet, func(w http.ResponseWriter) { w.Header().Set("Content-Length", "0"); w.WriteHeader(http.StatusOK) }, "200  <nil>"},
		"to HEAD without content":      {http.MethodHead, func(w http.ResponseWriter) { promise(w) }, "200  <nil>"},
		// There is no content that it could end.
		"to HEAD": {http.MethodHead, func(w http.ResponseWriter) { begin(w, "1000"); fail(w) }, "200  <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			g, _, _ := guarded(inmemory.New())
			server := httptest.NewServer(g.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { test.engine(w) })))
			defer server.Close()
			request, err := http.NewRequestWithContext(t.Context(), test.method, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			content, err := io.ReadAll(response.Body)
			if got := fmt.Sprintf("%d %s %v", response.StatusCode, content, err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
