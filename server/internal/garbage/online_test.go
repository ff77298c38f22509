package garbage

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/descriptors"
	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/referrers"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/turns"
)

// quick is for tests. Its expiry is long enough for a slow machine.
var quick = fence.Timing{
	Beat: 200 * time.Millisecond, Expiry: 10 * time.Second, Fresh: 20 * time.Millisecond,
	Settle: 20 * time.Millisecond, Patience: 5 * time.Second, Remember: time.Hour,
}

// rig is one server with a collector.
type rig struct {
	registrytest.Client
	collector *Collector
	fence     *fence.Fence
}

func serve(t *testing.T, driver storagedriver.StorageDriver, name string, timing fence.Timing, options Options) *rig {
	t.Helper()
	logrus.SetLevel(logrus.ErrorLevel)
	config := registrytest.Config(t, driver)
	enginestore.Use(config)
	config.Storage["cache"] = configuration.Parameters{"blobdescriptor": "inmemory"}
	caches, err := descriptors.Take(config, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	f := fence.New(driver, name, timing, caches)
	everybody := func(http.ResponseWriter, *http.Request, string) bool { return true }
	engine := referrers.Route(descriptors.Handler(handlers.NewApp(t.Context(), config), driver, ""), everybody, referrers.Of(referrers.NewLister(driver, turns.New(0)), registrytest.Silent()), config.HTTP)
	server := httptest.NewServer(f.Handler(engine, ""))
	t.Cleanup(server.Close)
	return &rig{registrytest.Client{URL: server.URL}, New(driver, f, options, registrytest.Silent()), f}
}

func folder(t *testing.T) storagedriver.StorageDriver {
	return filesystem.New(filesystem.DriverParameters{RootDirectory: t.TempDir(), MaxThreads: 100})
}

func (r *rig) collect(t *testing.T, request Request) *Report {
	t.Helper()
	report, err := r.collector.Collect(t.Context(), request, testLog{t})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

type testLog struct{ t *testing.T }

func (l testLog) Write(lines []byte) (int, error) { return len(lines), nil }

// TestRepositoryInUse expects an empty repository to stay while somebody pushes to it, and a dry run to say so.
func TestRepositoryInUse(t *testing.T) {
	for name, push := range map[string]func(*testing.T, *rig){
		"an upload": func(t *testing.T, r *rig) { r.another(t).BeginUpload(t, "app") },
		"a layer that a client counts on": func(t *testing.T, r *rig) {
			layer := registrytest.Layer(2, 100)
			r.PushBlob(t, "app", digest.FromBytes(layer), layer)
		},
		"nothing": func(*testing.T, *rig) {},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
			r.Delete(t, "app", r.Push(t, "app", "1", registrytest.Layer(1, 100)).String())
			r = serve(t, r.collector.driver, "b", quick, r.collector.options)
			push(t, r)
			want := 0
			if name == "nothing" {
				want = 1
			}
			for _, dryRun := range []bool{true, false} {
				if report := r.collect(t, Request{DryRun: dryRun}); report.RepositoriesDeleted != want {
					t.Errorf("dry run %t: %s", dryRun, report)
				}
			}
		})
	}
}

// TestTraffic collects ten times while clients push, pull and delete, at one server and
// at two that share a store.
func TestTraffic(t *testing.T) {
	for _, servers := range []int{1, 2} {
		t.Run([]string{"", "one server", "two servers"}[servers], func(t *testing.T) {
			driver := folder(t)
			options := Options{DeleteUntagged: true}
			var rigs []*rig
			var urls []string
			for i := range servers {
				r := serve(t, driver, []string{"a", "b"}[i], quick, options)
				rigs, urls = append(rigs, r), append(urls, r.URL)
			}
			traffic := registrytest.StartTraffic(t, 0, urls...)
			deleted, longest := 0, time.Duration(0)
			for i := range 10 {
				until := traffic.Deletions.Load() + 3
				poll.Until(t, "deletions", func() bool { return traffic.Deletions.Load() >= until })
				report := rigs[i%servers].collect(t, Request{})
				deleted += report.Manifests.Deleted + report.Blobs.Deleted
				longest = max(longest, report.LongestPause)
			}
			traffic.Stop(t)
			if deleted == 0 {
				t.Error("nothing was deleted")
			}
			t.Logf("%d manifests and blobs deleted, longest pause %s", deleted, longest)
		})
	}
}

func head(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header["Accept"] = []string{v1.MediaTypeImageManifest, v1.MediaTypeImageIndex}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
