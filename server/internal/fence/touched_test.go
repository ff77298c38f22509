package fence

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

const anyBlob = digest.Digest("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

// deletes says whether it can be deleted because nobody counts on it.
func deletes(f *Fence, d digest.Digest) bool {
	done, _ := f.touched.Delete(d, func() error { return nil })
	return done
}

// TestForgotten is the span of what an earlier process told clients, for as long as that counts.
func TestForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, began := New(inmemory.New(), "a", TimingOf("filesystem"), NoCache{}), time.Now()
		for _, test := range []struct{ past, want time.Duration }{{0, time.Hour}, {59 * time.Minute, time.Hour}, {time.Minute, 0}} {
			time.Sleep(test.past)
			if after, until := f.Forgotten(time.Now()); !until.Equal(began) || until.Sub(after) != test.want {
				t.Errorf("%s later: from %s until %s", time.Since(began), after, until)
			}
		}
	})
}

// TestLongUpload takes longer than the time for which the server remembers what clients were told. That
// time begins when they are told.
func TestLongUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(inmemory.New(), "a", TimingOf("filesystem"), NoCache{})
		engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(3 * time.Hour)
			if deletes(f, anyBlob) {
				t.Error("it is deleted while it is uploaded")
			}
			w.WriteHeader(http.StatusCreated)
		})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/v2/app/blobs/uploads/1?digest="+anyBlob.String(), nil)
		f.Handler(engine, "").ServeHTTP(httptest.NewRecorder(), r)
		if deletes(f, anyBlob) {
			t.Error("nobody remembers who was just told")
		}
	})
}

// TestAnnouncedAnswer goes by the final status, and not by an informational one before it.
func TestAnnouncedAnswer(t *testing.T) {
	engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	h := &handler{fence: New(inmemory.New(), "a", quick, NoCache{}), engine: engine}
	if !h.serveTouched(httptest.NewRecorder(), httptest.NewRequest(http.MethodHead, "/", nil), "app", digest.FromString("a")) {
		t.Error("what the client was told exists is not kept")
	}
}
