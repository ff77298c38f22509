package images

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/turns"
)

// attests is the entry of an index that is about another entry.
func attests(attestation, subject digest.Digest) string {
	return fmt.Sprintf(`{"digest":%q,"annotations":{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":%q}}`, attestation, subject)
}

func on(d digest.Digest, platform string) string {
	return fmt.Sprintf(`{"digest":%q,"platform":{"os":%q}}`, d, platform)
}

// TestRepeatedParts has an index that names the same image and what is about it time and again. If a page
// showed each of them with each, it would have a million links.
func TestRepeatedParts(t *testing.T) {
	driver := inmemory.New()
	var says []string
	for i := range most {
		says = append(says, fmt.Sprintf(`{"digest":%q,"annotations":{"in-toto.io/predicate-type":"%d"}}`, digest.FromString("says"), i))
	}
	one, attestation := put(t, driver, image("", blob("one", 1))), put(t, driver, image("", says...))
	var entries []string
	for i := range parts / 2 {
		entries = append(entries, on(one, fmt.Sprint(i)), attests(attestation, one))
	}
	d := put(t, driver, indexOf(entries...), "latest")
	reader := NewReader(driver, turns.New(0))
	described, err := reader.Describe(t.Context(), "team/app", d)
	if err != nil || len(described.Parts) != 1 || len(described.Parts[0].Attestations) != 1 {
		t.Fatalf("%+v, %v", described, err)
	}
	if part := described.Parts[0]; len(part.Platforms) != parts/2 || len(part.Attestations[0].Predicates.Items) != manyNames || part.Attestations[0].Predicates.More() != most-manyNames {
		t.Errorf("%+v", part)
	}
	found, err := reader.Summaries(t.Context(), "team/app", []Tag{{Digest: d}}, nil)
	if err != nil || found[0].About != 1 || len(found[0].Platforms.Items) != manyNames || found[0].Platforms.More() != parts/2-manyNames {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestPlatformVersions has images of Windows that run on one version each.
func TestPlatformVersions(t *testing.T) {
	driver := inmemory.New()
	var entries []string
	for _, version := range []string{"10.0.20348.2113", "10.0.17763.5329"} {
		d := put(t, driver, image("", blob(version, 1)))
		entries = append(entries, fmt.Sprintf(`{"digest":%q,"platform":{"os":"windows","architecture":"amd64","os.version":%q}}`, d, version))
	}
	d := put(t, driver, indexOf(entries...))
	found, err := NewReader(driver, turns.New(0)).Summaries(t.Context(), "team/app", []Tag{{Digest: d}}, nil)
	if want := []string{"windows/amd64 10.0.20348.2113", "windows/amd64 10.0.17763.5329"}; err != nil || !slices.Equal(found[0].Platforms.Items, want) {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestLongPlatforms has names that no platform has.
func TestLongPlatforms(t *testing.T) {
	long := strings.Repeat("x", 4000)
	content := fmt.Sprintf(`{"manifests":[{"platform":{"os":%q,"architecture":%q,"variant":%q,"os.version":%q}}]}`, long, long, long, long)
	m, _ := parse(digest.FromString(content), []byte(content))
	if name := m.Manifests.Items[0].Platform.String(); len(name) > 4*short+20 {
		t.Errorf("%d bytes", len(name))
	}
}

// TestDescribeOfMore has indexes of which only a part is read, so only the least of what they need is known.
func TestDescribeOfMore(t *testing.T) {
	driver := inmemory.New()
	var images []digest.Digest
	for i := range 2 * parts {
		images = append(images, put(t, driver, image("", blob(fmt.Sprint(i), 1000))))
	}
	for _, test := range []struct {
		name    string
		entries []digest.Digest
		parts   int
		unread  int
		more    bool
		// partsMore are the parts whose size is not known.
		partsMore []bool
		least     Size
	}{
		{"as many as are read", images[:parts], parts, 0, false, nil, parts * 1000},
		{"more than are read", images[:parts+7], parts, 7, true, nil, parts * 1000},
		{"an index", []digest.Digest{put(t, driver, index(images[:parts]...))}, 1, 0, false, []bool{false}, parts * 1000},
		{"an index of indexes", []digest.Digest{put(t, driver, index(put(t, driver, index(images[:3]...))))}, 1, 0, false, []bool{false}, 3000},
		{"an index of more than are read", []digest.Digest{images[0], put(t, driver, index(images[:parts+1]...)), images[parts+1]}, 3, 0, true, []bool{false, true, false}, (parts + 1) * 1000},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := put(t, driver, index(test.entries...))
			described, err := NewReader(driver, turns.New(0)).Describe(t.Context(), "team/app", d)
			if err != nil || len(described.Parts) != test.parts || described.Unread != test.unread || described.More != test.more || described.Size < test.least {
				t.Fatalf("%d parts, %d unread, %+v, %v", len(described.Parts), described.Unread, described.Need, err)
			}
			var more []bool
			for _, part := range described.Parts {
				more = append(more, part.More)
			}
			if test.partsMore != nil && !slices.Equal(more, test.partsMore) {
				t.Errorf("%v", more)
			}
		})
	}
}

// TestManyBlobs has an image with more blobs than are counted.
func TestManyBlobs(t *testing.T) {
	all := newSum()
	for i := range manyBlobs + 1 {
		all.put(digest.FromString(fmt.Sprint(i)), 1)
	}
	if need := all.total(); need != (Need{manyBlobs, true}) {
		t.Errorf("%+v", need)
	}
}

// link gives an image something that is about it.
func link(t *testing.T, driver storagedriver.StorageDriver, subject digest.Digest, name string) {
	t.Helper()
	if err := driver.PutContent(t.Context(), layout.ReferrerPath("team/app", subject, digest.FromString(name)), nil); err != nil {
		t.Fatal(err)
	}
}

// TestTagsOfOneImage expects one listing of what is about the image: there may be any number of it.
func TestTagsOfOneImage(t *testing.T) {
	driver := &registrytest.Lists{StorageDriver: inmemory.New()}
	d := put(t, driver, image("", blob("one", 1)))
	link(t, driver, d, "a signature")
	tags := make([]Tag, 100)
	for i := range tags {
		tags[i] = Tag{Name: fmt.Sprint(i), Digest: d}
	}
	tags[99].Digest = digest.FromString("gone")
	found, err := NewReader(driver, turns.New(0)).Summaries(t.Context(), "team/app", tags, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, each := range found {
		if each.Name != fmt.Sprint(i) || i < 99 && (each.About != 1 || each.Kind != Image) || i == 99 && each.Kind != Broken {
			t.Errorf("%+v", each)
		}
	}
	if all, _ := driver.Count(); all != 1 {
		t.Errorf("%d lists", all)
	}
}

// TestTagsListedOnce has many people look at the same repository.
func TestTagsListedOnce(t *testing.T) {
	driver := &registrytest.Lists{StorageDriver: inmemory.New()}
	repository := "team/0"
	if err := driver.PutContent(t.Context(), layout.TagPath(repository, "1"), nil); err != nil {
		t.Fatal(err)
	}
	reader := NewReader(driver, turns.New(0))
	looking, ctx := errgroup.WithContext(t.Context())
	for range 100 {
		looking.Go(func() error {
			names, err := reader.Names(ctx, repository)
			if len(names) != 1 {
				t.Errorf("%q", names)
			}
			return err
		})
	}
	if err := looking.Wait(); err != nil {
		t.Fatal(err)
	}
	if all, _ := driver.Count(); all > 50 {
		t.Errorf("%d lists", all)
	}
}

// TestListsInTurn has many people look at lists of any length: each list is in memory as a whole.
func TestListsInTurn(t *testing.T) {
	for name, look := range map[string]func(ctx context.Context, r *Reader, repository string, d digest.Digest) error{
		"tags": func(ctx context.Context, r *Reader, repository string, _ digest.Digest) error {
			_, err := r.Names(ctx, repository)
			return err
		},
		"what is about images": func(ctx context.Context, r *Reader, _ string, d digest.Digest) error {
			_, err := r.Summaries(ctx, "team/app", []Tag{{Digest: d}}, nil)
			return err
		},
		"manifests": func(ctx context.Context, r *Reader, repository string, _ digest.Digest) error {
			_, err := r.Remove(ctx, repository, nil, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			driver := &registrytest.Lists{StorageDriver: inmemory.New()}
			lists := turns.New(0)
			const all = 32
			looking, ctx := errgroup.WithContext(t.Context())
			for i := range all {
				repository := fmt.Sprintf("team/%d", i)
				d := put(t, driver, image("", blob(repository, 1)))
				for _, path := range []string{layout.TagPath(repository, "1"), layout.RevisionPath(repository, d), layout.ReferrerPath("team/app", d, d)} {
					if err := driver.PutContent(t.Context(), path, []byte(d)); err != nil {
						t.Fatal(err)
					}
				}
				looking.Go(func() error { return look(ctx, NewReader(driver, lists), repository, d) })
			}
			if err := looking.Wait(); err != nil {
				t.Fatal(err)
			}
			if listed, most := driver.Count(); listed < all || most > all/2 {
				t.Errorf("%d of %d lists at once", most, listed)
			}
		})
	}
}
