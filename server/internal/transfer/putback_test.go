package transfer

import (
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/distribution/distribution/v3/registry/handlers"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// inUse is a registry that clients use while something is copied into its store.
func inUse(t *testing.T, driver storagedriver.StorageDriver) registrytest.Client {
	t.Helper()
	config := registrytest.Config(t, driver)
	enginestore.Use(config)
	f := fence.New(driver, "a server", fence.TimingOf("inmemory"), fence.NoCache{})
	server := httptest.NewServer(f.Handler(handlers.NewApp(t.Context(), config), ""))
	t.Cleanup(server.Close)
	return registrytest.Client{URL: server.URL}
}

// TestPushedBeforeItIsWritten has a tag that a client pushes to the target, once or twice, after the transfer
// has seen that there is none, and before it writes its own.
func TestPushedBeforeItIsWritten(t *testing.T) {
	for _, pushes := range []uint64{1, 2} {
		from, to := inmemory.New(), registrytest.NewSpy(inmemory.New())
		source := registrytest.Serve(t, registrytest.Config(t, from))
		old := source.Push(t, "app", "latest", registrytest.Layer(1, 100))
		source.Push(t, "app", "other", registrytest.Layer(5, 100))
		target := inUse(t, to.StorageDriver)
		var pushed digest.Digest
		to.Before = func(action, path string) error {
			if action == "put" && path == layout.TagPath("app", "latest") && pushed == "" {
				for i := range pushes {
					pushed = target.Push(t, "app", "latest", registrytest.Layer(2+i, 100))
				}
			}
			return nil
		}
		report, err := between(t, from, to, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Join(pulled(t, to.StorageDriver), "\n"); pushed == "" || !strings.Contains(lines, "app:latest "+pushed.String()) {
			t.Errorf("%s was pushed last, %s copied, and the target serves\n%s", pushed, old, lines)
		}
		if !strings.Contains(report.String(), "tag app:latest was left as it is: the target has a newer one") || strings.Contains(report.String(), "app:other") {
			t.Errorf("reported as\n%s", report)
		}
	}
}

// TestPushedBeforeItEnds has a run that is interrupted after it wrote a tag over a client's push.
func TestPushedBeforeItEnds(t *testing.T) {
	from, to := inmemory.New(), registrytest.NewSpy(inmemory.New())
	registrytest.Serve(t, registrytest.Config(t, from)).Push(t, "app", "latest", registrytest.Layer(1, 100))
	target := inUse(t, to.StorageDriver)
	ctx, interrupt := context.WithCancel(t.Context())
	var pushed digest.Digest
	to.Before = func(action, path string) error {
		switch {
		case action == "put" && path == layout.TagPath("app", "latest") && pushed == "":
			pushed = target.Push(t, "app", "latest", registrytest.Layer(2, 100))
		case pushed != "" && ctx.Err() == nil:
			interrupt()
		}
		return nil
	}
	_, err := Run(ctx, registrytest.ReadOnly(registrytest.Config(t, from)), registrytest.Config(t, to), Options{Workers: 1, Progress: io.Discard, Interval: 1 << 40})
	if err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("%v", err)
	}
	if lines := strings.Join(pulled(t, to.StorageDriver), "\n"); pushed == "" || !strings.Contains(lines, "app:latest "+pushed.String()) {
		t.Errorf("%s was pushed, and the target serves\n%s", pushed, lines)
	}
}
