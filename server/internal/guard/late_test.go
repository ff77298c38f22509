package guard

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/layout"
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

// closing is a store whose writers fail as they are closed.
type closing struct {
	storagedriver.StorageDriver
	err error
}

func (d closing) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	w, err := d.StorageDriver.Writer(ctx, path, appendMode)
	return closingWriter{w, d.err}, err
}

type closingWriter struct {
	storagedriver.FileWriter
	err error
}

func (w closingWriter) Close() error { return w.err }

// TestMovedByAnother has another server end an upload that a request has compared with its digest.
func TestMovedByAnother(t *testing.T) {
	g, driver, said := guarded(inmemory.New())
	recorder := httptest.NewRecorder()
	g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := driver.Move(r.Context(), layout.UploadPath("app", "1"), "/blob"); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})).ServeHTTP(recorder, httptest.NewRequest(http.MethodPut, "/", nil))
	if recorder.Code != http.StatusNotFound || !strings.Contains(recorder.Body.String(), "BLOB_UPLOAD_UNKNOWN") || said.Len() > 0 {
		t.Errorf("%d %s, and it said %q", recorder.Code, recorder.Body, said)
	}
}

// TestOvertaken has the engine tell that all is well, or that something failed, when a later request has the
// upload.
func TestOvertaken(t *testing.T) {
	for _, status := range []int{http.StatusAccepted, http.StatusInternalServerError} {
		g, driver, said := guarded(closing{inmemory.New(), fmt.Errorf("later: %w", distribution.ErrBlobUploadUnknown)})
		recorder := httptest.NewRecorder()
		g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			writer, err := driver.Writer(r.Context(), layout.UploadPath("app", "1"), false)
			if err != nil {
				t.Error(err)
				return
			}
			w.Header().Set("Location", "/there")
			if writer.Close() == nil {
				t.Error("it is closed")
			}
			w.WriteHeader(status)
		})).ServeHTTP(recorder, httptest.NewRequest(http.MethodPatch, "/", nil))
		if recorder.Code != http.StatusNotFound || !strings.Contains(recorder.Body.String(), "BLOB_UPLOAD_UNKNOWN") || recorder.Header().Get("Location") != "" {
			t.Errorf("%d: %d %s", status, recorder.Code, recorder.Body)
		}
		if said.Len() > 0 {
			t.Errorf("the store has done nothing wrong: %s", said)
		}
	}
}
