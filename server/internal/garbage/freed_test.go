package garbage

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/garbage/plan"
	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// newest is a retention policy that keeps one tag.
var newest = Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepNewest: 1}}}}

// leave has a collection delete a tag but not its index, because a client has asked for the index.
func leave(t *testing.T, driver *registrytest.Spy) (index, part digest.Digest) {
	t.Helper()
	r := serve(t, driver, "first", quick, newest)
	part = r.Push(t, "app", "1", registrytest.Layer(1, 100))
	index = r.PushIndex(t, "app", "1", part)
	r.Push(t, "app", "2", registrytest.Layer(2, 100))
	r.head(t, "app@"+index.String())
	if report := r.collect(t, Request{}); report.Tags.Deleted != 1 || report.Manifests.Deleted != 0 {
		t.Fatalf("%s", report)
	}
	return index, part
}

// TestFreedBefore has a collection leave some of an image whose tag it deletes. The next one deletes that,
// because the rules freed it.
func TestFreedBefore(t *testing.T) {
	grace := newest
	grace.Grace = time.Hour
	for name, test := range map[string]struct {
		options Options
		// cutOff has the first collection end after the first tag.
		cutOff bool
		// first is called before that collection, and heal after it.
		first func(*testing.T, *rig, digest.Digest)
		heal  func(*testing.T, *rig)
	}{
		"asked for": {options: newest, first: func(t *testing.T, r *rig, image digest.Digest) { r.head(t, "app@"+image.String()) }},
		"young":     {options: grace},
		"signed": {options: newest, first: func(t *testing.T, r *rig, image digest.Digest) {
			r.head(t, "app@"+r.PushAbout(t, "app", "", image).String())
		}},
		"signed by a tag": {options: newest, first: func(t *testing.T, r *rig, image digest.Digest) {
			r.PushAbout(t, "app", layout.ReferrersTag(image)+".sig", image)
			r.head(t, "app@"+image.String())
		}},
		"with a tag of its own digest": {options: newest, first: func(t *testing.T, r *rig, image digest.Digest) {
			r.put(t, layout.TagPath("app", layout.ReferrersTag(image)), image.String())
			r.head(t, "app@"+image.String())
		}},
		"cut off": {options: newest, cutOff: true},
		"beside one that is damaged": {
			options: newest,
			first: func(t *testing.T, r *rig, _ digest.Digest) {
				r.put(t, layout.BlobPath(r.PushAbout(t, "app", "signature", r.tagged(t, "app", "2"))), "{")
			},
			heal: func(t *testing.T, r *rig) { r.PushAbout(t, "app", "signature", r.tagged(t, "app", "2")) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			driver := registrytest.NewSpy(folder(t))
			r := serve(t, driver, "first", quick, test.options)
			image := r.Push(t, "app", "1", registrytest.Layer(1, 100))
			r.Push(t, "app", "2", registrytest.Layer(2, 100))
			if test.first != nil {
				test.first(t, r, image)
			}
			ctx, cutOff := context.WithCancel(t.Context())
			driver.Before = func(action, path string) error {
				if action == "delete" && test.cutOff && layout.TagFolder(path) != "" {
					cutOff()
				}
				return nil
			}
			report, err := r.collector.Collect(ctx, Request{}, io.Discard)
			if (err != nil) != test.cutOff || report.Tags.Deleted != 1 || report.Manifests.Deleted != 0 {
				t.Fatalf("%v: %s", err, report)
			}
			driver.Before = func(string, string) error { return nil }
			r = serve(t, driver, "second", quick, newest)
			if test.heal != nil {
				test.heal(t, r)
			}
			dry := r.collect(t, Request{DryRun: true})
			report = r.collect(t, Request{})
			if status := r.head(t, "app@"+image.String()); status != http.StatusNotFound || dry.Manifests != report.Manifests {
				t.Errorf("%d\n%s\n%s", status, dry, report)
			}
			r.Pulled(t)
			r.checkLinks(t)
			again := r.collect(t, Request{})
			if left := r.collector.freedBefore(t.Context()); len(left) != 0 || again.Manifests.Deleted != 0 {
				t.Errorf("left: %v\n%s", left, again)
			}
		})
	}
}

// TestFreedElsewhere has a collection that is cut off leave a signature but not its image, which another
// repository has. The signature goes once no repository has the image.
func TestFreedElsewhere(t *testing.T) {
	driver := registrytest.NewSpy(folder(t))
	r := serve(t, driver, "first", quick, newest)
	image := r.Push(t, "app", "1", registrytest.Layer(1, 100))
	r.Copy(t, "app", "copies", "1")
	signature := r.PushAbout(t, "app", "", image)
	r.Push(t, "app", "2", registrytest.Layer(2, 100))
	ctx, cutOff := context.WithCancel(t.Context())
	driver.Before = func(action, path string) error {
		if action == "delete" && layout.TagFolder(path) != "" {
			cutOff()
		}
		return nil
	}
	if report, err := r.collector.Collect(ctx, Request{}, io.Discard); err == nil || report.Manifests.Deleted != 0 {
		t.Fatalf("%v: %s", err, report)
	}
	driver.Before = func(string, string) error { return nil }
	r.Delete(t, "app", image.String())
	for _, there := range []bool{true, false} {
		if !there {
			r.Delete(t, "copies", image.String())
		}
		// It knows nothing of what clients count on.
		r = serve(t, driver, "second", quick, newest)
		report := r.collect(t, Request{})
		if status := r.head(t, "app@"+signature.String()); (status == http.StatusOK) != there {
			t.Errorf("%d\n%s", status, report)
		}
	}
}

// TestFreedNoLonger has freed manifests that have come to be needed since, or that must not be deleted now.
func TestFreedNoLonger(t *testing.T) {
	again := func(t *testing.T, r *rig, d digest.Digest, reference string) {
		content, err := r.collector.driver.GetContent(t.Context(), layout.BlobPath(d))
		if err != nil {
			t.Fatal(err)
		}
		if status, text := r.tryManifest(t, "app", reference, string(content)); status != http.StatusCreated {
			t.Fatalf("%d: %s", status, text)
		}
	}
	for name, test := range map[string]struct {
		options   Options
		meanwhile func(t *testing.T, r *rig, index, part digest.Digest) (stays digest.Digest)
	}{
		"pushed again": {newest, func(t *testing.T, r *rig, index, _ digest.Digest) digest.Digest {
			again(t, r, index, index.String())
			return index
		}},
		"a part that is pushed again": {newest, func(t *testing.T, r *rig, _, part digest.Digest) digest.Digest {
			again(t, r, part, part.String())
			return part
		}},
		"in an index": {newest, func(t *testing.T, r *rig, index, _ digest.Digest) digest.Digest {
			r.PushIndex(t, "app", "", index)
			return index
		}},
		"tagged, and untagged by a client": {newest, func(t *testing.T, r *rig, index, _ digest.Digest) digest.Digest {
			again(t, r, index, "3")
			r.Delete(t, "app", "3")
			return index
		}},
		"tagged, collected, and untagged by a client": {Options{}, func(t *testing.T, r *rig, index, _ digest.Digest) digest.Digest {
			r.put(t, layout.TagPath("app", "3"), index.String())
			r.collect(t, Request{})
			r.Delete(t, "app", "3")
			return index
		}},
		"without rules": {Options{}, func(_ *testing.T, _ *rig, index, _ digest.Digest) digest.Digest { return index }},
		"in a repository that no rule covers": {
			Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepNewest: 1, Repositories: []string{"team/*"}}}}},
			func(_ *testing.T, _ *rig, index, _ digest.Digest) digest.Digest { return index },
		},
		"in a dry run": {Options{Retention: retention.Policy{DryRun: true, Rules: newest.Retention.Rules}}, func(_ *testing.T, _ *rig, index, _ digest.Digest) digest.Digest {
			return index
		}},
		"after half of the list was lost": {newest, func(t *testing.T, r *rig, index, _ digest.Digest) digest.Digest {
			r.put(t, freedAt, `{"app":{`)
			return index
		}},
	} {
		t.Run(name, func(t *testing.T) {
			driver := registrytest.NewSpy(folder(t))
			index, part := leave(t, driver)
			stays := test.meanwhile(t, serve(t, driver, "second", quick, test.options), index, part)
			for range 2 {
				// It knows nothing of what clients count on.
				r := serve(t, driver, "third", quick, test.options)
				report := r.collect(t, Request{})
				if status := r.head(t, "app@"+stays.String()); status != http.StatusOK {
					t.Errorf("%d\n%s", status, report)
				}
				r.Pulled(t)
			}
		})
	}
}

// TestFreedUnwritten has a store that can't write the list, such as a full one. What is free goes all the same.
func TestFreedUnwritten(t *testing.T) {
	driver := registrytest.NewSpy(folder(t))
	r := serve(t, driver, "a", quick, newest)
	r.Push(t, "app", "1", registrytest.Layer(1, 100))
	r.Push(t, "app", "2", registrytest.Layer(2, 100))
	driver.Before = func(action, path string) error {
		if action == "put" && path == freedAt {
			return errors.New("full")
		}
		return nil
	}
	if report := r.collect(t, Request{}); report.Manifests.Deleted != 1 {
		t.Errorf("%s", report)
	}
}

// TestMostFreed bounds the list.
func TestMostFreed(t *testing.T) {
	all := plan.Freed{}
	for _, name := range []string{"a", "b", "c"} {
		all[name] = map[digest.Digest]int64{}
		for _, content := range []string{"1", "2"} {
			all[name][digest.FromString(content)] = 1
		}
	}
	if got := all.Most(3); len(got) != 2 || len(got["a"]) != 2 || len(got["b"]) != 1 {
		t.Errorf("%v", got)
	}
}
