package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/turns"
)

// TestReachOfDeepLists expects each manifest to be visited once, although every list names the next one twice.
// Following every path would never end.
func TestReachOfDeepLists(t *testing.T) {
	const depth = 100
	at := func(i int) digest.Digest { return digest.FromString(fmt.Sprint(i)) }
	all := graph{at(depth): {}}
	for i := range depth {
		all[at(i)] = &node{parts: []digest.Digest{at(i + 1), at(i + 1)}}
	}
	if found := all.reach([]digest.Digest{at(1)}, downwards); len(found) != depth || found[at(depth)] == nil || found[at(0)] != nil {
		t.Errorf("%d are reached", len(found))
	}
}

// TestLargeManifests has a manifest with a thousand layers of two hundred annotations each, which nobody sees.
func TestLargeManifests(t *testing.T) {
	entry := fmt.Sprintf(`{"digest":%q,"annotations":{%s}}`, digest.FromString("layer"), strings.TrimSuffix(strings.Repeat(`"":"",`, few), ","))
	content := `{"layers":[` + strings.TrimSuffix(strings.Repeat(entry+",", most), ",") + `]}`
	m, _ := parse(digest.FromString(content), []byte(content))
	if bytes := held(reflect.ValueOf(m)); bytes > 1<<20 {
		t.Errorf("%d bytes are kept", bytes)
	}
}

// TestManyDigests has few manifests that refer to more than may be kept.
func TestManyDigests(t *testing.T) {
	driver := inmemory.New()
	var layers []string
	for i := range most - 1 {
		layers = append(layers, blob(fmt.Sprint(i), 1))
	}
	for i := range manyDigests/most + 1 {
		put(t, driver, image("", append(layers, blob(fmt.Sprint("own", i), 1))...))
	}
	reader := NewReader(driver, turns.New(0))
	if _, err := reader.Untagged(t.Context(), "team/app"); !errors.Is(err, ErrMany) {
		t.Errorf("%v", err)
	}
	if removal, err := reader.Remove(t.Context(), "team/app", nil, nil); err != nil || !removal.Unsure {
		t.Errorf("%+v, %v", removal, err)
	}
}

// counted counts what is read of a store, and what is asked of tags.
type counted struct {
	storagedriver.StorageDriver
	bytes, ofTags atomic.Int64
}

func (c *counted) GetContent(ctx context.Context, path string) ([]byte, error) {
	c.ask(path)
	return c.StorageDriver.GetContent(ctx, path)
}

func (c *counted) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	c.ask(path)
	return c.StorageDriver.Stat(ctx, path)
}

func (c *counted) List(ctx context.Context, path string) ([]string, error) {
	c.ask(path)
	return c.StorageDriver.List(ctx, path)
}

func (c *counted) ask(path string) {
	if layout.TagFolder(path) != "" {
		c.ofTags.Add(1)
	}
}

func (c *counted) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	file, err := c.StorageDriver.Reader(ctx, path, offset)
	return countedFile{file, c}, err
}

type countedFile struct {
	io.ReadCloser
	of *counted
}

func (f countedFile) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	f.of.bytes.Add(int64(n))
	return n, err
}

// TestTagsWithoutPush expects only what the tags name to be read.
func TestTagsWithoutPush(t *testing.T) {
	driver := &counted{StorageDriver: inmemory.New()}
	d := put(t, driver, image("", blob("layer", 1)), "1", "2", "3")
	for name, look := range map[string]func(*Reader) error{
		"untagged": func(r *Reader) error { _, err := r.Untagged(t.Context(), "team/app"); return err },
		"remove":   func(r *Reader) error { _, err := r.Remove(t.Context(), "team/app", []string{"1"}, nil); return err },
		"tags of": func(r *Reader) error {
			_, err := r.TagsOf(t.Context(), "team/app", d, []string{"1", "2", "3"})
			return err
		},
	} {
		driver.ofTags.Store(0)
		if err := look(NewReader(driver, turns.New(0))); err != nil || driver.ofTags.Load() != 3 {
			t.Errorf("%s: %d requests for 3 tags, %v", name, driver.ofTags.Load(), err)
		}
	}
}

// TestLargeOnesWait has large manifests, which are read one after the other. Those that wait are not in memory
// meanwhile.
func TestLargeOnesWait(t *testing.T) {
	driver := &counted{StorageDriver: inmemory.New()}
	reader := NewReader(driver, turns.New(0))
	d := put(t, driver, `{"a":"`+strings.Repeat("x", 2<<20)+`"}`)
	reader.large <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := reader.Manifest(ctx, "team/app", d); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if read := driver.bytes.Load(); read > large+1 {
		t.Errorf("%d bytes were read", read)
	}
	// They take no place that small ones need.
	small := put(t, driver, image("", blob("small", 1)))
	waiting, leave := context.WithCancel(t.Context())
	defer leave()
	before := driver.bytes.Load()
	for range cap(reader.places) {
		go func() { _, _ = reader.part(waiting, d) }()
	}
	for driver.bytes.Load()-before < int64(cap(reader.places))*(large+1) {
		runtime.Gosched()
	}
	quick, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := reader.Manifest(quick, "team/app", small); err != nil {
		t.Errorf("a small one: %v", err)
	}
	leave()
	<-reader.large
	if m, err := reader.Manifest(t.Context(), "team/app", d); err != nil || m.Bytes < 2<<20 {
		t.Errorf("%v", err)
	}
}
