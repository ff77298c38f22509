package server

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"

	"container-registry/server/internal/holdings"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/page"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// TestPageOfSeveralServers has two servers with one store.
func TestPageOfSeveralServers(t *testing.T) {
	config := pageConfig(t)
	config.Storage["maintenance"] = configuration.Parameters{"garbagecollection": map[any]any{"retention": map[any]any{"dryrun": false, "rules": []any{map[any]any{"keepnewest": 1}}}}}
	first, second := browse(t, config, people), browse(t, config, people)
	here, there := first.as(t, "alice"), second.as(t, "alice")
	client := first.client(t, "alice")
	client.Push(t, "shop/a", "1", registrytest.Layer(1, 1000))
	client.Push(t, "shop/a", "2", registrytest.Layer(2, 1000))

	here.post(t, "/ui/preview", nil)
	poll.Until(t, "the preview", func() bool { return strings.Contains(here.get(t, "/ui/cleanup").text, "1 tag by the rules") })
	there.get(t, "/ui/cleanup").contains(t, "Nobody has asked this server since it started", "None yet")
	there.post(t, "/ui/collect", nil)
	poll.Until(t, "the collection", func() bool { return !strings.Contains(there.get(t, "/ui/cleanup").text, "None yet") })
	// This is seen as soon as the store tells of it, and not only when the server looks next.
	poll.Until(t, "the other server's collection", func() bool { return !strings.Contains(here.get(t, "/ui/cleanup").text, "None yet") })
	here.get(t, "/ui/cleanup").contains(t, "not 1 tag by the rules", "Nobody has asked this server")

	if testing.Short() {
		return
	}
	client.Push(t, "fresh/one", "1", registrytest.Layer(3, 1000))
	poll.Within(t, 3*time.Minute, "what the other server took", func() bool { return strings.Contains(there.get(t, "/ui/?folder=fresh").text, "/ui/r/fresh/one") })
}

// TestPageOfTheLastPush ends a server right after a push: others are told all the same.
func TestPageOfTheLastPush(t *testing.T) {
	config := pageConfig(t)
	config.HTTP.Addr = "127.0.0.1:0"
	section := own{}
	section.UI.Enabled = true
	s, err := New(config, section, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.holdings.Changed("shop/a")
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
	told, err := os.ReadDir(filepath.Join(config.Storage.Parameters()["rootdirectory"].(string), layout.Changes))
	if err != nil || len(told) != 1 {
		t.Errorf("%v: %v", err, told)
	}
}

// uncounted are holdings of a server that has just started.
type uncounted struct{ page.Holdings }

func (uncounted) Repositories() []holdings.Repository { return nil }

func (uncounted) At() (time.Time, bool) { return time.Time{}, false }

// TestPageOfUncountedFolder expects the page not to say that nothing is there.
func TestPageOfUncountedFolder(t *testing.T) {
	b := browse(t, pageConfig(t), "#!anonymous pull public/*\n"+people)
	ui := b.at.ui.(*page.Page)
	ui.Holdings = uncounted{ui.Holdings}
	for _, each := range []*browser{b, b.as(t, "alice"), b.as(t, "carol")} {
		page := each.get(t, "/ui/?folder=public")
		if page.status != http.StatusOK {
			t.Errorf("%d", page.status)
		}
		page.contains(t, "being counted for the first time", "not nothing in this folder", "not Nothing here yet")
	}
}

// TestPageCountsSharedOnce expects what repositories share to count once in the sum of all, and the page to say
// where it does not.
func TestPageCountsSharedOnce(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	client, base := b.client(t, "alice"), registrytest.Layer(1, 1_000_000)
	for _, name := range []string{"team-a/app", "team-b/app", "team-b/web"} {
		client.Push(t, name, "1", base)
	}
	alice, bob, carol := b.as(t, "alice"), b.as(t, "bob"), b.as(t, "carol")
	poll.Until(t, "the repositories", func() bool { return strings.Contains(alice.get(t, "/ui/").text, "3 repositories") })
	alice.get(t, "/ui/").contains(t, "3 repositories, 1.0 MB</p>")
	const each = "with what they share counted in each"
	alice.get(t, "/ui/?folder=team-b").contains(t, "2 repositories, 2.0 MB "+each)
	bob.get(t, "/ui/").contains(t, "2 repositories, 2.0 MB "+each)
	carol.get(t, "/ui/").contains(t, "1 repository, 1.0 MB</p>")
}

// TestPageCountsAttached expects the page of an image and the list of tags to say the same number of attached
// things.
func TestPageCountsAttached(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	d := client.Push(t, "team-a/app", "1", registrytest.Layer(1, 10))
	for _, want := range []string{"1 attached", "2 attached"} {
		if want == "1 attached" {
			client.Push(t, "team-a/app", "sha256-"+d.Encoded()+".sig", registrytest.Layer(2, 10))
		} else {
			client.PushAbout(t, "team-a/app", "", d)
		}
		alice.get(t, "/ui/r/team-a/app").contains(t, ">"+want+"<")
		alice.get(t, "/ui/r/team-a/app:1").contains(t, ">"+want+"<")
	}
}
