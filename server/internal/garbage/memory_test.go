package garbage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/garbage/plan"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// large is a store of images of ten blobs each. Every other image was deleted. It
// keeps nothing but the digests of its manifests.
type large struct {
	storagedriver.StorageDriver
	images int
	// numbers are the numbers of images, by the first bytes of their manifests' digests.
	numbers map[uint64]int32
}

func newLarge(blobs int) *large {
	l := &large{inmemory.New(), blobs / 10, map[uint64]int32{}}
	for n := range l.images {
		l.numbers[start(digest.FromBytes(l.manifest(n)))] = int32(n)
	}
	return l
}

func start(d digest.Digest) uint64 {
	b, _ := hex.DecodeString(d.Encoded()[:16])
	return binary.BigEndian.Uint64(b)
}

func layerOf(image, layer int) digest.Digest {
	sum := sha256.Sum256(fmt.Appendf(nil, "layer %d of image %d", layer, image))
	return digest.NewDigestFromBytes(digest.SHA256, sum[:])
}

func (l *large) manifest(image int) []byte {
	var layers []string
	for n := range 8 {
		layers = append(layers, fmt.Sprintf(`{"digest":%q}`, layerOf(image, n)))
	}
	return fmt.Appendf(nil, `{"config":{"digest":%q},"layers":[%s]}`, layerOf(image, 8), strings.Join(layers, ","))
}

func (l *large) Files(_ context.Context, folder string, visit func(storagedriver.FileInfo) error) error {
	file := func(path string) error {
		return visit(storagedriver.FileInfoInternal{FileInfoFields: storagedriver.FileInfoFields{Path: path, Size: 1, ModTime: time.Unix(1, 0)}})
	}
	for image := range l.images {
		name := fmt.Sprintf("team/app-%d", image%20)
		manifest := digest.FromBytes(l.manifest(image))
		var paths []string
		if folder == layout.Blobs {
			paths = append(paths, layout.BlobPath(manifest))
		} else if image%2 == 0 {
			tag := fmt.Sprint(image)
			paths = append(paths, layout.LinkPath(layout.RepositoryPath(name, layout.Revisions), manifest), layout.TagPath(name, tag),
				layout.LinkPath(layout.RepositoryPath(name, layout.Tags, tag, "index"), manifest))
		}
		for n := range 9 {
			if folder == layout.Blobs {
				paths = append(paths, layout.BlobPath(layerOf(image, n)))
			} else {
				paths = append(paths, layout.LinkPath(layout.RepositoryPath(name, layout.Layers), layerOf(image, n)))
			}
		}
		for _, path := range paths {
			if err := file(path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *large) GetContent(ctx context.Context, path string) ([]byte, error) {
	if !strings.HasPrefix(path, layout.Root) {
		return l.StorageDriver.GetContent(ctx, path)
	}
	parts := strings.Split(path, "/")
	if layout.IsBlob(path) {
		n, ok := l.numbers[start(digest.NewDigestFromEncoded(digest.SHA256, parts[len(parts)-2]))]
		if !ok {
			return nil, storagedriver.PathNotFoundError{Path: path}
		}
		return l.manifest(int(n)), nil
	}
	var image int
	if _, err := fmt.Sscan(parts[len(parts)-3], &image); err != nil {
		return nil, err
	}
	return []byte(digest.FromBytes(l.manifest(image))), nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemory has a collection hold so little of each blob that a million of them fit into
// a container of 512 MiB, beside what the server needs.
func TestMemory(t *testing.T) {
	const blobs, limit = 100_000, 300
	driver := newLarge(blobs)
	before := heap()
	i, err := inventory.Take(t.Context(), driver)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Make(i, plan.Options{DeleteUntagged: true}, nil, plan.Span{}, time.Now())
	each := (heap() - before) / blobs
	t.Logf("%d bytes a blob", each)
	// Half of the blobs go, each with its link except for manifests, and ten repositories.
	if each > limit || len(i.Blobs) != blobs || len(p.Deletions) != blobs/2+blobs/20*9+10 {
		t.Errorf("%d blobs, %d deletions, %d bytes each", len(i.Blobs), len(p.Deletions), each)
	}
	runtime.KeepAlive(driver)
	runtime.KeepAlive(p)
}

var million = flag.Bool("million", false, "collect a store of a million blobs")

// TestMillion runs a whole collection in the memory of a default container:
//
//	GOMEMLIMIT=460MiB go test ./internal/garbage -run TestMillion -million -v
func TestMillion(t *testing.T) {
	if !*million {
		t.Skip("takes minutes: -million")
	}
	const limit = 512
	driver := newLarge(1_000_000)
	f := fence.New(driver, "a", fence.TimingOf("filesystem"), fence.NoCache{})
	report, err := New(driver, f, Options{DeleteUntagged: true}, registrytest.Silent()).Collect(t.Context(), Request{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	peak, err := strconv.Atoi(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(string(status))[1])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("at most %d MiB of %d; the longest pause took %s\n%s", peak>>10, limit, report.LongestPause, report)
	if peak>>10 > limit || report.Blobs.Found != 1_000_000 || report.Blobs.Deleted != 500_000 {
		t.Error("it does not fit")
	}
}
