package server

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/audit"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// TestAuditOfStop stops a server during a collection: the audit log contains what the collection deletes at the
// end.
func TestAuditOfStop(t *testing.T) {
	spy := registrytest.NewSpy(inmemory.New())
	config := registrytest.Config(t, spy)
	config.HTTP.Addr = "127.0.0.1:0"
	settings := own{}
	settings.Audit.Folder = t.TempDir()
	s, err := New(config, settings, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	spy.Before = func(action, path string) error {
		if action == "delete" && strings.Contains(path, "/revisions/") {
			stop()
			// Everything else is over before the collection is.
			time.Sleep(200 * time.Millisecond)
		}
		return nil
	}
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	client := registrytest.Client{URL: "http://" + s.Addr().String()}
	client.Push(t, "app", "1", registrytest.Layer(1, 10))
	client.Push(t, "app", "1", registrytest.Layer(2, 10))
	poll.Until(t, "the end of something else to do", func() bool { return s.collector.CollectSoon(true) })
	if err := <-ended; err != nil {
		t.Error(err)
	}
	var out bytes.Buffer
	if err := audit.Show(t.Context(), settings.Audit.Folder, &out, false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"reason":"garbage collection"`) {
		t.Errorf("the audit is\n%s", out.String())
	}
}
