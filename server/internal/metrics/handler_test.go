package metrics

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/credential"
	"container-registry/server/internal/disk"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/holdings"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/registrytest"
)

func scrape(t *testing.T, s Sources) string {
	t.Helper()
	answer := httptest.NewRecorder()
	Handler(s).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("%d: %s", answer.Code, answer.Body)
	}
	return "\n" + answer.Body.String()
}

// TestNothing has a server in which every source is missing or not known yet.
func TestNothing(t *testing.T) {
	text := scrape(t, Sources{
		Holdings: holdings.Of(inmemory.New(), nil),
		Folder:   disk.In(filepath.Join(t.TempDir(), "gone")),
		Store:    func() (up, known bool) { return false, false },
		Upstream: func() mirror.State { return mirror.State{} },
	})
	for _, each := range []string{"registry_store_up", "registry_logins", "registry_repositor", "registry_disk", "registry_collection", "registry_certificate", "registry_mirror"} {
		if strings.Contains(text, "\n"+each) {
			t.Errorf("%s is told: %s", each, text)
		}
	}
}

func TestStates(t *testing.T) {
	text := scrape(t, Sources{
		Store:    func() (up, known bool) { return false, true },
		Upstream: func() mirror.State { return mirror.State{Asked: time.Unix(7, 0)} },
		Evicted:  func() mirror.Evicted { return mirror.Evicted{Blobs: 4, Bytes: 5, Most: 6} },
		Expires:  func() time.Time { return time.Unix(1234567, 0) },
		Folder:   disk.In(t.TempDir()),
		Logins:   func() map[credential.Result]int64 { return map[credential.Result]int64{credential.Wrong: 3} },
	})
	for _, each := range []string{
		"registry_store_up 0", "registry_mirror_upstream_up 1", "registry_certificate_expiry_timestamp_seconds 1.234567e+06",
		`registry_logins_total{result="wrong"} 3`, "registry_disk_total_bytes ", "registry_disk_free_files ",
		`registry_log_lines_lost_total{stream="stderr"} 0`, "registry_mirror_max_bytes 6", "registry_mirror_evicted_blobs_total 4", "registry_mirror_evicted_bytes_total 5",
	} {
		if !strings.Contains(text, "\n"+each) {
			t.Errorf("%s is missing: %s", each, text)
		}
	}
}

func TestCollections(t *testing.T) {
	driver := inmemory.New()
	options := garbage.Options{Schedule: "0 */6 * * *"}
	collector := garbage.New(driver, fence.New(driver, "here", fence.TimingOf("inmemory"), fence.NoCache{}), options, logrus.NewEntry(logrus.New()))
	due := fmt.Sprintf("registry_collection_due_timestamp_seconds %v\n", float64(time.Now().Truncate(6*time.Hour).Unix()))
	if text := scrape(t, Sources{Collector: collector}); strings.Contains(text, "registry_collection_last") || !strings.Contains(text, "registry_collection_interval_seconds 21600\n") || !strings.Contains(text, due) {
		t.Errorf("before the first: %s", text)
	}
	if _, err := collector.Collect(t.Context(), garbage.Request{}, t.Output()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(scrape(t, Sources{Collector: collector}), "registry_collection_last_failure") {
		t.Error("one failed")
	}
	text := scrape(t, Sources{Collector: collector})
	for _, each := range []string{
		`registry_collections_total{result="succeeded"} 1`, `registry_collections_total{result="failed"} 0`, "registry_collection_running 0",
		"registry_collection_last_success_timestamp_seconds ", "registry_collection_last_duration_seconds ", "registry_retention_would_delete_tags 0",
	} {
		if !strings.Contains(text, "\n"+each) {
			t.Errorf("%s is missing: %s", each, text)
		}
	}
}

// TestCollectionFailed has a store that does not say what is in it.
func TestCollectionFailed(t *testing.T) {
	driver := registrytest.NewSpy(inmemory.New())
	collector := garbage.New(driver, fence.New(driver, "here", fence.TimingOf("inmemory"), fence.NoCache{}), garbage.Options{}, registrytest.Silent())
	driver.Before = func(string, string) error { return errors.New("no route to 10.0.0.1") }
	if _, err := collector.Collect(t.Context(), garbage.Request{}, t.Output()); err == nil {
		t.Fatal("it succeeded")
	}
	text := scrape(t, Sources{Collector: collector})
	if !strings.Contains(text, "\nregistry_collection_last_failure_timestamp_seconds ") || strings.Contains(text, "\nregistry_collection_last_success") {
		t.Error(text)
	}
}

// TestManyRepositories expects series of the largest repositories, and no more.
func TestManyRepositories(t *testing.T) {
	driver := inmemory.New()
	for n := range mostRepositories + 10 {
		content := fmt.Appendf(nil, "%0*d", 10+n, n)
		d := digest.FromBytes(content)
		for _, path := range []string{layout.BlobPath(d), layout.RevisionPath(fmt.Sprintf("app-%d", n), d)} {
			if err := driver.PutContent(t.Context(), path, content); err != nil {
				t.Fatal(err)
			}
		}
	}
	h := holdings.Of(driver, logrus.NewEntry(logrus.New()))
	go h.Run(t.Context())
	var text string
	for until := time.Now().Add(20 * time.Second); !strings.Contains(text, "registry_repositories "); time.Sleep(10 * time.Millisecond) {
		if text = scrape(t, Sources{Holdings: h}); time.Now().After(until) {
			t.Fatal("not counted")
		}
	}
	if n := strings.Count(text, "registry_repository_bytes{"); n != mostRepositories {
		t.Errorf("%d repositories are told", n)
	}
	for each, want := range map[string]bool{"app-9": false, "app-10": true} {
		if strings.Contains(text, `repository_bytes{repository="`+each+`"}`) != want {
			t.Errorf("%s is told or not: %t", each, !want)
		}
	}
	if want := fmt.Sprintf("\nregistry_repositories %d\n", mostRepositories+10); !strings.Contains(text, want) {
		t.Errorf("no %s", want)
	}
}
