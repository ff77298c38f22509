package enginestore_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	storagemiddleware "github.com/distribution/distribution/v3/registry/storage/driver/middleware"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

const chunk = "0123456789"

// serve starts a registry on a store that the configuration leads to as well.
func serve(t *testing.T, driver storagedriver.StorageDriver, config *configuration.Configuration) string {
	t.Helper()
	logrus.SetLevel(logrus.FatalLevel)
	enginestore.Use(config)
	f := fence.New(driver, "a", fence.TimingOf("inmemory"), fence.NoCache{})
	server := httptest.NewServer(f.Handler(handlers.NewApp(t.Context(), config), ""))
	t.Cleanup(server.Close)
	return server.URL
}

// inside is a store as the engine with this configuration sees it.
func inside(t *testing.T, config *configuration.Configuration, driver storagedriver.StorageDriver) storagedriver.StorageDriver {
	t.Helper()
	own := config.Middleware["storage"][0]
	seen, err := storagemiddleware.Get(t.Context(), own.Name, own.Options, driver)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// request sends a request, and returns the location at which the upload continues.
func request(t *testing.T, method, url, body string, want int) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != want {
		t.Fatalf("%s: %s %s", method, response.Status, text)
	}
	return response.Header.Get("Location")
}

// TestSums expects each sum of an upload to be written once, and none that nobody reads.
func TestSums(t *testing.T) {
	spy := registrytest.NewSpy(inmemory.New())
	var sums []string
	spy.Before = func(action, path string) error {
		if offset, ok := layout.SumOf(path); ok && action == "put" {
			sums = append(sums, offset)
		}
		return nil
	}
	url := serve(t, spy, registrytest.Config(t, spy))
	location := request(t, http.MethodPost, url+"/v2/app/blobs/uploads/", "", http.StatusAccepted)
	for range 2 {
		location = request(t, http.MethodPatch, location, chunk, http.StatusAccepted)
	}
	whole := strings.Repeat(chunk, 3)
	request(t, http.MethodPut, location+"&digest="+digest.FromString(whole).String(), chunk, http.StatusCreated)
	if !slices.Equal(sums, []string{"10", "20"}) {
		t.Errorf("sums were written at %q", sums)
	}
}

// TestManyRequests expects an upload of many requests to stay as fast as at its beginning: the engine asks
// for all of its sums, and needs one.
func TestManyRequests(t *testing.T) {
	for name, driver := range map[string]storagedriver.StorageDriver{
		"in memory":   inmemory.New(),
		"in a folder": filesystem.New(filesystem.DriverParameters{RootDirectory: t.TempDir(), MaxThreads: 25}),
	} {
		t.Run(name, func(t *testing.T) {
			spy := registrytest.NewSpy(driver)
			url := serve(t, spy, registrytest.Config(t, spy))
			location := request(t, http.MethodPost, url+"/v2/app/blobs/uploads/", "", http.StatusAccepted)
			const requests = 5
			for range requests {
				location = request(t, http.MethodPatch, location, chunk, http.StatusAccepted)
			}
			uploads := layout.RepositoryPath("app", layout.Uploads)
			if listed, read := spy.Count("list", uploads), spy.Count("read", uploads); listed > 0 || read > 0 {
				t.Errorf("%d lists, and the content was read %d times", listed, read)
			}
			whole := strings.Repeat(chunk, requests)
			request(t, http.MethodPut, location+"&digest="+digest.FromString(whole).String(), "", http.StatusCreated)
			if read := spy.Count("read", uploads); read > 0 {
				t.Errorf("the content was read %d times in the end", read)
			}
		})
	}
}

// bucket takes a path for a folder if any name begins with it, as S3's driver does.
type bucket struct{ storagedriver.StorageDriver }

func (b bucket) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	info, err := b.StorageDriver.Stat(ctx, path)
	names, _ := b.List(ctx, filepath.Dir(path))
	if err != nil && slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, path) }) {
		return storagedriver.FileInfoInternal{FileInfoFields: storagedriver.FileInfoFields{Path: path, IsDir: true}}, nil
	}
	return info, err
}

// TestLostSum loses the sum of an upload: the engine must read the bytes again.
func TestLostSum(t *testing.T) {
	spy := registrytest.NewSpy(bucket{inmemory.New()})
	url := serve(t, spy, registrytest.Config(t, spy))
	location := request(t, http.MethodPost, url+"/v2/app/blobs/uploads/", "", http.StatusAccepted)
	var sum string
	spy.Before = func(action, path string) error {
		if _, ok := layout.SumOf(path); ok && action == "put" {
			sum = path
		}
		return nil
	}
	location = request(t, http.MethodPatch, location, chunk, http.StatusAccepted)
	// A sum is left whose name begins the same.
	if err := spy.Move(t.Context(), sum, sum+"0"); err != nil {
		t.Fatal(err)
	}
	sum = ""
	location = request(t, http.MethodPatch, location, chunk, http.StatusAccepted)
	if sum != "" {
		t.Errorf("the sum of a part was written for that of all: %s", sum)
	}
	request(t, http.MethodPut, location+"&digest="+digest.FromString(chunk+chunk).String(), "", http.StatusCreated)
}

// shared is a store in which other servers may write to an upload, too.
type shared struct {
	storagedriver.StorageDriver
	identity string
	moved    bool
}

func (s *shared) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	w, err := s.StorageDriver.Writer(ctx, path, appendMode)
	return sharedWriter{w, s}, err
}

type sharedWriter struct {
	storagedriver.FileWriter
	store *shared
}

func (w sharedWriter) Identity() string { return w.store.identity }

func (w sharedWriter) Move(ctx context.Context, from, to string) error {
	w.store.moved = true
	return w.store.Move(ctx, from, to)
}

// TestSumOfOthers expects the sum of an upload to be used only as long as the store has the summed bytes, and the
// writer that knows the bytes to move them.
func TestSumOfOthers(t *testing.T) {
	for name, other := range map[string]bool{"the same": false, "others": true} {
		t.Run(name, func(t *testing.T) {
			store := &shared{StorageDriver: inmemory.New(), identity: "a"}
			spy := registrytest.NewSpy(store)
			url := serve(t, spy, registrytest.Config(t, spy))
			location := request(t, http.MethodPost, url+"/v2/app/blobs/uploads/", "", http.StatusAccepted)
			location = request(t, http.MethodPatch, location, chunk, http.StatusAccepted)
			if other {
				store.identity = "b"
			}
			request(t, http.MethodPut, location+"&digest="+digest.FromString(chunk).String(), "", http.StatusCreated)
			if read := spy.Count("read", layout.RepositoryPath("app", layout.Uploads)); read > 0 != other {
				t.Errorf("the content was read %d times", read)
			}
			if !store.moved {
				t.Error("the blob is made of what is there")
			}
		})
	}
}

// TestBeginning uploads to a folder whose disk has lost the time at which the upload began.
func TestBeginning(t *testing.T) {
	root := t.TempDir()
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25})
	config := &configuration.Configuration{Storage: configuration.Storage{
		"filesystem":  {"rootdirectory": root},
		"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
	}}
	url := serve(t, driver, config)
	location := request(t, http.MethodPost, url+"/v2/app/blobs/uploads/", "", http.StatusAccepted)
	upload, err := filepath.Glob(filepath.Join(root, layout.RepositoryPath("app", layout.Uploads), "*", "*"))
	if err != nil || len(upload) != 1 || filepath.Base(upload[0]) != "startedat" {
		t.Fatalf("%v: an upload that has begun consists of %q", err, upload)
	}
	if err := os.Truncate(upload[0], 0); err != nil {
		t.Fatal(err)
	}
	location = request(t, http.MethodPatch, location, chunk, http.StatusAccepted)
	request(t, http.MethodPut, location+"&digest="+digest.FromString(chunk).String(), "", http.StatusCreated)

	request(t, http.MethodPost, url+"/v2/app/blobs/uploads/", "", http.StatusAccepted)
	upload, _ = filepath.Glob(filepath.Join(root, layout.RepositoryPath("app", layout.Uploads), "*", "startedat"))
	if len(upload) != 1 {
		t.Fatalf("uploads under way: %q", upload)
	}
	if err := os.Truncate(upload[0], 0); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(upload[0], old, old); err != nil {
		t.Fatal(err)
	}
	_, problems := storage.PurgeUploads(t.Context(), inside(t, config, driver), time.Now().Add(-time.Minute), true)
	if _, err := os.Stat(upload[0]); len(problems) > 0 || !os.IsNotExist(err) {
		t.Errorf("an upload of an hour ago is not cleared away: %v %v", problems, err)
	}
}

// TestWrongDigest expects nothing to be left of an upload with a wrong digest, and all of an upload
// that another request can still end.
func TestWrongDigest(t *testing.T) {
	root := t.TempDir()
	memory := inmemory.New()
	for name, test := range map[string]struct {
		driver storagedriver.StorageDriver
		config *configuration.Configuration
	}{
		"in memory":   {memory, registrytest.Config(t, memory)},
		"in a folder": {filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25}), folderConfig(root)},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, test.driver, test.config)
			uploads := func() int {
				t.Helper()
				names, err := layout.Names(t.Context(), test.driver, layout.RepositoryPath("app", layout.Uploads))
				if err != nil {
					t.Fatal(err)
				}
				return len(names)
			}
			wrong := "&digest=" + digest.FromString("wrong").String()
			for _, body := range []string{"", chunk} {
				location := request(t, http.MethodPost, url+"/v2/app/blobs/uploads/", "", http.StatusAccepted)
				location = request(t, http.MethodPatch, location, chunk, http.StatusAccepted)
				for _, query := range []string{"", "&digest=wrong"} {
					request(t, http.MethodPut, location+query, "", http.StatusBadRequest)
				}
				if n := uploads(); n != 1 {
					t.Errorf("%d uploads are there to be ended", n)
				}
				request(t, http.MethodPut, location+wrong, body, http.StatusBadRequest)
				if n := uploads(); n != 0 {
					t.Errorf("%d uploads are left", n)
				}
			}
			location := request(t, http.MethodPost, url+"/v2/app/blobs/uploads/", "", http.StatusAccepted)
			request(t, http.MethodPut, location+"&digest="+digest.FromString(chunk).String(), chunk, http.StatusCreated)
		})
	}
}
