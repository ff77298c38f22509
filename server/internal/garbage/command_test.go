package garbage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/store"
	"container-registry/server/internal/writes"
)

func parsed(t *testing.T, yaml string) *configuration.Configuration {
	t.Helper()
	config, err := configuration.Parse(strings.NewReader("version: 0.1\nhttp: {addr: ':5000'}\n" + yaml))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func silent() *logrus.Entry {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return logrus.NewEntry(log)
}

func TestOptions(t *testing.T) {
	tests := []struct {
		name, yaml string
		want       Options
	}{
		{"none", "storage: {inmemory: {}}", Options{Retention: Retention{DryRun: true}}},
		{"rules are tried first", "storage: {inmemory: {}, maintenance: {garbagecollection: {retention: {rules: [{keepdays: 3}]}}}}", Options{
			Retention: Retention{DryRun: true, Rules: []Rule{{KeepDays: 3}}},
		}},
		{
			"all",
			"storage: {inmemory: {}, maintenance: {garbagecollection: {schedule: '0 3 * * *', timezone: Asia/Tokyo, deleteuntagged: true, grace: 1h30m, " +
				"retention: {dryrun: false, alwayskeep: ['v*'], rules: [{repositories: [a, b/*], keepnewest: 2, keepdays: 3, keeptags: [c]}]}}}}",
			Options{
				Schedule: "0 3 * * *", TimeZone: "Asia/Tokyo", DeleteUntagged: true, Grace: 90 * time.Minute,
				Retention: Retention{AlwaysKeep: []string{"v*"}, Rules: []Rule{{Repositories: []string{"a", "b/*"}, KeepNewest: 2, KeepDays: 3, KeepTags: []string{"c"}}}},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := OptionsOf(parsed(t, test.yaml))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// TestCommand asks the server, and does the work itself where none runs.
func TestCommand(t *testing.T) {
	config := parsed(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}, maintenance: {garbagecollection: {deleteuntagged: true}}}")
	collector, f, err := Open(t.Context(), config, "a", fence.NoCache{}, silent())
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, collector.driver, "pushes", quick, Options{})
	r.Push(t, "app", "1", registrytest.Layer(1, 10))
	r.Push(t, "app", "1", registrytest.Layer(2, 10))

	order := func() (string, error) {
		var out bytes.Buffer
		err := Command(t.Context(), config, Request{DryRun: true}, &out, silent())
		return out.String(), err
	}
	const want = "manifests: 2, would be deleted 1\n"
	if out, err := order(); err != nil || !strings.Contains(out, want) {
		t.Errorf("%v: %s", err, out)
	}
	if err := Order(t.Context(), config, Request{}, io.Discard); !errors.Is(err, ErrNoServer) {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- collector.Listen(ctx, config) }()
	waitFor(t, func() bool {
		return !errors.Is(Order(t.Context(), config, Request{DryRun: true}, io.Discard), ErrNoServer)
	})
	if out, err := order(); err != nil || !strings.Contains(out, want) {
		t.Errorf("%v: %s", err, out)
	}
	// What goes wrong in the server is said by the command.
	hold, _, err := f.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := Order(t.Context(), config, Request{}, io.Discard); err == nil || !strings.Contains(err.Error(), "under way already, by a") {
		t.Error(err)
	}
	hold.Release(t.Context())
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestStoppedOnDemand has a server told to stop in a collection that was ordered: it tells of what
// is gone, and leaves the right to collect to the next one.
func TestStoppedOnDemand(t *testing.T) {
	spy := registrytest.NewSpy(folder(t))
	r := serve(t, spy, "a", quick, Options{DeleteUntagged: true})
	r.Push(t, "app", "1", registrytest.Layer(1, 10))
	r.Push(t, "app", "1", registrytest.Layer(2, 10))
	var told atomic.Int64
	r.collector.observers = []writes.Observer{func(context.Context, writes.Write) { told.Add(1) }}
	config := parsed(t, "storage: {inmemory: {}}")
	ctx, stop := context.WithCancel(t.Context())
	spy.Before = func(action, path string) error {
		if action == "delete" && strings.Contains(path, "/revisions/") {
			stop()
			time.Sleep(100 * time.Millisecond)
		}
		return nil
	}
	ended := make(chan error)
	go func() { ended <- r.collector.Listen(ctx, config) }()
	waitFor(t, func() bool {
		err := Order(t.Context(), config, Request{}, io.Discard)
		return !errors.Is(err, ErrNoServer)
	})
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if told.Load() == 0 {
		t.Error("nobody is told of what is gone")
	}
	hold, _, err := fence.New(spy, "b", quick, fence.NoCache{}).Acquire(t.Context())
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
			err := Command(t.Context(), parsed(t, test.yaml), Request{}, io.Discard, silent())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Error(err)
			}
		})
	}
}

// TestFullStore says what to do.
func TestFullStore(t *testing.T) {
	spy := registrytest.NewSpy(folder(t))
	spy.Before = func(action, path string) error {
		if action == "put" {
			return &fs.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
		}
		return nil
	}
	c := New(spy, fence.New(spy, "a", quick, fence.NoCache{}), Options{}, silent())
	c.store = store.Of(parsed(t, "storage: {filesystem: {rootdirectory: /data}}"))
	if _, err := c.Collect(t.Context(), Request{}, io.Discard); err == nil || !strings.Contains(err.Error(), "it is full; make space") || !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
}
