package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/writes"
)

// TestCommand has the command ask the server, or do the work itself if none runs.
func TestCommand(t *testing.T) {
	config := registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}, maintenance: {garbagecollection: {deleteuntagged: true}}}")
	collector, f, err := garbage.Open(t.Context(), config, "a", fence.NoCache{}, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	client := registrytest.Serve(t, config)
	client.Push(t, "app", "1", registrytest.Layer(1, 10))
	client.Push(t, "app", "1", registrytest.Layer(2, 10))

	order := func() (string, error) {
		var out bytes.Buffer
		err := Command(t.Context(), config, garbage.Request{DryRun: true}, &out, registrytest.Silent())
		return out.String(), err
	}
	const want = "manifests: 2, would be deleted 1\n"
	if out, err := order(); err != nil || !strings.Contains(out, want) {
		t.Errorf("%v: %s", err, out)
	}
	if err := Order(t.Context(), config, garbage.Request{}, io.Discard); !errors.Is(err, ErrNoServer) {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Listen(ctx, config, collector, registrytest.Silent()) }()
	poll.Until(t, "an answer", func() bool {
		return !errors.Is(Order(t.Context(), config, garbage.Request{DryRun: true}, io.Discard), ErrNoServer)
	})
	if out, err := order(); err != nil || !strings.Contains(out, want) {
		t.Errorf("%v: %s", err, out)
	}
	// The command reports what goes wrong in the server.
	hold, _, err := f.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := Order(t.Context(), config, garbage.Request{}, io.Discard); err == nil || !strings.Contains(err.Error(), "under way already, by a") {
		t.Error(err)
	}
	hold.Release(t.Context())
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestStoppedOnDemand stops a server during a collection that was ordered. The server tells of what it has
// deleted, and leaves the right to collect to the next one.
func TestStoppedOnDemand(t *testing.T) {
	spy := registrytest.NewSpy(inmemory.New())
	client := registrytest.Serve(t, registrytest.Config(t, spy))
	client.Push(t, "app", "1", registrytest.Layer(1, 10))
	client.Push(t, "app", "1", registrytest.Layer(2, 10))
	timing := fence.TimingOf("inmemory")
	collector := garbage.New(spy, fence.New(spy, "a", timing, fence.NoCache{}), garbage.Options{DeleteUntagged: true}, registrytest.Silent())
	var told atomic.Int64
	collector.Tell(nil, func(context.Context, writes.Write) { told.Add(1) })
	config := registrytest.Parse(t, "storage: {inmemory: {}}")
	ctx, stop := context.WithCancel(t.Context())
	spy.Before = func(action, path string) error {
		if action == "delete" && strings.Contains(path, "/revisions/") {
			stop()
			time.Sleep(100 * time.Millisecond)
		}
		return nil
	}
	ended := make(chan error)
	go func() { ended <- Listen(ctx, config, collector, registrytest.Silent()) }()
	poll.Until(t, "an answer", func() bool {
		err := Order(t.Context(), config, garbage.Request{}, io.Discard)
		return !errors.Is(err, ErrNoServer)
	})
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if told.Load() == 0 {
		t.Error("nobody is told of what is gone")
	}
	hold, _, err := fence.New(spy, "b", timing, fence.NoCache{}).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hold.Release(t.Context())
}

func TestNotCollected(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"a mirror", "storage: {inmemory: {}}\nproxy: {remoteurl: 'https://registry-1.docker.io'}", "pull-through cache"},
		{"a read-only registry", "storage: {inmemory: {}, maintenance: {readonly: {enabled: true}}}", "set read-only"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := Command(t.Context(), registrytest.Parse(t, test.yaml), garbage.Request{}, io.Discard, registrytest.Silent())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Error(err)
			}
		})
	}
}
