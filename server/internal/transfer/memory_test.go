package transfer

import (
	"context"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/layout"
)

// zeros is a driver with one large blob that takes no memory.
type zeros struct {
	storagedriver.StorageDriver
	path string
	size int64
}

func (z zeros) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	if path == z.path {
		return storagedriver.FileInfoInternal{FileInfoFields: storagedriver.FileInfoFields{Path: path, Size: z.size}}, nil
	}
	return z.StorageDriver.Stat(ctx, path)
}

func (z zeros) Reader(context.Context, string, int64) (io.ReadCloser, error) {
	return io.NopCloser(io.LimitReader(zeroReader{}, z.size)), nil
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// hole is a driver that forgets what is uploaded.
type hole struct{ storagedriver.StorageDriver }

func (hole) Writer(context.Context, string, bool) (storagedriver.FileWriter, error) {
	return forgets{}, nil
}

func (hole) Move(context.Context, string, string) error { return nil }

type forgets struct{ storagedriver.FileWriter }

func (forgets) Write(p []byte) (int, error) { return len(p), nil }

func (forgets) Commit(context.Context) error { return nil }

func (forgets) Close() error { return nil }

func TestMemoryDoesNotGrowWithABlob(t *testing.T) {
	const size, most = 256 << 20, 16 << 20
	verifier := digest.Canonical.Hash()
	if _, err := io.CopyN(verifier, zeroReader{}, size); err != nil {
		t.Fatal(err)
	}
	d := digest.NewDigest(digest.Canonical, verifier)
	from := inmemory.New()
	if err := from.PutContent(t.Context(), layout.BlobPath(d), nil); err != nil {
		t.Fatal(err)
	}

	var peak atomic.Uint64
	base := heap()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			peak.Store(max(peak.Load(), heap()))
			time.Sleep(10 * time.Millisecond)
		}
	}()
	source := &side{Store: storeOf(t, from), driver: zeros{from, layout.BlobPath(d), size}}
	target := &side{Store: storeOf(t, from), driver: hole{inmemory.New()}}
	r := newRun(source, target, Options{Workers: 1, Progress: io.Discard, Interval: time.Hour})
	defer r.progress.stop()
	if err := r.blob(ctx, d); err != nil || r.report.bytes.Load() != size {
		t.Fatalf("%v, %v, %d bytes", err, r.report.failure(), r.report.bytes.Load())
	}
	if got := peak.Load(); got > base+most {
		t.Errorf("the heap grew by %s", inUnits(int64(got-base)))
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
