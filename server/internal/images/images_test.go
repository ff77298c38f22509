package images

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/turns"
)

// put writes a manifest of team/app as the engine does.
func put(t *testing.T, driver storagedriver.StorageDriver, content string, tags ...string) digest.Digest {
	t.Helper()
	d := digest.FromString(content)
	files := map[string]string{layout.BlobPath(d): content, layout.RevisionPath("team/app", d): d.String()}
	for _, tag := range tags {
		files[layout.TagPath("team/app", tag)] = d.String()
	}
	for path, text := range files {
		if err := driver.PutContent(context.Background(), path, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func blob(name string, size int) string {
	return fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":%q,"size":%d}`, digest.FromString(name), size)
}

func image(config digest.Digest, layers ...string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":10},"layers":[%s]}`,
		config, strings.Join(layers, ","))
}

func index(parts ...digest.Digest) string {
	var list []string
	for _, each := range parts {
		list = append(list, fmt.Sprintf(`{"digest":%q,"size":1}`, each))
	}
	return indexOf(list...)
}

func indexOf(entries ...string) string {
	return `{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` + strings.Join(entries, ",") + `]}`
}

func TestSummaries(t *testing.T) {
	driver := inmemory.New()
	config := put(t, driver, `{"os":"linux","architecture":"arm64","variant":"v8","created":"2026-01-02T03:04:05Z","history":[{"created_by":"/bin/sh -c #(nop)  CMD [\"sh\"]","empty_layer":true}],"config":{"Labels":{"a":"b"},"Env":["PATH=/bin",7]}}`)
	first := image(config, blob("shared", 1000), blob("own", 20))
	second := image(config, blob("shared", 1000), blob("other", 300), blob("other", 300))
	one, two := put(t, driver, first, "1.0"), put(t, driver, second)
	about := fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"digest":%q,"size":10},"layers":[{"digest":%q,"size":5,"annotations":{"in-toto.io/predicate-type":"https://slsa.dev/provenance/v1"}}]}`,
		config, digest.FromString("provenance"))
	attestation := put(t, driver, about)
	index := fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
		{"digest":%q,"size":1,"platform":{"os":"linux","architecture":"amd64"}},
		{"digest":%q,"size":1,"platform":{"os":"linux","architecture":"arm64"}},
		{"digest":%q,"size":1,"platform":{"os":"unknown","architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":%q}}]}`,
		one, two, attestation, one)
	all := put(t, driver, index, "latest")
	chart := put(t, driver, fmt.Sprintf(`{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":%q,"size":10},"layers":[%s]}`, config, blob("chart", 7)), "chart")
	if err := driver.PutContent(t.Context(), layout.TagPath("team/app", "broken"), []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	reader := NewReader(driver, turns.New(0))
	names, err := reader.Names(t.Context(), "team/app")
	if err != nil || !slices.Equal(names, []string{"latest", "1.0", "chart", "broken"}) {
		t.Fatalf("%v, %v", names, err)
	}
	tags, err := reader.Tags(t.Context(), "team/app", append(names, "gone"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := reader.Summaries(t.Context(), "team/app", tags, []string{layout.ReferrersTag(one) + ".sig", layout.ReferrersTag(one)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i].Pushed = tags[4].Pushed
	}
	oneSize := Size(len(first) + 10 + 1000 + 20)
	platforms := func(names ...string) List[string] { return List[string]{names, len(names)} }
	want := []Summary{
		{Tag{"latest", all, tags[4].Pushed}, Index, platforms("linux/amd64", "linux/arm64"), Need{oneSize + Size(len(second)+300+len(index)+len(about)+5), false}, 1},
		{Tag{"1.0", one, tags[4].Pushed}, Image, platforms("linux/arm64/v8"), Need{oneSize, false}, 1},
		{Tag{"chart", chart, tags[4].Pushed}, Chart, platforms(), found[2].Need, 0},
		{Tag{"broken", "", tags[4].Pushed}, Broken, platforms(), Need{}, 0},
		{Tag{"gone", "", tags[4].Pushed}, Broken, platforms(), Need{}, 0},
	}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("got  %+v\nwant %+v", found, want)
	}
	described, err := reader.Describe(t.Context(), "team/app", all)
	if err != nil || len(described.Parts) != 2 || !reflect.DeepEqual(described.Parts[0].Attestations, []Attestation{{attestation, List[Word]{[]Word{"https://slsa.dev/provenance/v1"}, 1}}}) {
		t.Errorf("%+v, %v", described, err)
	}
	described, err = reader.Describe(t.Context(), "team/app", one)
	if err != nil || described.Config.History.Items[0].Instruction() != `CMD ["sh"]` || described.Config.Run.Labels.Of("a") != "b" || described.Config.Run.Env.Items[1] != "" {
		t.Errorf("%+v, %v", described.Config, err)
	}
	if _, err := reader.Describe(t.Context(), "team/other", one); !errors.Is(err, ErrMissing) {
		t.Errorf("a manifest of another repository: %v", err)
	}
}

func TestUntagged(t *testing.T) {
	driver := inmemory.New()
	config := put(t, driver, "{}")
	about := func(subject digest.Digest, name string) string {
		return strings.Replace(image(config, blob(name, 1)), "{", fmt.Sprintf(`{"subject":{"digest":%q},`, subject), 1)
	}
	tagged, part := put(t, driver, image(config, blob("tagged", 1)), "1"), put(t, driver, image(config, blob("part", 1)))
	put(t, driver, index(part), "all")
	signature := put(t, driver, about(part, "signature"))
	put(t, driver, about(signature, "about the signature"))
	put(t, driver, about(tagged, "list of content"))
	lost, lostPart := put(t, driver, image(config, blob("lost", 1))), put(t, driver, image(config, blob("lost part", 1)))
	lostIndex := put(t, driver, index(lostPart))
	lostSignature := put(t, driver, about(lost, "lost signature"))
	gone := put(t, driver, image(config, blob("gone", 1)))
	if err := driver.Delete(t.Context(), layout.RevisionPath("team/app", gone)); err != nil {
		t.Fatal(err)
	}
	found := func(reader *Reader) (digests []digest.Digest) {
		t.Helper()
		list, err := reader.Untagged(t.Context(), "team/app")
		if err != nil {
			t.Fatal(err)
		}
		for i, each := range list {
			digests = append(digests, each.Digest)
			if each.Pushed.IsZero() || i > 0 && each.Pushed.After(list[i-1].Pushed) {
				t.Errorf("%s was pushed %s", each.Digest, each.Pushed)
			}
		}
		return digests
	}
	got := slices.Sorted(slices.Values(found(NewReader(driver, turns.New(0)))))
	// What was put as the configuration is a manifest too, as far as the store is concerned.
	if want := slices.Sorted(slices.Values([]digest.Digest{config, lost, lostPart, lostIndex, lostSignature})); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if none, err := NewReader(driver, turns.New(0)).Untagged(t.Context(), "team/none"); err != nil || len(none) > 0 {
		t.Errorf("of none: %v, %v", none, err)
	}
	// If an index lists more than is read, it is not known what it needs.
	var many []digest.Digest
	for i := range 2000 {
		many = append(many, digest.FromString(fmt.Sprint(i)))
	}
	put(t, driver, index(many...), "many")
	if _, err := NewReader(driver, turns.New(0)).Untagged(t.Context(), "team/app"); !errors.Is(err, ErrMany) {
		t.Errorf("an index of 2,000: %v", err)
	}
}

func TestNames(t *testing.T) {
	driver := inmemory.New()
	reader := NewReader(driver, turns.New(0))
	about := "sha256-" + strings.Repeat("0", 64) + ".sig"
	for _, tag := range []string{"1.9", "1.10", "latest", "v2", "1.9-rc1", about} {
		put(t, driver, "{}", tag)
	}
	want := []string{"latest", "v2", "1.10", "1.9", "1.9-rc1", about}
	list := func() []string {
		t.Helper()
		names, err := reader.Names(t.Context(), "team/app")
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if got := list(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	put(t, driver, "{}", "3")
	if got := list(); !slices.Equal(got, want) {
		t.Errorf("not remembered: %v", got)
	}
	reader.Forget("team/app")
	if got := list(); len(got) != len(want)+1 {
		t.Errorf("not forgotten: %v", got)
	}
}

// TestHostile has content of any size and shape that clients can push.
func TestHostile(t *testing.T) {
	layers := strings.TrimSuffix(strings.Repeat(`{},`, 1_300_000), ",")
	tests := []struct {
		name, content string
		check         func(*Manifest) bool
	}{
		{"more layers than anybody looks at", `{"layers":[` + layers + `]}`, func(m *Manifest) bool {
			return len(m.Layers.Items) == most && m.Layers.Count == 1_300_000 && m.Layers.More() == 1_300_000-most
		}},
		{"fields of other types", `{"mediaType":7,"config":[],"layers":"x","manifests":{"a":1},"annotations":[1],"subject":"x"}`, func(m *Manifest) bool {
			return m.MediaType == "" && m.Layers.Count == 0 && m.Annotations.Count == 0
		}},
		{"sizes below zero and beyond all", `{"layers":[{"digest":"` + digest.FromString("a").String() + `","size":-5},{"digest":"` + digest.FromString("b").String() + `","size":9223372036854775807}]}`, func(m *Manifest) bool {
			all := newSum()
			all.add(m)
			return all.total() == Need{math.MaxInt64, false}
		}},
		{"digests that are paths", `{"layers":[{"digest":"../../etc"}]}`, func(m *Manifest) bool { return m.Layers.Items[0].Digest == "" }},
		{"a long text", `{"annotations":{"a":"` + strings.Repeat("ä", long) + `"}}`, func(m *Manifest) bool { return len(m.Annotations.Of("a")) < long+5 }},
		{"twice the same", `{"layers":[{}],"LAYERS":[{},{}]}`, func(m *Manifest) bool { return m.Layers.Count == 2 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, ok := parse(digest.FromString(test.content), []byte(test.content))
			if !ok || !test.check(m) {
				text, _ := json.Marshal(m)
				t.Errorf("%.500s", text)
			}
		})
	}
	driver := inmemory.New()
	reader := NewReader(driver, turns.New(0))
	d := put(t, driver, `{"a":"`+strings.Repeat("x", largest)+`"}`)
	if _, err := reader.Manifest(t.Context(), "team/app", d); !errors.Is(err, ErrMissing) {
		t.Errorf("larger than the engine takes: %v", err)
	}
	d = put(t, driver, "{}")
	if err := driver.PutContent(t.Context(), layout.BlobPath(d), bytes.Repeat([]byte("x"), 10)); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Manifest(t.Context(), "team/app", d); !errors.Is(err, ErrMissing) || !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged: %v", err)
	}
	if _, err := reader.Manifest(t.Context(), "team/other", d); errors.Is(err, ErrDamaged) {
		t.Errorf("none: %v", err)
	}
}

// TestMemory fills the memory with content that takes many times its bytes once it is read.
func TestMemory(t *testing.T) {
	const number = 300
	items := func(item string, n int) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	pairs := func(n int) string { return "{" + items(`"":""`, n) + "}" }
	for name, content := range map[string]string{
		"numbers for blobs":     `"layers":[],"blobs":[` + items("0", most) + `]`,
		"layers of schema 1":    `"layers":[` + items("0", most) + `],"fsLayers":[` + items("0", most) + `]`,
		"platforms":             `"manifests":[` + items(`{"platform":{}}`, most) + `]`,
		"annotations":           `"annotations":` + pairs(few) + `,"subject":{"annotations":` + pairs(few) + `},"config":{"annotations":` + pairs(few) + `}`,
		"annotations of layers": `"layers":[` + items(`{"annotations":`+pairs(few)+`}`, 20) + `]`,
		"control characters":    `"layers":[` + items(`{"mediaType":"`+strings.Repeat("\x7f", 100)+`"}`, most) + `]`,
		"steps":                 `"history":[` + items("0", most) + `]`,
		"how it is run": `"config":{"env":[` + items("0", most) + `],"cmd":[` + items("0", most) + `],"entrypoint":[` + items("0", most) +
			`],"labels":` + pairs(few) + `,"volumes":` + pairs(few) + `,"exposedPorts":` + pairs(few) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			driver := inmemory.New()
			reader := NewReader(driver, turns.New(0))
			for i := range number {
				d := put(t, driver, fmt.Sprintf(`{"n":%d,%s}`, i, content))
				if _, err := reader.Manifest(t.Context(), "team/app", d); err != nil {
					t.Fatal(err)
				}
				of := &Manifest{ArtifactType: dockerConfig, Config: &Descriptor{Digest: Digest(d)}}
				if c, err := reader.Config(t.Context(), of); c == nil || err != nil {
					t.Fatal(c, err)
				}
			}
			var manifests, configs int
			for _, each := range reader.manifests.entries.Values() {
				manifests += heldByManifest(each.value)
			}
			for _, each := range reader.configs.entries.Values() {
				configs += heldByConfig(each.value)
			}
			if manifests > reader.manifests.most || configs > reader.configs.most {
				t.Errorf("manifests hold %d bytes of %d, configurations %d of %d", manifests, reader.manifests.most, configs, reader.configs.most)
			}
			// The reason must not be that nothing is kept.
			if reader.manifests.entries.Len() < 5 || reader.configs.entries.Len() < 5 {
				t.Errorf("%d manifests and %d configurations are kept", reader.manifests.entries.Len(), reader.configs.entries.Len())
			}
		})
	}
}

// TestMemoryOfOne adds an entry that is larger than all together may be: it takes no other entry's place.
func TestMemoryOfOne(t *testing.T) {
	m := newMemory[*Manifest](4 << 10)
	small, large := &Manifest{}, &Manifest{Layers: List[Descriptor]{Items: make([]Descriptor, 100)}}
	m.add("small", small)
	m.add("large", large)
	if found, ok := m.get("small"); !ok || found != small {
		t.Error("what was kept is gone")
	}
	if _, ok := m.get("large"); ok {
		t.Error("more is kept than may be")
	}
}

func itemsOf[T any](items []T) int { return cap(items) * int(reflect.TypeFor[T]().Size()) }

func heldByPairs(all ...Pairs) (bytes int) {
	for _, p := range all {
		bytes += itemsOf(p.Items)
		for _, each := range p.Items {
			bytes += len(each.Name) + len(each.Value)
		}
	}
	return bytes
}

func heldByDescriptors(list []Descriptor) int {
	bytes := itemsOf(list)
	for _, d := range list {
		bytes += len(d.MediaType) + len(d.ArtifactType) + len(d.Digest) + len(d.Annotations.Reference) + len(d.Annotations.Referred) + len(d.Annotations.Predicate)
		if p := d.Platform; p != nil {
			bytes += int(reflect.TypeFor[Platform]().Size()) + len(p.OS) + len(p.Architecture) + len(p.Variant) + len(p.OSVersion)
		}
	}
	return bytes
}

func heldByManifest(m *Manifest) int {
	bytes := heldByDescriptors(m.Layers.Items) + heldByDescriptors(m.Manifests.Items) + heldByPairs(m.Annotations)
	for _, d := range []*Descriptor{m.Config, m.Subject} {
		if d != nil {
			bytes += heldByDescriptors([]Descriptor{*d})
		}
	}
	return bytes
}

func heldByConfig(c *Config) int {
	bytes := itemsOf(c.History.Items) + heldByPairs(c.Run.Labels, c.Run.ExposedPorts, c.Run.Volumes)
	for _, step := range c.History.Items {
		bytes += len(step.CreatedBy) + len(step.Comment)
	}
	for _, list := range []List[Text]{c.Run.Entrypoint, c.Run.Cmd, c.Run.Env} {
		bytes += itemsOf(list.Items)
		for _, text := range list.Items {
			bytes += len(text)
		}
	}
	return bytes
}
