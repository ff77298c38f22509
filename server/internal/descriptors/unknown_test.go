package descriptors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/fair"
	"container-registry/server/internal/heavy"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// away is a store of which nobody learns what is there.
type away struct{ storagedriver.StorageDriver }

func (away) Stat(context.Context, string) (storagedriver.FileInfo, error) {
	return nil, errors.New("away")
}

// TestWhyOfAStoreThatIsAway asks it no second time, as a client waits for each.
func TestWhyOfAStoreThatIsAway(t *testing.T) {
	driver := registrytest.NewSpy(away{inmemory.New()})
	engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	handler := Handler(engine, driver, "")
	for _, each := range []struct{ method, path string }{
		{http.MethodGet, "/v2/team/app/manifests/" + content.String()},
		{http.MethodHead, "/v2/team/app/manifests/" + content.String()},
		{http.MethodDelete, "/v2/team/app/manifests/" + content.String()},
		{http.MethodDelete, "/v2/team/app/blobs/" + content.String()},
	} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), each.method, each.path, nil))
		if n := driver.Count("get", "/"); answer.Code != http.StatusInternalServerError || n > 0 {
			t.Errorf("%s %s: %d after %d more", each.method, each.path, answer.Code, n)
		}
	}
}

// TestWhyWaitsForAPlace has requests fail at once whose manifests may be large.
func TestWhyWaitsForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := inmemory.New()
		if err := store.PutContent(t.Context(), layout.RevisionPath("team/app", content), []byte(content)); err != nil {
			t.Fatal(err)
		}
		stay := make(chan struct{})
		driver := registrytest.NewSpy(store)
		driver.Before = func(action, path string) error {
			if action == "get" && layout.IsBlob(path) {
				<-stay
			}
			return nil
		}
		engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
		handler := fair.Handler(heavy.PlacesOf(0).Handler(Handler(engine, driver, "")))
		var asked sync.WaitGroup
		for n := range 5 {
			asked.Go(func() {
				request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v2/team/app/manifests/"+content.String(), nil)
				request.RemoteAddr = fmt.Sprintf("192.0.2.%d:1234", n)
				handler.ServeHTTP(httptest.NewRecorder(), request)
			})
		}
		synctest.Wait()
		if n := driver.Count("get", "/"); n != 2 {
			t.Errorf("%d are read", n)
		}
		close(stay)
		asked.Wait()
	})
}
