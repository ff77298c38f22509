package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/page"
	"container-registry/server/internal/registrytest"
)

// meanwhile runs something before each deletion of the page, and after each of its portions.
type meanwhile struct {
	page.Fence
	before, after func()
}

func (m meanwhile) Deleting(ctx context.Context, repository string, do func(context.Context, func() error) error) error {
	err := m.Fence.Deleting(ctx, repository, func(ctx context.Context, late func() error) error {
		return do(ctx, func() error {
			m.before()
			return late()
		})
	})
	m.after()
	return err
}

// TestPageKeepsWhatIsPushedMeanwhile pushes the last tag of a deletion anew, and the image of the tag before it
// under another name. It does so through the same server and through another one, during a deletion and between
// two portions of one.
func TestPageKeepsWhatIsPushedMeanwhile(t *testing.T) {
	config := pageConfig(t)
	// The first server is reading its own configuration when the second one starts.
	another := *config
	b, other := browse(t, config, people), browse(t, &another, people)
	ui := b.at.ui.(*page.Page)
	fence := ui.Fence
	alice := b.as(t, "alice")
	for name, by := range map[string]*browser{"same": b, "other": other} {
		client := by.client(t, "alice")
		for _, between := range []bool{false, true} {
			t.Run(fmt.Sprint(name, between), func(t *testing.T) {
				repository := fmt.Sprintf("team-a/%s-%t", name, between)
				form := url.Values{"repository": {repository}, "confirmed": {"yes"}, "images": {"yes"}}
				tags := 3
				if between {
					tags = 13
				}
				var images []digest.Digest
				for i := range tags {
					images = append(images, client.Push(t, repository, fmt.Sprintf("t%02d", i), registrytest.Layer(uint64(i), 10)))
					form.Add("named", fmt.Sprintf("t%02d@%s", i, images[i]))
				}
				last := fmt.Sprintf("t%02d", tags-1)
				var pushed digest.Digest
				done := make(chan struct{})
				retag := func(d digest.Digest, tag string) {
					content, err := os.ReadFile(filepath.Join(config.Storage.Parameters()["rootdirectory"].(string), layout.BlobPath(d)))
					if err != nil {
						t.Error(err)
					}
					client.PushManifest(t, repository, tag, v1.MediaTypeImageManifest, json.RawMessage(content))
				}
				// This comes after the visitor has seen the tags.
				alice.get(t, "/ui/r/"+repository)
				retag(images[0], "early")
				begin := sync.OnceFunc(func() {
					go func() {
						defer close(done)
						var group sync.WaitGroup
						group.Go(func() { pushed = client.Push(t, repository, last, registrytest.Layer(100, 10)) })
						group.Go(func() { retag(images[tags-2], "fresh") })
						group.Wait()
					}()
					// A push that does not wait ends within this time.
					select {
					case <-done:
					case <-time.After(time.Second):
					}
				})
				if between {
					ui.Fence = meanwhile{fence, func() {}, begin}
				} else {
					ui.Fence = meanwhile{fence, begin, func() {}}
				}
				page := alice.post(t, "/ui/delete", form)
				<-done
				if between {
					page.contains(t, "Not all was deleted", last+": it was pushed meanwhile, so it was kept", "12 of what you chose went")
				} else if page.status != http.StatusSeeOther {
					t.Errorf("%d: %s", page.status, page.text)
				}
				if left := client.Tags(t, repository); !slices.Equal(left, []string{"early", "fresh", last}) {
					t.Errorf("left are %v", left)
				}
				for _, d := range []digest.Digest{images[0], pushed, images[tags-2]} {
					if status := client.Status(t, http.MethodGet, "/v2/"+repository+"/manifests/"+d.String()); status != http.StatusOK {
						t.Errorf("%s: %d", d, status)
					}
				}
			})
		}
	}
}

// TestPageDeletesPartsLast chooses many images by their digest, in any order.
func TestPageDeletesPartsLast(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	form := url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "images": {"yes"}}
	var parts []digest.Digest
	for i := range 12 {
		parts = append(parts, client.Push(t, "team-a/app", "", registrytest.Layer(uint64(i), 10)))
		form.Add("digest", parts[i].String())
	}
	form.Add("digest", client.PushIndex(t, "team-a/app", "", parts...).String())
	if page := alice.post(t, "/ui/delete", form); page.location != "/ui/r/team-a/app?deleted=13&untagged=" {
		t.Errorf("%d, to %s: %s", page.status, page.location, page.text)
	}
}

// hurried has time for only some deletions at once.
type hurried struct {
	page.Fence
	most int
}

func (h hurried) Deleting(ctx context.Context, repository string, do func(context.Context, func() error) error) error {
	return h.Fence.Deleting(ctx, repository, func(ctx context.Context, late func() error) error {
		asked := 0
		return do(ctx, func() error {
			if asked++; asked > h.most {
				return errors.New("too late")
			}
			return late()
		})
	})
}

// TestPageDeletesAllOfLittleTime goes on with what it had no time for: tags, and images whose tags are gone.
func TestPageDeletesAllOfLittleTime(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	ui := b.at.ui.(*page.Page)
	ui.Fence = hurried{ui.Fence, 2}
	form := url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "images": {"yes"}}
	var images []digest.Digest
	for i := range 3 {
		images = append(images, client.Push(t, "team-a/app", fmt.Sprint("t", i), registrytest.Layer(uint64(i), 10)))
		form.Add("named", fmt.Sprintf("t%d@%s", i, images[i]))
	}
	if page := alice.post(t, "/ui/delete", form); page.location != "/ui/r/team-a/app?deleted=3" {
		t.Errorf("%d, to %s: %s", page.status, page.location, page.text)
	}
	for _, d := range images {
		if status := client.Status(t, http.MethodGet, "/v2/team-a/app/manifests/"+d.String()); status != http.StatusNotFound {
			t.Errorf("%s: %d", d, status)
		}
	}
}

// paused is a fence during a collection.
type paused struct{ page.Fence }

func (paused) Deleting(context.Context, string, func(context.Context, func() error) error) error {
	return errors.New("a garbage collection pauses all writes; try again")
}

// TestPageDeletesNothingInPause expects the page not to say that the store is away.
func TestPageDeletesNothingInPause(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	b.at.ui.(*page.Page).Fence = paused{}
	named := "latest@" + b.client(t, "alice").Push(t, "team-a/app", "latest", registrytest.Layer(1, 10)).String()
	page := b.as(t, "alice").post(t, "/ui/delete", url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "named": {named}})
	if page.contains(t, "Nothing was deleted: the registry is busy"); page.status != http.StatusServiceUnavailable {
		t.Error(page.status)
	}
}
