package enginestore_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// asked returns the context of a request about an upload, and a function that ends the request.
func asked(t *testing.T, method string) (ctx context.Context, done func()) {
	r, ending := enginestore.Upload(httptest.NewRequest(method, "/", nil))
	ctx = context.WithValue(r.Context(), "vars.uuid", "1")
	return context.WithValue(ctx, "http.request.method", method), ending.Done
}

// TestLateWriters holds up a request of an upload while others continue the upload. The late request must change
// nothing.
func TestLateWriters(t *testing.T) {
	path, blob := layout.UploadPath("app", "1"), layout.BlobPath(digest.FromString("0123456789ab"))
	for name, inMemory := range map[string]bool{"in memory": true, "in a folder": false} {
		for late, act := range map[string]func(w storagedriver.FileWriter) error{
			"write": func(w storagedriver.FileWriter) error {
				_, err := w.Write([]byte("xy"))
				return err
			},
			"close":  func(w storagedriver.FileWriter) error { return w.Close() },
			"commit": func(w storagedriver.FileWriter) error { return w.Commit(t.Context()) },
			"cancel": func(w storagedriver.FileWriter) error { return w.Cancel(t.Context()) },
		} {
			t.Run(name+", "+late, func(t *testing.T) {
				root := t.TempDir()
				var driver storagedriver.StorageDriver = inmemory.New()
				config := registrytest.Config(t, driver)
				if !inMemory {
					driver, config = filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25}), folderConfig(root)
				}
				enginestore.Use(config)
				store := inside(t, config, driver)
				open := func(method string) (storagedriver.FileWriter, context.Context, func()) {
					t.Helper()
					ctx, done := asked(t, method)
					w, err := store.Writer(ctx, path, true)
					if err != nil {
						t.Fatal(err)
					}
					return w, ctx, done
				}
				write := func(w storagedriver.FileWriter, content string) {
					t.Helper()
					if _, err := io.WriteString(w, content); err != nil {
						t.Fatal(err)
					}
				}
				refused := func(when string, err error) {
					t.Helper()
					if !strings.Contains(errText(err), distribution.ErrBlobUploadUnknown.Error()) {
						t.Errorf("%s: %v", when, err)
					}
				}
				if inMemory {
					if err := store.PutContent(t.Context(), path, nil); err != nil {
						t.Fatal(err)
					}
				}
				first, _, end := open(http.MethodPatch)
				write(first, "01234")
				if err := first.Close(); err != nil {
					t.Fatal(err)
				}
				end()

				held, heldCtx, heldEnd := open(http.MethodPatch)
				defer heldEnd()
				status, _, end := open(http.MethodGet)
				if status.Size() != 5 || status.Close() != nil {
					t.Errorf("%d bytes are told", status.Size())
				}
				end()
				if _, err := held.Write([]byte("x")); err == nil {
					t.Error("more is written than was told")
				}
				last, ctx, end := open(http.MethodPut)
				defer end()
				refused("gone on with", act(held))
				write(last, "56789ab")
				if err := last.Commit(ctx); err != nil {
					t.Fatal(err)
				}
				if err := last.Close(); err != nil {
					t.Fatal(err)
				}
				refused("all is there", act(held))
				refused("moved by another", store.Move(heldCtx, path, blob))
				otherCtx, _ := asked(t, http.MethodPatch)
				_, err := store.Writer(otherCtx, path, true)
				refused("opened once all is there", err)
				if err := store.Move(ctx, path, blob); err != nil {
					t.Fatal(err)
				}
				refused("moved", act(held))
				if content, err := driver.GetContent(t.Context(), blob); err != nil || string(content) != "0123456789ab" {
					t.Errorf("the blob is %q: %v", content, err)
				}
				if err := store.Delete(ctx, layout.RepositoryPath("app", layout.Uploads, "1")); err != nil && !layout.IsMissing(err) {
					t.Error(err)
				}
			})
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestSumsOfLateRequests lets a request be overtaken after it has summed its bytes and before it has stored them: the
// sum must not stand for the bytes that another request sends in their place.
func TestSumsOfLateRequests(t *testing.T) {
	root := t.TempDir()
	driver, config := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25}), folderConfig(root)
	enginestore.Use(config)
	store := inside(t, config, driver)
	path := layout.UploadPath("app", "1")
	sum := layout.RepositoryPath("app", layout.Uploads, "1", "hashstates/sha256/5")
	ctx, done := asked(t, http.MethodPatch)
	defer done()
	w, err := store.Writer(ctx, path, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "01234"); err != nil {
		t.Fatal(err)
	}
	if err := store.PutContent(ctx, sum, []byte("sum")); err != nil {
		t.Fatal(err)
	}
	if _, err := driver.Stat(t.Context(), sum); !layout.IsMissing(err) {
		t.Errorf("the sum is there before the bytes: %v", err)
	}
	other, otherDone := asked(t, http.MethodPatch)
	defer otherDone()
	if _, err := store.Writer(other, path, true); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil {
		t.Error("an overtaken request has saved")
	}
	if _, err := driver.Stat(t.Context(), sum); !layout.IsMissing(err) {
		t.Errorf("its sum is there: %v", err)
	}
}

// TestUploadAtTwoServers has one folder and two servers. While one server has the upload open, the other must neither
// write to the upload nor make a blob of it.
func TestUploadAtTwoServers(t *testing.T) {
	root := t.TempDir()
	path, blob := layout.UploadPath("app", "1"), layout.BlobPath(digest.FromString(chunk))
	var servers []storagedriver.StorageDriver
	for range 2 {
		config := folderConfig(root)
		enginestore.Use(config)
		servers = append(servers, inside(t, config, filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25})))
	}
	ctx, end := asked(t, http.MethodPatch)
	w, err := servers[0].Writer(ctx, path, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, chunk); err != nil {
		t.Fatal(err)
	}
	other, otherEnd := asked(t, http.MethodPut)
	if _, err := servers[1].Writer(other, path, true); err == nil {
		t.Error("both have it open")
	}
	looking, looked := asked(t, http.MethodGet)
	if status, err := servers[1].Writer(looking, path, true); err != nil || status.Size() != int64(len(chunk)) {
		t.Errorf("what is there is not told: %v", err)
	}
	looked()
	otherEnd()
	// The request ends, as it does when its server dies.
	end()
	other, otherEnd = asked(t, http.MethodPut)
	defer otherEnd()
	last, err := servers[1].Writer(other, path, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := last.Commit(other); err != nil {
		t.Fatal(err)
	}
	if err := last.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, end = asked(t, http.MethodPatch)
	defer end()
	if _, err := servers[0].Writer(ctx, path, true); err == nil {
		t.Error("it is opened while another server compares it with its digest")
	}
	if err := servers[1].Move(other, path, blob); err != nil {
		t.Fatal(err)
	}
	if content, err := servers[0].GetContent(t.Context(), blob); err != nil || string(content) != chunk {
		t.Errorf("the blob is %q: %v", content, err)
	}
}
