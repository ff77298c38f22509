package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/layout"
)

// crowded has no room for a list while it holds a blob.
type crowded struct {
	storagedriver.StorageDriver
	blob digest.Digest
}

func (c crowded) PutContent(ctx context.Context, file string, content []byte) error {
	if _, err := c.Stat(ctx, layout.BlobPath(c.blob)); err == nil && file == stateFile {
		return storagedriver.Error{DriverName: c.Name(), Detail: syscall.ENOSPC}
	}
	return c.StorageDriver.PutContent(ctx, file, content)
}

// TestTidyExpired makes room for the list by deleting what has expired, on a full disk.
func TestTidyExpired(t *testing.T) {
	at := func(folder string, d digest.Digest) string {
		return layout.LinkPath(layout.RepositoryPath("library/app", folder), d)
	}
	before, after := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	oldLayer, oldManifest, layer := digest.FromString("old layer"), digest.FromString("old manifest"), digest.FromString("layer")
	known, memory := map[string]entry{}, inmemory.New()
	put := func(file, content string) {
		t.Helper()
		if err := memory.PutContent(t.Context(), file, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	for _, each := range []struct {
		d       digest.Digest
		folder  string
		kind    kind
		expires time.Time
	}{
		{oldLayer, layout.Layers, blobKind, before},
		{oldManifest, layout.Revisions, manifestKind, before},
		{layer, layout.Layers, blobKind, after},
	} {
		put(layout.BlobPath(each.d), "content")
		put(at(each.folder, each.d), each.d.String())
		key := fmt.Sprint("library/app@", each.d)
		known[key] = entry{key, each.expires, each.kind}
	}
	content, err := json.Marshal(known)
	if err != nil {
		t.Fatal(err)
	}
	put(stateFile, string(content))
	ttl := 2 * time.Hour
	c := &configuration.Configuration{Proxy: configuration.Proxy{TTL: &ttl}}
	if err := tidy(t.Context(), c, crowded{memory, oldLayer}, logrus.NewEntry(logrus.New())); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{layout.BlobPath(oldLayer), layout.BlobPath(oldManifest), at(layout.Layers, oldLayer), at(layout.Revisions, oldManifest), layout.BlobPath(layer), at(layout.Layers, layer)} {
		_, err := memory.Stat(t.Context(), file)
		if is, want := err == nil, slices.Contains([]string{layout.BlobPath(layer), at(layout.Layers, layer)}, file); is != want {
			t.Errorf("%s: %v", file, err)
		}
	}
	left, err := read(t.Context(), memory, nil)
	if err != nil || len(left) != 1 || left[fmt.Sprint("library/app@", layer)].Expiry.Unix() != after.Unix() {
		t.Errorf("the list is %v, %v", left, err)
	}
}
