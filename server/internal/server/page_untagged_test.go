package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// tagged counts how often all tags are listed from the deletion of the first one on, which may fail.
type tagged struct {
	storagedriver.StorageDriver
	fails  bool
	begun  atomic.Bool
	listed atomic.Int64
}

func (d *tagged) List(ctx context.Context, path string) ([]string, error) {
	if layout.IsTags(path) && d.begun.Load() {
		d.listed.Add(1)
	}
	return d.StorageDriver.List(ctx, path)
}

func (d *tagged) Delete(ctx context.Context, path string) error {
	if strings.HasSuffix(path, "/_manifests/tags/t0") && !d.begun.Swap(true) && d.fails {
		return errors.New("the store refuses")
	}
	return d.StorageDriver.Delete(ctx, path)
}

// TestPageDeletesWithOneLook expects no second listing of all tags, of which there may be thousands, unless a
// tag could not be deleted: its image takes it along.
func TestPageDeletesWithOneLook(t *testing.T) {
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprint(fails), func(t *testing.T) {
			driver := &tagged{StorageDriver: inmemory.New(), fails: fails}
			b := browse(t, registrytest.Config(t, driver), people)
			alice, client := b.as(t, "alice"), b.client(t, "alice")
			form := url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "images": {"yes"}}
			for i := range 3 {
				tag := fmt.Sprint("t", i)
				form.Add("named", tag+"@"+client.Push(t, "team-a/app", tag, registrytest.Layer(uint64(i), 10)).String())
			}
			alice.post(t, "/ui/delete", form)
			if n := driver.listed.Load(); (n > 0) != fails {
				t.Errorf("the tags were listed %d times more", n)
			}
			if status := client.Status(t, http.MethodGet, "/v2/team-a/app/manifests/t0"); status != http.StatusNotFound {
				t.Errorf("the tag: %d", status)
			}
			if left := client.Tags(t, "team-a/app"); len(left) > 0 {
				t.Errorf("left are %v", left)
			}
		})
	}
}
