package realservers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	configuration "container-registry/server/internal/config"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/store"
)

// opened is direct access to the store of a configuration file, beside the servers that use it.
type opened struct{ storagedriver.StorageDriver }

func open(t *testing.T, file string) opened {
	t.Helper()
	c, err := configuration.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	driver, err := store.Of(c.Configuration).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return opened{driver}
}

// phase returns the phase that a collection under way has written to the store; empty without one.
func (o opened) phase(t *testing.T) string {
	t.Helper()
	const folder = "/container-registry-collection"
	names, err := layout.Names(t.Context(), o, folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		// A name with a dot is that of a file that is still being written.
		if !strings.HasPrefix(name, "holder-") || strings.Contains(name, ".") {
			continue
		}
		var holder struct{ Phase string }
		content, err := o.GetContent(t.Context(), path.Join(folder, name))
		if err == nil && json.Unmarshal(content, &holder) == nil {
			return holder.Phase
		}
	}
	return ""
}

// each does something n times, several at once.
func each(t *testing.T, n int, do func(ctx context.Context, i int) error) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(16)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// litter writes blobs that no manifest refers to, and manifests without a tag, so that there is
// something to read. It returns the blobs in the order of their deletion.
func (o opened) litter(t *testing.T, n int) []digest.Digest {
	t.Helper()
	all := make([]digest.Digest, n)
	each(t, n, func(ctx context.Context, i int) error {
		content := fmt.Appendf(nil, "litter %d", i)
		all[i] = digest.FromBytes(content)
		return o.PutContent(ctx, layout.BlobPath(all[i]), content)
	})
	each(t, 100, func(ctx context.Context, i int) error {
		content := fmt.Appendf(nil, `{"schemaVersion": 2, "annotations": {"number": "%d"}}`, i)
		d := digest.FromBytes(content)
		if err := o.PutContent(ctx, layout.BlobPath(d), content); err != nil {
			return err
		}
		return o.PutContent(ctx, layout.LinkPath(layout.RepositoryPath("litter", layout.Revisions), d), []byte(d))
	})
	slices.SortFunc(all, func(a, b digest.Digest) int { return strings.Compare(a.Encoded()[2:], b.Encoded()[2:]) })
	return all
}

// left returns how many of the blobs still exist.
func (o opened) left(t *testing.T, blobs []digest.Digest) int {
	t.Helper()
	var n atomic.Int32
	each(t, len(blobs), func(ctx context.Context, i int) error {
		_, err := o.Stat(ctx, layout.BlobPath(blobs[i]))
		if layout.IsMissing(err) {
			return nil
		}
		n.Add(1)
		return err
	})
	return int(n.Load())
}

// TestKilledCollection kills the server that collects, in every phase. It starts again,
// or another server goes on, writes and collects, and no image is lost.
func TestKilledCollection(t *testing.T) {
	t.Parallel()
	for _, store := range stores() {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			folder := store.start(t)
			for _, phase := range []string{"mark", "sweep", "in the middle of deletions"} {
				for _, successor := range []string{"itself", "another server"} {
					t.Run(phase+", followed by "+successor, func(t *testing.T) {
						t.Parallel()
						kill(t, store, folder(strings.ReplaceAll(phase+" "+successor, " ", "-")), phase, successor)
					})
				}
			}
		})
	}
}

func kill(t *testing.T, store collected, storage, phase, successor string) {
	address, other := registrytest.FreeAddress(t), registrytest.FreeAddress(t)
	settings := configFile(t, "server", config(address, storage, "cache: {blobdescriptor: inmemory}"))
	server := serve(t, settings, address)
	next := server
	if successor != "itself" {
		next = serve(t, configFile(t, "other", config(other, storage, "cache: {blobdescriptor: inmemory}")), other)
	}
	server.Fill(t)
	want := server.Pulled(t)
	at := open(t, settings)
	blobs := at.litter(t, store.litter)

	order := exec.Command(binary, "garbage-collect", settings)
	if err := order.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- order.Wait() }()
	eventually(t, phase, func() bool {
		time.Sleep(store.look)
		select {
		case err := <-ended:
			t.Fatalf("the collection ended before: %v", err)
		default:
		}
		// A phase is short, and so is each pause of a sweep. The server is stopped so that what is seen stays true, and
		// then gets as much time to go on as it was stopped for.
		began := time.Now()
		server.signal(syscall.SIGSTOP)
		seen := at.phase(t) == phase
		if phase == "in the middle of deletions" {
			seen = at.phase(t) == "sweep" && at.left(t, blobs[:1]) == 0
		}
		if !seen {
			server.signal(syscall.SIGCONT)
			time.Sleep(time.Since(began))
		}
		return seen
	})
	server.kill()
	if err := <-ended; err == nil {
		t.Error("the command did not notice")
	}

	if successor == "itself" {
		next = serve(t, settings, address)
	}
	// A pause ends by itself no earlier than 17 s after its server was killed, and a push waits for 10 s. So a push
	// has to come before anything else.
	refused := 0
	eventually(t, "accepted push", func() bool {
		status := next.TryUpload(t, "after")
		if status == http.StatusServiceUnavailable {
			refused++
		}
		return status == http.StatusAccepted
	})
	// The last deletion may still be under way.
	if paused := phase != "mark"; paused != (refused > 0) {
		t.Errorf("%d pushes were refused", refused)
	}
	// Nothing keeps a sweep from its first deletions.
	if rest := at.left(t, blobs); rest == 0 || phase == "mark" && rest < store.litter {
		t.Fatalf("killed too late: %d left", rest)
	}
	if got := registry(t, nil, "", "garbage-collect", next.config); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	if rest := at.left(t, blobs); rest != 0 {
		t.Errorf("%d were not deleted", rest)
	}
	if got := next.Pulled(t); !slices.Equal(got, want) {
		t.Errorf("it serves\n%s", strings.Join(got, "\n"))
	}
}
